import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mysql2/promise';

/** What counts, read as in README.md: shares of what bare Express does in the same run, and idle memory in MB. */
const TARGETS = { SQLite: 0.35, MariaDB: 0.15, queries: 1, idle: 130 };
const ROUNDS = 3;
const SECONDS = 3;
const WARM_UP = 2;
const CONNECTIONS = 50;

interface Result {
  requests: { average: number; total: number };
  latency: { p99: number };
  non2xx: number;
  errors: number;
}
type Autocannon = (options: { url: string; connections: number; duration: number; headers: Record<string, string> }) => Promise<Result>;
// Neither is imported by name: autocannon is installed here alone, and Node reads test/ as it stands.
const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { freePort, startPrivateServer } = (await import(path('../test/support/mysql.ts'))) as typeof import('../test/support/mysql.js');

interface Contestant {
  name: string;
  url: string;
  token: string;
  idle: number;
  child: ChildProcess;
  rounds: Result[];
  /** How many statements the database has answered since it started. */
  questions?: () => Promise<number>;
  queries: number[];
}

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
const cleanUp: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];

async function start(name: string, file: string, env: Record<string, string>, ready: string): Promise<Contestant> {
  const port = await freePort();
  const child = spawn(process.execPath, [path(file)], {
    cwd: folder, // no .env of anybody's
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  cleanUp.unshift(() => child.kill());
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await fetch(url + ready).catch(() => null))?.ok; tries++) {
    if (child.exitCode !== null || tries > 400) throw new Error(`${name} does not start`);
    await sleep(50);
  }
  await sleep(1000);
  const idle = Number(spawnSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' }).stdout) / 1024;
  return { name, url, token: '', idle, child, rounds: [], queries: [] };
}

/** The built server on a database of its own, with one user who is signed in. */
async function startServer(name: string, databaseUrl: string): Promise<Contestant> {
  const env = { DATABASE_URL: databaseUrl, APP_SECRET: randomBytes(32).toString('base64url'), BCRYPT_COST: '4', LIMITS: 'off' };
  const server = await start(name, '../dist/src/server.js', env, '/readyz');
  const body = JSON.stringify({ username: 'ada', password: 'correct horse battery', name: 'Ada Lovelace' });
  const signedUp = await fetch(`${server.url}/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (signedUp.status !== 201) throw new Error(`${name}: ${await signedUp.text()}`);
  const { accessToken } = (await signedUp.json()) as { accessToken: string };
  return { ...server, token: accessToken };
}

async function startMariaDb(): Promise<Contestant | undefined> {
  if (spawnSync('which', ['mariadbd']).status !== 0) return undefined;
  const database = await startPrivateServer();
  cleanUp.push(() => database.stop());
  const connection = await createConnection(database.url);
  cleanUp.unshift(() => connection.destroy());
  await connection.query('CREATE DATABASE bench CHARACTER SET utf8mb4');
  const server = await startServer('MariaDB', `${database.url}/bench`);
  const questions = async () => {
    const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number((rows as { Value: string }[])[0]!.Value);
  };
  return { ...server, questions };
}

async function round({ name, url, token, rounds, questions, queries }: Contestant, duration: number, counts = true): Promise<void> {
  const before = await questions?.();
  const result = await autocannon({ url: `${url}/me`, connections: CONNECTIONS, duration, headers: { authorization: `Bearer ${token}` } });
  if (result.non2xx + result.errors > 0) throw new Error(`${name}: ${result.non2xx} answers were not 200, ${result.errors} failed`);
  if (!counts) return;
  rounds.push(result);
  // Looking is a question too; answers that autocannon did not wait for are why this is not quite a whole number.
  if (questions) queries.push(((await questions()) - before! - 1) / result.requests.total);
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
const verdict = (met: boolean) => (met ? 'met' : 'missed');

const busy = loadavg()[0]! > availableParallelism() / 2;

try {
  const sqlite = await startServer('SQLite', `sqlite:${join(folder, 'bench.sqlite')}`);
  const mariadb = await startMariaDb();
  const me = await fetch(`${sqlite.url}/me`, { headers: { authorization: `Bearer ${sqlite.token}` } });
  const bare = await start('bare Express', 'bare.ts', { ANSWER: await me.text() }, '/me');
  const all = [bare, sqlite, ...(mariadb ? [mariadb] : [])];

  for (const contestant of all) await round(contestant, WARM_UP, false);
  for (let i = 0; i < ROUNDS; i++) for (const contestant of all) await round(contestant, SECONDS);

  const speed = ({ rounds }: Contestant) => median(rounds.map(({ requests }) => requests.average));
  const share = (contestant: Contestant) => speed(contestant) / speed(bare);
  console.table(
    Object.fromEntries(
      all.map((contestant) => [
        contestant.name,
        {
          'requests/s': Math.round(speed(contestant)),
          'ratio to bare': Number(share(contestant).toFixed(3)),
          'p99 ms': median(contestant.rounds.map(({ latency }) => latency.p99)),
          'idle MB': Math.round(contestant.idle),
        },
      ]),
    ),
  );
  const report = (what: string, value: number, target: string, met: boolean) =>
    console.log(`${what.padEnd(34)} ${value.toFixed(3).padStart(8)}   target ${target}: ${verdict(met)}`);
  report('SQLite, ratio to bare', share(sqlite), `>= ${TARGETS.SQLite}`, share(sqlite) >= TARGETS.SQLite);
  report('SQLite, idle MB', sqlite.idle, `< ${TARGETS.idle}`, sqlite.idle < TARGETS.idle);
  if (mariadb) {
    const queries = median(mariadb.queries);
    report('MariaDB, ratio to bare', share(mariadb), `>= ${TARGETS.MariaDB}`, share(mariadb) >= TARGETS.MariaDB);
    report('MariaDB, queries a request', queries, `${TARGETS.queries}`, Math.abs(queries - TARGETS.queries) < 0.02);
  } else console.log('MariaDB is not on this machine (mariadbd): not measured.');
  if (busy) console.log('This machine was busy before the bench began: neither met nor missed can be believed.');
} catch (error) {
  console.error('missed: the bench broke.', error);
} finally {
  for (const end of cleanUp) await end();
}
process.exit(0);
