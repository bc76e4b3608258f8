import { cpSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { installPackages } from '#test/support/own-packages';
import { emptyFolder, root } from '#test/support/process';

/** Client generators, in a package of their own: they need the API of TypeScript 5. */
const home = join(root, 'test/generators');

/** Installs them where that is missing. */
export const installGenerators = (): void => installPackages('test/generators');

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
