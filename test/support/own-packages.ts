import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '#test/support/process';

const read = (file: string) =>
  JSON.parse(readFileSync(file, 'utf8')) as {
    version: string;
    dependencies: object;
    devDependencies?: object;
  };

/** A package is missing, or has another version than package.json says. */
function wrongPackage(home: string): string | undefined {
  const { dependencies, devDependencies } = read(join(root, home, 'package.json'));
  return Object.entries({ ...dependencies, ...devDependencies }).find(([name, version]) => {
    try {
      return read(join(root, home, 'node_modules', name, 'package.json')).version !== version;
    } catch {
      return true;
    }
  })?.[0];
}

/** Installs the packages of a folder that has a package.json of its own; on CI this is for .ci/run to do. */
export function installPackages(home: string): void {
  const wrong = wrongPackage(home);
  if (wrong === undefined) return;
  if (process.env['CI'])
    throw new Error(
      `The packages of ${home} are not installed (${wrong} is missing or has another version). ` +
        `Run \`npm ci --prefix ${home}\` before this test.`,
    );
  const command = ['ci', '--prefix', home, '--no-audit', '--no-fund'];
  execFileSync('npm', command, { cwd: root, stdio: 'pipe' });
}
