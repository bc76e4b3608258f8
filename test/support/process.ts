import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mysql2/promise';
import { clientOf } from '#test/support/client';
import { testSecret } from '#test/support/secret';
import { whenTestDone } from '#test/support/when-done';

export const root = fileURLToPath(new URL('../../', import.meta.url));

type Env = Record<string, string | undefined>;
interface How {
  args?: string[];
  /** What it reads on standard input. */
  input?: string;
  cwd?: string;
  /** The folder whose program it is, if it is not this repository. */
  from?: string;
  /** The file of the program, if it is not src/server.ts or src/cli.ts. */
  file?: string;
  /** Options of Node itself. */
  node?: string[];
  /** A shell line that runs before, in the same process: `ulimit -f 100`. */
  before?: string;
  /** Gives it a terminal of its own, which `script` of util-linux makes. What it writes is all in `heard.stdout`. */
  terminal?: boolean;
}
interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
}

/** Settings for a process of its own over this database: nothing of the test's own environment gets through. */
export const settingsFor = (databaseUrl: string, more: Env = {}): Env => ({
  DATABASE_URL: databaseUrl,
  APP_SECRET: testSecret(),
  PORT: '0',
  BCRYPT_COST: '4',
  LOG_LEVEL: 'silent',
  DIALECTS: 'none',
  LIMITS: 'off', // see startApp
  DATABASE_WAIT: '0',
  ...more,
});

export const emptyFolder = () => mkdtempSync(join(process.cwd(), 'run-'));

const living = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

function commandOf(program: string, { args = [], from = root, node = [], ...how }: How): string[] {
  const { file = join(from, 'src', `${program}.ts`), before, terminal } = how;
  const command = [process.execPath, ...node, file, ...args];
  if (before) return ['sh', '-c', `${before}; exec "$@"`, 'sh', ...command];
  if (!terminal) return command;
  const quoted = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`);
  return ['script', '-qec', `exec ${quoted.join(' ')}`, '/dev/null'];
}

function begin(program: 'server' | 'cli', env: Env, how: How) {
  const { input, cwd = emptyFolder(), terminal = false } = how;
  const start = performance.now();
  const [command, ...args] = commandOf(program, how);
  const child = spawn(command!, args, {
    cwd,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ...env,
    },
  });
  const heard = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      heard[name] += text;
    });
  child.stdin.on('error', () => {});
  if (!terminal) child.stdin.end(input); // its end would be typed, too
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) =>
      resolve({ code, signal, ...heard, ms: performance.now() - start }),
    );
  });
  living.add(child);
  void ended.then(() => living.delete(child));
  return { child, heard, ended };
}

/** Runs a program to its end. */
export const runProcess = (program: 'server' | 'cli', env: Env, how: How = {}): Promise<Ended> =>
  begin(program, env, how).ended;

/** The server in a process of its own; resolves at its start line. It is killed when the test is over. */
export async function startProcess(env: Env, how: How = {}) {
  const cwd = how.cwd ?? emptyFolder();
  const { child, heard, ended } = begin('server', env, { ...how, cwd });
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    child.kill(signal);
    return ended;
  };
  whenTestDone(() => kill());
  const banner = await new Promise<string>((resolve, reject) => {
    const channel = how.terminal ? 'stdout' : 'stderr';
    child[channel].on('data', () => {
      const line = /^ *Sallyport is (ready )?at .*$/m.exec(heard[channel]);
      if (line) resolve(line[0]);
    });
    void ended.then(({ code, ...said }) =>
      reject(new Error(`It ended with ${code}: ${said[channel]}`)),
    );
  });
  const url = /http:\S+/.exec(banner)![0];
  const type = (keys: string) => child.stdin.write(keys);
  const stopReading = () => child.stdout.pause();
  return {
    url,
    banner,
    cwd,
    type,
    stopReading,
    pid: child.pid!,
    heard,
    ended,
    kill,
    ask: clientOf(url),
  };
}
export type Running = Awaited<ReturnType<typeof startProcess>>;

/** Asks a database past the server. */
export async function rowsOf(databaseUrl: string, sql: string): Promise<Record<string, unknown>[]> {
  if (databaseUrl.startsWith('sqlite:')) {
    const database = new DatabaseSync(databaseUrl.slice('sqlite:'.length), { timeout: 20_000 });
    try {
      return database.prepare(sql).all();
    } finally {
      database.close();
    }
  }
  const connection = await createConnection(databaseUrl);
  try {
    return (await connection.query(sql))[0] as Record<string, unknown>[];
  } finally {
    await connection.end();
  }
}
