import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, type Connection } from 'mysql2/promise';
import { untilRefused, type Fault } from '#test/faults/fault';
import type { Environment } from '#test/faults/environment';

/** How long a fault lasts: longer than a statement may take (STATEMENT_TIMEOUT_MS in src/platform/database/open.ts). */
const LASTS_MS = 2500;

/** While the database is away, the process is alive and says that it is not ready. */
async function away({ ask, ledger }: Environment): Promise<void> {
  const [alive, ready] = await Promise.all([
    ledger.hear(() => ask('GET', '/livez')),
    ledger.hear(() => ask('GET', '/readyz')),
  ]);
  if (alive?.status !== 200) ledger.wrong.push(`/livez without a database: ${alive?.status}`);
  if (ready) ledger.wrong.push(`/readyz without a database: ${ready.status}`);
  await sleep(LASTS_MS);
}

/** An administrator does something for a while, in a connection of its own. */
async function meanwhile(
  environment: Environment,
  begin: readonly string[],
  end: readonly string[],
) {
  const admin = await environment.admin();
  for (const sql of begin) await admin.query(sql);
  await sleep(LASTS_MS);
  for (const sql of end) await admin.query(sql);
  await admin.end();
}

const ONE_FILE = '--innodb-data-file-path=ibdata1:12M:autoextend:max';
const onServer = { engines: ['mariadb'] } as const;

export const databaseFaults: readonly Fault[] = [
  {
    ...onServer,
    id: 'X-01',
    name: 'database refuses connections',
    async round(environment) {
      environment.proxy.set('refuse');
      await away(environment);
      environment.proxy.set('pass');
    },
  },
  {
    ...onServer,
    id: 'X-02',
    name: 'database killed',
    rounds: [2, 20],
    async round(environment) {
      await environment.database.kill();
      await away(environment);
      environment.ledger.mending();
      await environment.database.start();
    },
  },
  {
    ...onServer,
    id: 'X-03',
    name: 'database frozen (SIGSTOP)',
    async round(environment) {
      process.kill(environment.database.pid, 'SIGSTOP');
      await away(environment);
      process.kill(environment.database.pid, 'SIGCONT');
    },
  },
  {
    ...onServer,
    id: 'X-03',
    name: 'network swallows everything',
    async round(environment) {
      environment.proxy.set('hold');
      await away(environment);
      environment.proxy.reset(); // what was swallowed is gone for good
      environment.proxy.set('pass');
    },
  },
  {
    ...onServer,
    id: 'X-03',
    name: 'network resets every connection',
    async round({ proxy }) {
      for (let i = 0; i < 10; i++) {
        proxy.reset();
        await sleep(Math.random() * 50);
      }
    },
  },
  {
    ...onServer,
    id: 'X-04',
    name: 'database slow (0.1 s each way)',
    async round({ proxy }) {
      proxy.set(100);
      await sleep(LASTS_MS);
      proxy.set('pass');
    },
  },
  {
    ...onServer,
    id: 'X-04',
    name: 'database too slow (4 s each way)',
    async round(environment) {
      environment.proxy.set(4000);
      await away(environment);
      environment.proxy.reset();
      environment.proxy.set('pass');
    },
  },
  {
    ...onServer,
    id: 'X-06',
    name: 'every connection waits for a lock',
    round: (environment) =>
      meanwhile(
        environment,
        ['LOCK TABLES users WRITE, sessions WRITE, user_roles WRITE, roles WRITE'],
        ['UNLOCK TABLES'],
      ),
  },
  {
    ...onServer,
    id: 'X-07',
    name: 'somebody else locks every user',
    round: (environment) =>
      meanwhile(environment, ['BEGIN', 'SELECT * FROM users FOR UPDATE'], ['ROLLBACK']),
  },
  {
    ...onServer,
    id: 'X-08',
    name: 'database has no connection left',
    async round(environment) {
      const admin = await environment.admin();
      const before = (await environment.rows('SELECT @@max_connections AS most'))[0]!['most'];
      await admin.query('SET GLOBAL max_connections = 10');
      environment.proxy.reset();
      const idle = [];
      for (let i = 0; i < 20; i++) {
        const connection = await createConnection(environment.database.url).catch(() => undefined);
        if (connection) idle.push(connection);
      }
      await sleep(LASTS_MS);
      for (const connection of idle) connection.destroy();
      await admin.query(`SET GLOBAL max_connections = ${Number(before)}`);
      await admin.end();
    },
  },
  {
    ...onServer,
    id: 'X-09',
    name: 'database read-only',
    round: (environment) =>
      meanwhile(environment, ['SET GLOBAL read_only = ON'], ['SET GLOBAL read_only = OFF']),
  },
  {
    ...onServer,
    id: 'X-10',
    name: 'database full',
    rounds: [1, 3],
    // One file for all tables, which may not grow further.
    database: ['--innodb-file-per-table=0', `${ONE_FILE}:40M`],
    async round(environment, _load, round) {
      const admin = await environment.admin();
      await admin.query('CREATE TABLE IF NOT EXISTS filler (bytes LONGBLOB)');
      for (const size of [500_000, 50_000, 5000, 500])
        await fill(admin, `INSERT INTO filler VALUES (REPEAT('x', ${size}))`);
      await untilRefused(environment);
      admin.destroy();
      // The administrator gives it room. Without any it cannot even delete.
      await environment.database.kill();
      environment.ledger.mending();
      await environment.database.start([`${ONE_FILE}:${40 * (round + 2)}M`]);
    },
  },
];

async function fill(admin: Connection, sql: string): Promise<void> {
  for (;;) if (!(await admin.query(sql).catch(() => undefined))) return;
}
