import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { emptyFolder, root } from '#test/support/process';

/** Client generators, in a package of their own: they need the API of TypeScript 5. */
const home = join(root, 'test/generators');

const read = (file: string) =>
  JSON.parse(readFileSync(file, 'utf8')) as { version: string; dependencies: object };

/** A package is missing, or has another version than package.json says. */
function wrongPackage(): string | undefined {
  const { dependencies } = read(join(home, 'package.json'));
  return Object.entries(dependencies).find(([name, version]) => {
    try {
      return read(join(home, 'node_modules', name, 'package.json')).version !== version;
    } catch {
      return true;
    }
  })?.[0];
}

/** Installs them where that is missing; on CI this is for .ci/run to do. */
export function installGenerators(): void {
  const wrong = wrongPackage();
  if (wrong === undefined) return;
  if (process.env['CI'])
    throw new Error(
      `The client generators are not installed (${wrong} is missing or has another version). ` +
        'Run `npm ci --prefix test/generators` before this test.',
    );
  const command = ['ci', '--prefix', home, '--no-audit', '--no-fund'];
  execFileSync('npm', command, { cwd: root, stdio: 'pipe' });
}

/** A new folder with the consumers and their settings. The packages are shared. */
export function copyOfConsumers(): string {
  const folder = emptyFolder();
  cpSync(home, folder, {
    recursive: true,
    filter: (file) => basename(file) !== 'node_modules',
  });
  symlinkSync(join(home, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
