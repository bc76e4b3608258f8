import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createConnection, type Connection } from 'mysql2/promise';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
// Not imported by name: Node reads test/ as it stands.
const { freePort, startPrivateServer } = (await import(
  path('../test/support/mysql.ts')
)) as typeof import('../test/support/mysql.js');

export interface Running {
  name: string;
  url: string;
  child: ChildProcess;
  /** Resident set one second after the start, in MB. */
  idle: number;
  env: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const endings: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
/** Ends what was started, the last first. */
export async function endAll(): Promise<void> {
  for (const end of endings.splice(0).toReversed()) await end();
}

/** A program of ours in a process of its own; resolves one second after it answers there. */
export async function start(
  name: string,
  file: string,
  env: Record<string, string>,
  ready: string,
): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, [path(file)], {
    cwd: folder, // no .env of anybody's
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  endings.push(() => child.kill());
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await fetch(url + ready).catch(() => null))?.ok; tries++) {
    if (child.exitCode !== null || tries > 400) throw new Error(`${name} does not start`);
    await sleep(50);
  }
  await sleep(1000);
  const idle =
    Number(spawnSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' }).stdout) /
    1024;
  return { name, url, child, idle, env };
}

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
  startServer('SQLite', `sqlite:${join(folder, 'bench.sqlite')}`, env);

/** On a MariaDB of its own, with a connection to it; undefined if there is none on this machine. */
export async function onMariaDb(
  env: Record<string, string> = {},
): Promise<(Running & { connection: Connection }) | undefined> {
  if (spawnSync('which', ['mariadbd']).status !== 0) return undefined;
  const database = await startPrivateServer();
  endings.push(() => database.stop());
  const connection = await createConnection(database.url);
  endings.push(() => connection.destroy());
  await connection.query('CREATE DATABASE bench CHARACTER SET utf8mb4');
  return { ...(await startServer('MariaDB', `${database.url}/bench`, env)), connection };
}

/** The built command line on the same database. */
export function cli({ env }: Running, args: string[], input = ''): void {
  const { status, stderr } = spawnSync(process.execPath, [path('../dist/src/cli.js'), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    input,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
}

export async function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export const verdict = (met: boolean): string => (met ? 'met' : 'missed');
