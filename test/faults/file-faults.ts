import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilRefused, type Fault } from '#test/faults/fault';
import type { Environment } from '#test/faults/environment';
import { emptyFolder } from '#test/support/process';

/** Longer than a write waits (WRITE_TIMEOUT_MS in src/platform/database/sqlite.ts). */
const LASTS_MS = 2500;

const has = (command: string) => spawnSync('which', [command]).status === 0;
const run = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

const mounted = new Set<string>();
/** Before their folder is removed, and at the latest at the end. */
export function unmountDisks(): void {
  for (const folder of mounted) run('umount', '-l', folder);
  mounted.clear();
}
process.once('exit', unmountDisks);

/** A small disk in memory. Only root can make one. */
function disk(): string {
  const folder = emptyFolder();
  if (!run('mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder))
    throw new Error('tmpfs cannot be mounted');
  mounted.add(folder);
  return folder;
}
const folderOf = ({ file }: Environment) => file.replace(/\/[^/]*$/, '');
const resize = (environment: Environment, size: string) =>
  run('mount', '-o', `remount,size=${size}`, folderOf(environment));

function whyNoDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to mount a small disk';
  const folder = emptyFolder();
  if (!run('mount', '-t', 'tmpfs', 'tmpfs', folder)) return 'this machine lets nobody mount a disk';
  run('umount', folder);
  return undefined;
}

const onFile = { engines: ['sqlite'] } as const;

export const fileFaults: readonly Fault[] = [
  {
    ...onFile,
    id: 'X-10',
    name: 'database file may not grow',
    rounds: [1, 10],
    missing: () => (has('prlimit') ? undefined : 'no prlimit'),
    async round(environment) {
      const { pid } = environment.node.server;
      const sizes = ['', '-wal'].map((end) => statSync(environment.file + end).size);
      run('prlimit', `--fsize=${Math.min(...sizes)}:unlimited`, '--pid', String(pid));
      await untilRefused(environment);
      run('prlimit', '--fsize=unlimited:unlimited', '--pid', String(pid));
    },
  },
  {
    ...onFile,
    id: 'X-10',
    name: 'disk full',
    rounds: [1, 5],
    missing: whyNoDisk,
    folder: disk,
    async round(environment, _load, round) {
      await untilRefused(environment);
      resize(environment, `${24 + 8 * round}m`);
    },
  },
  {
    ...onFile,
    id: 'X-09',
    name: 'disk read-only at a start',
    rounds: [1, 5],
    missing: whyNoDisk,
    folder: disk,
    async round(environment) {
      const { node, ledger } = environment;
      resize(environment, '64m');
      await node.end('SIGKILL');
      run('mount', '-o', 'remount,ro', folderOf(environment));
      const said = await node.start().then(
        () => 'it started',
        (error: Error) => error.message,
      );
      if (!/^It ended with 1: [^\n]+ is on a file system that is read-only[^\n]+\n$/.test(said))
        ledger.wrong.push(`on a read-only disk: ${said}`);
      run('mount', '-o', 'remount,rw', folderOf(environment));
      await node.start();
    },
  },
  {
    ...onFile,
    id: 'X-11',
    name: 'another program locks the database',
    async round({ file }) {
      const other = new DatabaseSync(file, { timeout: 20_000 });
      other.exec('BEGIN EXCLUSIVE');
      await sleep(LASTS_MS);
      other.exec('ROLLBACK');
      other.close();
    },
  },
];
