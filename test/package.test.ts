import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runIn } from '#test/support/copy';
import { emptyFolder, root } from '#test/support/process';

const AUTHOR = `
import { strategyConformance, type Sample } from 'sallyport/conformance';
import { custom, defineStrategy, type AuthStrategy } from 'sallyport/strategy';
const sample: Sample = { headers: { 'X-Name': 'ada' } };
const strategy: AuthStrategy = defineStrategy({
  name: 'theirs',
  kind: 'bearer',
  summary: 'By a third party',
  scheme: { type: 'apiKey', in: 'header', name: 'X-Name' },
  create: ({ userOf }) => custom(async (req) => (req.get('x-name') === 'ada' ? userOf({ subject: 'ada' }) : null)),
});
// @ts-expect-error -- there is no such kind
export const wrong: AuthStrategy['kind'] = 'magic';
for (const { name, run } of strategyConformance(strategy, { good: sample, bad: [{ headers: { 'X-Name': 'eve' } }] })) {
  await run();
  console.log(name);
}
`;

it('once built, lets others write strategies against sallyport/strategy and sallyport/conformance', async () => {
  const folder = emptyFolder();
  const installed = join(folder, 'node_modules/sallyport');
  mkdirSync(installed, { recursive: true });
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, name), join(installed, name));
  const built = await runIn(root, 'tsc', ['--project', 'tsconfig.build.json', '--outDir', join(installed, 'dist')]);
  expect(built).toEqual({ code: 0, output: '' });
  for (const at of [installed, folder]) symlinkSync(join(root, 'node_modules'), join(at, at === folder ? 'packages' : 'node_modules'));

  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'author.ts'), AUTHOR);
  const options = {
    module: 'NodeNext',
    target: 'ES2024',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: ['./packages/@types'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['author.ts'] }));
  expect(await runIn(folder, 'tsc', [])).toEqual({ code: 0, output: '' });

  const { code, output } = await runIn(folder, 'node', ['author.ts']);
  expect(code, output).toBe(0);
  expect(output.trim().split('\n')).toHaveLength(14);
});
