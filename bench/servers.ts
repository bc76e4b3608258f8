import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mysql2/promise';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
// Not imported by name: Node reads test/ as it stands.
const { startPrivateServer } = (await import(
  path('../test/support/mysql.ts')
)) as typeof import('../test/support/mysql.js');

export interface Running {
  name: string;
  url: string;
  child: ChildProcess;
  /** Resident set one second after the start, in MB. */
  idle: number;
  /** From the start of the process to its first answer, in milliseconds. */
  ready: number;
  env: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const endings: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
/** Ends what was started, the last first. */
export async function endAll(): Promise<void> {
  for (const end of endings.splice(0).toReversed()) await end();
}

/** Runs a bench and ends the process, with 0 whatever it finds. It says so if the machine had other work. */
export async function runBench(bench: () => Promise<void>): Promise<never> {
  const isBusy = loadavg()[0]! > availableParallelism() / 2;
  try {
    await bench();
    if (isBusy)
      console.log(
        'This machine was busy before the bench began: neither met nor missed can be believed.',
      );
  } catch (error) {
    console.error('missed: the bench broke.', error);
  }
  await endAll();
  process.exit(0);
}

// Whoever ends the bench ends what it started. A private database ends with its process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => void endAll().finally(() => process.exit(1)));

/** A port that the system says is free. */
const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

/** A program in a process of its own; resolves one second after it answers `ready` without a 5xx. */
export async function start(
  name: string,
  file: string,
  env: Record<string, string>,
  ready: string,
): Promise<Running> {
  const port = await freePort();
  const begin = performance.now();
  const child = spawn(process.execPath, [path(file)], {
    cwd: folder, // no .env of anybody's
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  endings.push(() => child.kill());
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2000)));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await isReady(url + ready)); tries++) {
    if (child.exitCode !== null || tries > 3000) throw new Error(`${name} does not start: ${said}`);
    await sleep(20);
  }
  const took = performance.now() - begin;
  await sleep(1000);
  const idle =
    Number(spawnSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' }).stdout) /
    1024;
  return { name, url, child, idle, ready: took, env };
}

const isReady = (url: string) =>
  fetch(url).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status < 500;
    },
    () => false,
  );

/** The built server on such a database, without limits: one address asks more than they allow. */
const startServer = (
  name: string,
  databaseUrl: string,
  env: Record<string, string>,
): Promise<Running> =>
  start(
    name,
    '../dist/src/server.js',
    {
      DATABASE_URL: databaseUrl,
      APP_SECRET: randomBytes(32).toString('base64url'),
      BCRYPT_COST: '4',
      LIMITS: 'off',
      ...env,
    },
    '/readyz',
  );

export const onSqlite = (env: Record<string, string> = {}): Promise<Running> =>
  startServer('SQLite', newFile(), env);

/** A SQLite file that is not there yet. */
export const newFile = (): string => `sqlite:${join(folder, `${randomUUID()}.sqlite`)}`;

export interface DatabaseServer {
  pid: number;
  /** The URL of an empty database. */
  create(): Promise<string>;
  /** How many statements it has answered since it started. */
  statements(): Promise<number>;
}

/** A MariaDB of its own; undefined if there is none on this machine. */
export async function startMariaDb(settings: string[] = []): Promise<DatabaseServer | undefined> {
  if (spawnSync('which', ['mariadbd']).status !== 0) return undefined;
  const server = await startPrivateServer(settings);
  const { url, pid } = server;
  endings.push(() => server.stop());
  const connection = await createConnection(url);
  endings.push(() => connection.destroy());
  let made = 0;
  return {
    pid,
    async create() {
      const name = `bench${++made}`;
      await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
      return `${url}/${name}`;
    },
    async statements() {
      const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
      return Number((rows as { Value: string }[])[0]!.Value);
    },
  };
}

/** The built server on a MariaDB of its own; undefined if there is none on this machine. */
export async function onMariaDb(env: Record<string, string> = {}): Promise<Running | undefined> {
  const database = await startMariaDb();
  return database && startServer('MariaDB', await database.create(), env);
}

/** The built command line on the same database. */
export async function cli({ env }: Running, args: string[], input = ''): Promise<void> {
  const child = spawn(process.execPath, [path('../dist/src/cli.js'), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${args.join(' ')}: ${said}`);
}

export async function post(
  url: string,
  body: object,
  headers?: Record<string, string>,
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export const verdict = (met: boolean): string => (met ? 'met' : 'missed');
