import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, QueryTypes, UniqueConstraintError, type Sequelize } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { isDatabaseUnavailable, reasonOf } from '#src/platform/database/errors';
import { openSequelize } from '#src/platform/database/open';
import type { TransactionalSequelize } from '#src/platform/database/transactional-sequelize';

/** A holder that does not beat for so long has died. */
const LEASE_MS = 30_000;
const BEAT_MS = 5000;
/** A waiting process looks again after so long, and gives up after so long. */
const LOOK_MS = 200;
const PATIENCE_MS = 60_000;

interface Held {
  holder: string;
  server: string;
  beats: number;
}

/**
 * Runs `work` while no other process migrates this database, on any node of a cluster. SQLite: in one transaction. A
 * database server commits with each change of the schema, so there is a table that is the lock: `migration_lock` with
 * one row, which is dropped at the end. `GET_LOCK` alone would bind on its own node only.
 *
 * `confirm` throws when another process took the lock over, because this one seemed dead.
 */
export async function locked<T>(
  url: string,
  database: TransactionalSequelize,
  work: (confirm: () => Promise<void>) => Promise<T>,
): Promise<T> {
  if (database.getDialect() === 'sqlite') return database.atomically(() => work(async () => {}));
  const locks = openSequelize(url, { noTimeout: true }); // beside a statement that takes long
  try {
    const holder = await acquire(locks);
    const confirm = async () => {
      if (!(await beat(locks, holder)))
        throw new Error(
          'Another process has taken over the migration. Start again when it is done.',
        );
    };
    const beating = setInterval(() => void beat(locks, holder).catch(() => {}), BEAT_MS);
    try {
      return await work(confirm);
    } finally {
      clearInterval(beating);
      await release(locks, holder).catch(() => {}); // what went wrong in `work` says more
    }
  } finally {
    await locks.close();
  }
}

/** Waits for the lock, and answers the name of its new holder. */
async function acquire(locks: Sequelize): Promise<string> {
  const server = await aloneOnServer(locks);
  const holder = uuid();
  const end = performance.now() + PATIENCE_MS;
  for (let seen = { beats: -1, holder: '', at: 0 }; performance.now() < end; await sleep(LOOK_MS)) {
    if (await insert(locks, { holder, server, beats: 0 })) return holder;
    const row = await current(locks);
    if (!row) continue;
    const now = performance.now();
    if (row.beats !== seen.beats || row.holder !== seen.holder) seen = { ...row, at: now };
    // Two processes on one server would not both have its named lock.
    const isDead = row.server === server || now - seen.at > LEASE_MS;
    if (isDead && (await takeOver(locks, row, { holder, server }))) return holder;
  }
  throw stuck();
}

const stuck = () =>
  new Error('Another process has been migrating this database for a minute. Is it stuck?');

/**
 * Waits for the named lock of this server, which a process loses when it dies, and answers the name of the server. Some
 * clusters forbid named locks: then the name is of no server.
 */
async function aloneOnServer(locks: Sequelize): Promise<string> {
  const name = `sallyport:${locks.getDatabaseName()}`.slice(0, 64);
  try {
    const [row] = await locks.query<{ got: number }>('SELECT GET_LOCK(?, 60) AS got', {
      type: QueryTypes.SELECT,
      replacements: [name],
    });
    if (row?.got !== 1) throw stuck();
  } catch (error) {
    if (!(error instanceof DatabaseError) || isDatabaseUnavailable(error)) throw error;
    return uuid();
  }
  const show = (sql: string) => locks.query<{ Value: string }>(sql, { type: QueryTypes.SELECT });
  const [galera] = await show("SHOW GLOBAL STATUS LIKE 'wsrep_gcomm_uuid'");
  const [mysql] = await show("SHOW VARIABLES LIKE 'server_uuid'");
  return (galera ?? mysql)?.Value ?? 'the only one';
}

/** False if there is a row. */
async function insert(locks: Sequelize, { holder, server, beats }: Held): Promise<boolean> {
  const sql = 'INSERT INTO migration_lock (id, holder, server, beats) VALUES (1, $1, $2, $3)';
  const add = () => locks.query(sql, { type: QueryTypes.INSERT, bind: [holder, server, beats] });
  try {
    await add().catch(async (error: unknown) => {
      if (reasonOf(error) !== 'ER_NO_SUCH_TABLE') throw error;
      await locks.query(
        'CREATE TABLE IF NOT EXISTS migration_lock (id INT PRIMARY KEY, holder CHAR(36) NOT NULL, server VARCHAR(255) NOT NULL, beats INT NOT NULL) ENGINE=InnoDB',
      );
      await add();
    });
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/** There is a row, or the holder has just dropped the table. */
const isRefused = (error: unknown) =>
  error instanceof UniqueConstraintError || reasonOf(error) === 'ER_NO_SUCH_TABLE';

async function current(locks: Sequelize): Promise<Held | undefined> {
  try {
    const rows = await locks.query<Held>('SELECT holder, server, beats FROM migration_lock', {
      type: QueryTypes.SELECT,
    });
    return rows[0];
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

const takeOver = (locks: Sequelize, dead: Held, next: Pick<Held, 'holder' | 'server'>) =>
  update(locks, 'holder = $1, server = $2, beats = 0 WHERE holder = $3 AND beats = $4', [
    next.holder,
    next.server,
    dead.holder,
    dead.beats,
  ]);

const beat = (locks: Sequelize, holder: string) =>
  update(locks, 'beats = beats + 1 WHERE holder = $1', [holder]);

async function release(locks: Sequelize, holder: string): Promise<void> {
  if (await beat(locks, holder)) await locks.query('DROP TABLE migration_lock');
}

/** True if it changed the row. */
async function update(locks: Sequelize, change: string, bind: unknown[]): Promise<boolean> {
  const how = { type: QueryTypes.UPDATE, bind } as const;
  const [, changed] = await locks.query(`UPDATE migration_lock SET ${change}`, how);
  return changed > 0;
}
