import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '#test/support/process';

let folders = 0;
const packages = join(root, 'node_modules');

/** The text of a strategy file. Its provider claims of a user whatever the body of the request says. */
export const providerFile = (name: string) => `export default {
  name: '${name}', kind: 'login', summary: 'Says what it is told', credentials: (await import('zod')).z.looseObject({}),
  create: ({ resolveUser }) => ({ authenticate(req) { resolveUser(req.body).then((user) => this.success(user), (error) => this.error(error)); } }) };`;

/** A folder of strategies of its own, for STRATEGIES_DIR: file names, and what stands in them. */
export function folderOf(contents: Record<string, string>, { own = true } = {}): string {
  mkdirSync('folders', { recursive: true });
  const folder = mkdtempSync(join(process.cwd(), 'folders', `${++folders}-`));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  if (own) symlinkSync(packages, join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(contents)) writeFileSync(join(folder, file), text);
  return folder;
}
