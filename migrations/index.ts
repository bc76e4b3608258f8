import { DataTypes, QueryTypes, type QueryInterface, type Sequelize } from 'sequelize';
import { openSequelize } from '#src/platform/database/open';
import type { TransactionalSequelize } from '#src/platform/database/transaction';
import { foundation } from '#migrations/0001-foundation';
import { refresh } from '#migrations/0002-refresh';
import { strategies } from '#migrations/0003-strategies';
import { outbox } from '#migrations/0004-outbox';
import { limits } from '#migrations/0005-limits';
import { reauthentication } from '#migrations/0006-reauthentication';
import { signUps } from '#migrations/0007-sign-ups';

/** Forth and back. Each step may run again after a crash. */
interface Migration {
  up: (schema: QueryInterface) => Promise<void>;
  down: (schema: QueryInterface) => Promise<void>;
}

/** The schema of record, oldest first. What was released is never changed: a correction is a new line. */
const migrations: Record<string, Migration> = {
  '0001-foundation': foundation,
  '0002-refresh': refresh,
  '0003-strategies': strategies,
  '0004-outbox': outbox,
  '0005-limits': limits,
  '0006-reauthentication': reauthentication,
  '0007-sign-ups': signUps,
};

/** Brings a database to the newest schema and answers which migrations ran. Of several nodes that start at once, one does it. */
export function migrate(url: string): Promise<string[]> {
  return alone(url, async (schema) => {
    const done = await doneIn(schema);
    const missing = Object.keys(migrations).filter((name) => !done.includes(name));
    for (const name of missing) {
      await migrations[name]!.up(schema);
      await schema.bulkInsert('migrations', [{ name }]);
    }
    return missing;
  });
}

/** Undoes migrations, newest first: the last one, or all. Their data is gone. */
export function rollback(url: string, how: 'last' | 'all' = 'last'): Promise<string[]> {
  return alone(url, async (schema) => {
    const done = (await doneIn(schema)).toReversed().slice(0, how === 'all' ? undefined : 1);
    for (const name of done) {
      await migrations[name]!.down(schema);
      await schema.bulkDelete('migrations', { name });
    }
    return done;
  });
}

/** Which migrations a database has behind it, oldest first. */
async function doneIn(schema: QueryInterface): Promise<string[]> {
  await schema.createTable('migrations', { name: { type: DataTypes.STRING, primaryKey: true } });
  const rows = await schema.sequelize.query<{ name: string }>('SELECT name FROM migrations', {
    type: QueryTypes.SELECT,
  });
  return Object.keys(migrations).filter((each) => rows.some(({ name }) => name === each));
}

async function alone(
  url: string,
  work: (schema: QueryInterface) => Promise<string[]>,
): Promise<string[]> {
  const database = openSequelize(url, { noTimeout: true });
  try {
    await refuseForeign(database);
    return await locked(database, () => work(database.getQueryInterface()));
  } finally {
    await database.close();
  }
}

/** The database of a tutorial, say, has a table of users, too. */
async function refuseForeign(database: Sequelize): Promise<void> {
  const tables = (await database.getQueryInterface().showAllTables()).map((name) =>
    name.toLowerCase(),
  );
  if (tables.includes('users') && !tables.includes('migrations'))
    throw new Error(
      'This database has a table `users` that is not ours. Give the server an empty database of its own.',
    );
}

/** SQLite: one transaction around everything. MySQL commits with each statement, so a named lock keeps others out. */
async function locked<T>(database: TransactionalSequelize, work: () => Promise<T>): Promise<T> {
  if (database.getDialect() === 'sqlite') return database.atomically(work);
  const lock = `sallyport:${database.getDatabaseName()}`.slice(0, 64);
  const [row] = await database.query<{ got: number }>('SELECT GET_LOCK(?, 60) AS got', {
    type: QueryTypes.SELECT,
    replacements: [lock],
  });
  if (row?.got !== 1)
    throw new Error('Another process has been migrating this database for a minute. Is it stuck?');
  try {
    return await work();
  } finally {
    await database.query('DO RELEASE_LOCK(?)', { replacements: [lock] });
  }
}
