import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder, root } from '#test/support/process';

const OURS = [
  'src',
  'models',
  'migrations',
  'strategies',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
];

/** This repository in a folder of its own, where files may come and go. Its packages are shared. */
export function copyOfUs(): string {
  const folder = emptyFolder();
  for (const name of OURS) cpSync(join(root, name), join(folder, name), { recursive: true });
  mkdirSync(join(folder, 'test'));
  cpSync(join(root, 'test/support'), join(folder, 'test/support'), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** Runs a program of Node, or a command of our packages, to its end. Its output is what it wrote on both channels. */
export async function runIn(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Record<string, string | undefined> = {},
) {
  const bin = join(root, 'node_modules/.bin');
  const child = spawn(program === 'node' ? process.execPath : join(bin, program), args, {
    cwd,
    env: { PATH: `${bin}:${process.env['PATH']}`, TMPDIR: process.env['TMPDIR'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  return { code, output };
}
