import { createRequire } from 'node:module';
import { availableParallelism, loadavg } from 'node:os';
import { endAll, onMariaDb, onSqlite, post, start, verdict, type Running } from '#servers';
import { median } from '#statistics';

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
type Autocannon = (options: {
  url: string;
  connections: number;
  duration: number;
  headers: Record<string, string>;
}) => Promise<Result>;
// Not imported by name: it is installed here alone.
const autocannon = createRequire(import.meta.url)('autocannon') as Autocannon;

interface Contestant extends Running {
  token: string;
  rounds: Result[];
  /** How many statements the database has answered since it started. */
  questions?: () => Promise<number>;
  queries: number[];
}
const contestant = (running: Running, token = ''): Contestant => ({
  ...running,
  token,
  rounds: [],
  queries: [],
});

/** With one user who is signed in. */
async function withUser(server: Running): Promise<Contestant> {
  const signedUp = await post(`${server.url}/auth/register`, {
    username: 'ada',
    password: 'correct horse battery',
    name: 'Ada Lovelace',
  });
  if (signedUp.status !== 201) throw new Error(`${server.name}: ${await signedUp.text()}`);
  const { accessToken } = (await signedUp.json()) as { accessToken: string };
  return contestant(server, accessToken);
}

async function withQuestions(): Promise<Contestant | undefined> {
  const server = await onMariaDb();
  if (!server) return undefined;
  const questions = async () => {
    const [rows] = await server.connection.query("SHOW GLOBAL STATUS LIKE 'Questions'");
    return Number((rows as { Value: string }[])[0]!.Value);
  };
  return { ...(await withUser(server)), questions };
}

async function round(
  { name, url, token, rounds, questions, queries }: Contestant,
  duration: number,
  counts = true,
): Promise<void> {
  const before = await questions?.();
  const result = await autocannon({
    url: `${url}/me`,
    connections: CONNECTIONS,
    duration,
    headers: { authorization: `Bearer ${token}` },
  });
  if (result.non2xx + result.errors > 0)
    throw new Error(`${name}: ${result.non2xx} answers were not 200, ${result.errors} failed`);
  if (!counts) return;
  rounds.push(result);
  // Looking is a question too; answers that autocannon did not wait for are why this is not quite a whole number.
  if (questions) queries.push(((await questions()) - before! - 1) / result.requests.total);
}

const busy = loadavg()[0]! > availableParallelism() / 2;

try {
  const sqlite = await withUser(await onSqlite());
  const mariadb = await withQuestions();
  const me = await fetch(`${sqlite.url}/me`, {
    headers: { authorization: `Bearer ${sqlite.token}` },
  });
  const bare = contestant(
    await start('bare Express', 'bare.ts', { ANSWER: await me.text() }, '/me'),
  );
  const all = [bare, sqlite, ...(mariadb ? [mariadb] : [])];

  for (const each of all) await round(each, WARM_UP, false);
  for (let i = 0; i < ROUNDS; i++) for (const each of all) await round(each, SECONDS);

  const speed = ({ rounds }: Contestant) => median(rounds.map(({ requests }) => requests.average));
  const share = (each: Contestant) => speed(each) / speed(bare);
  console.table(
    Object.fromEntries(
      all.map((each) => [
        each.name,
        {
          'requests/s': Math.round(speed(each)),
          'ratio to bare': Number(share(each).toFixed(3)),
          'p99 ms': median(each.rounds.map(({ latency }) => latency.p99)),
          'idle MB': Math.round(each.idle),
        },
      ]),
    ),
  );
  const report = (what: string, value: number, target: string, met: boolean) =>
    console.log(
      `${what.padEnd(34)} ${value.toFixed(3).padStart(8)}   target ${target}: ${verdict(met)}`,
    );
  report(
    'SQLite, ratio to bare',
    share(sqlite),
    `>= ${TARGETS.SQLite}`,
    share(sqlite) >= TARGETS.SQLite,
  );
  report('SQLite, idle MB', sqlite.idle, `< ${TARGETS.idle}`, sqlite.idle < TARGETS.idle);
  if (mariadb) {
    const queries = median(mariadb.queries);
    report(
      'MariaDB, ratio to bare',
      share(mariadb),
      `>= ${TARGETS.MariaDB}`,
      share(mariadb) >= TARGETS.MariaDB,
    );
    report(
      'MariaDB, queries a request',
      queries,
      `${TARGETS.queries}`,
      Math.abs(queries - TARGETS.queries) < 0.02,
    );
  } else console.log('MariaDB is not on this machine (mariadbd): not measured.');
  if (busy)
    console.log(
      'This machine was busy before the bench began: neither met nor missed can be believed.',
    );
} catch (error) {
  console.error('missed: the bench broke.', error);
} finally {
  await endAll();
}
process.exit(0);
