import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of a server, without a database. */
    mysqlUrl: string;
  }
}

export interface PrivateServer {
  url: string;
  port: number;
  pid: number;
  /** Ends it as a power cut would, and starts it again on the same data and port. */
  kill(): Promise<void>;
  /** `more`: settings from now on, beside those that it was made with. */
  start(more?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

// A port that was free when it was chosen has to be free when it is taken, maybe much later. So none of those that the system deals out
// by itself (from 32768 on), and of the others only such as no other process of the tests looks at.
const OURS = 20_000 + (process.pid % 1000) * 12;
let looked = 0;

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });

/** A port on loopback that is free, and is given to nobody else. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = OURS + (looked++ % 12);
    if (await isFree(port)) return port;
  }
}

const user = process.getuid?.() === 0 ? ['--user=root'] : [];
const mariadb = spawnSync('which', ['mariadbd']).status === 0;

/** The files of a new server: those of `mysqld` if it is given, else MariaDB's if it is on the machine, else MySQL's. */
export function initialise(data: string, mysqld?: string): void {
  const [command, words] =
    mariadb && !mysqld
      ? [
          'mariadb-install-db',
          ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'],
        ]
      : [mysqld ?? 'mysqld', ['--initialize-insecure']];
  mkdirSync(join(data, '..', 'tmp'), { recursive: true, mode: 0o777 });
  const made = spawnSync(
    command,
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${join(data, '..', 'tmp')}`,
      ...words,
      ...user,
    ],
    {
      encoding: 'utf8',
    },
  );
  if (made.status !== 0)
    throw new Error(`${command}: ${made.error?.message ?? (made.stderr || made.stdout)}`);
}

/** A database server of our own in a temporary folder: never the data of one that is on the machine. */
export async function startPrivateServer(
  settings: string[] = [],
  mysqld?: string,
): Promise<PrivateServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-db-'));
  const data = join(folder, 'data');
  initialise(data, mysqld);
  const isMariadb = mariadb && !mysqld;
  const port = await freePort();
  const url = `mysql://root@127.0.0.1:${port}`;
  let child: ReturnType<typeof spawn>;
  const start = async (more: readonly string[] = []) => {
    child = spawn(
      isMariadb ? 'mariadbd' : (mysqld ?? 'mysqld'),
      [
        '--no-defaults',
        `--datadir=${data}`,
        `--tmpdir=${join(folder, 'tmp')}`,
        `--socket=${join(folder, 'socket')}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--pid-file=${join(folder, 'pid')}`,
        '--skip-log-bin',
        '--innodb-buffer-pool-size=64M',
        ...(isMariadb ? ['--skip-name-resolve', '--innodb-log-file-size=16M'] : ['--mysqlx=OFF']),
        '--performance-schema=OFF',
        // Worst case for names: a default that takes ADMIN, admín and admin for one.
        '--character-set-server=utf8mb4',
        '--collation-server=utf8mb4_general_ci',
        ...user,
        ...settings,
        ...more,
      ],
      { stdio: 'ignore' },
    );
    await ready(url, () => child.exitCode);
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return; // it has crashed
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  process.once('exit', () => child.kill('SIGKILL'));
  await start();
  return {
    url,
    port,
    start,
    kill,
    get pid() {
      return child.pid!;
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, exitCode: () => number | null): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const connection = await createConnection(url);
      return await connection.end();
    } catch (error) {
      if (exitCode() !== null || tries > 1200) throw error;
      await sleep(50);
    }
  }
}

// Durability is not what the shared server is for: the fault tests start one of their own that flushes.
export default async function setup({
  provide,
}: {
  provide: (key: 'mysqlUrl', value: string) => void;
}) {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return provide('mysqlUrl', /^[^/]+\/\/[^/]+/.exec(given)![0]);
  const server = await startPrivateServer(
    ['--innodb-flush-log-at-trx-commit=0', '--innodb-flush-method=nosync'],
    process.env['TEST_MYSQLD'],
  );
  provide('mysqlUrl', server.url);
  return () => server.stop();
}
