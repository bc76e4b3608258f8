import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { QueryTypes, type QueryInterface } from 'sequelize';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate, rollback } from '#migrations/index';
import { dropColumn, dropIndex } from '#migrations/steps';
import { defineModels } from '#models/index';
import { openSequelize } from '#src/platform/database/open';
import { emptyDatabase, engine } from '#test/support/database';
import { rowsOf } from '#test/support/process';

const schemaOf = (url: string): QueryInterface => {
  const database = openSequelize(url, { noTimeout: true });
  onTestFinished(() => database.close());
  return database.getQueryInterface();
};
/** Undoes a migration, and before it all that came later. */
const undo = async (url: string, name: string) => {
  while (!(await rollback(url)).includes(name));
};
const tablesOf = async (schema: QueryInterface) =>
  (await schema.showAllTables())
    .map(String)
    .filter((name) => !name.startsWith('sqlite_'))
    .sort();

interface Index {
  name: string;
  unique: boolean;
  primary: boolean;
  fields: { attribute: string }[];
}
/**
 * What a database enforces: without the names that it makes up itself, without a second index on the primary key, which
 * Sequelize makes on MySQL, and without NULL in a primary key, which it does not forbid on SQLite.
 */
async function shapeOf(schema: QueryInterface, table: string) {
  const columns = Object.fromEntries(
    Object.entries(await schema.describeTable(table)).map(([name, column]) => [
      name,
      { ...column, allowNull: column.allowNull && !column.primaryKey },
    ]),
  );
  const found = (await schema.showIndex(table)) as Index[];
  const fieldsOf = (index?: Index) =>
    JSON.stringify(index?.fields.map(({ attribute }) => attribute));
  const key = fieldsOf(found.find(({ primary }) => primary));
  const indexes = found
    .filter((index) => index.primary || fieldsOf(index) !== key)
    .map(({ unique, primary, fields }) => ({
      unique,
      primary,
      fields: fields.map(({ attribute }) => attribute),
    }))
    .map((index) => JSON.stringify(index))
    .sort();
  const references = (
    (await schema.getForeignKeyReferencesForTable(table)) as Record<string, string>[]
  )
    .map(
      ({ columnName, referencedTableName, referencedColumnName }) =>
        `${columnName} → ${referencedTableName}.${referencedColumnName}`,
    )
    .sort();
  return { columns, indexes, references };
}

it('makes what the models describe: columns, indexes, references', async () => {
  const [migrated, synced] = [await emptyDatabase(), await emptyDatabase()];
  expect((await migrate(migrated)).length).toBeGreaterThan(0);
  if (engine === 'sqlite') writeFileSync(synced.slice('sqlite:'.length), '');
  const sequelize = openSequelize(synced, { noTimeout: true });
  defineModels(sequelize);
  await sequelize.sync();
  await sequelize.close();
  const [ours, theirs] = [schemaOf(migrated), schemaOf(synced)];
  const tables = await tablesOf(theirs);
  expect((await tablesOf(ours)).filter((name) => name !== 'migrations')).toEqual(tables);
  for (const table of tables)
    expect(await shapeOf(ours, table), table).toEqual(await shapeOf(theirs, table));
});

it('runs once, however many begin at once', async () => {
  const url = await emptyDatabase();
  const done = await Promise.all([1, 2, 3, 4].map(() => migrate(url)));
  expect(done.filter((names) => names.length > 0)).toHaveLength(1);
  expect(await migrate(url)).toEqual([]);
});

it('is undone without a trace, and done again', async () => {
  const url = await emptyDatabase();
  const names = await migrate(url);
  expect(await rollback(url, 'all')).toEqual(names.toReversed());
  expect(await tablesOf(schemaOf(url))).toEqual(['migrations']);
  expect(await migrate(url)).toEqual(names);
  expect(await rollback(url)).toEqual(names.slice(-1));
});

it('goes on where a crash left the outbox: without its index', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const schema = schemaOf(url);
  const before = await shapeOf(schema, 'outgoing_mails');
  await schema.sequelize.query("DELETE FROM migrations WHERE name = '0004-outbox'");
  await dropIndex(schema, 'outgoing_mails', ['due_at']);
  expect(await migrate(url)).toEqual(['0004-outbox']);
  expect(await shapeOf(schema, 'outgoing_mails')).toEqual(before);
});

it('goes on where a crash left it, whichever table was the last', async () => {
  const url = await emptyDatabase();
  const names = await migrate(url);
  const schema = schemaOf(url);
  const before = await Promise.all((await tablesOf(schema)).map((table) => shapeOf(schema, table)));
  for (const lost of ['', 'signing_keys', 'sessions', 'user_roles']) {
    await undo(url, '0002-refresh'); // it only adds to what 0001 left
    if (lost) await schema.dropTable(lost);
    await schema.sequelize.query('DELETE FROM migrations');
    await schema.sequelize.query("DELETE FROM roles WHERE name = 'moderator'");
    expect(await migrate(url)).toEqual(names);
    expect(
      await Promise.all((await tablesOf(schema)).map((table) => shapeOf(schema, table))),
      lost,
    ).toEqual(before);
    expect(await rowsOf(url, 'SELECT name FROM roles ORDER BY name')).toMatchObject([
      { name: 'admin' },
      { name: 'moderator' },
      { name: 'user' },
    ]);
  }
});

it.each<[string, (schema: QueryInterface) => Promise<void>]>([
  ['at its end', async () => {}],
  [
    'before the keys',
    async (schema) => {
      await dropIndex(schema, 'signing_keys', ['algorithm', 'sequence']);
      await dropColumn(schema, 'signing_keys', 'sequence');
    },
  ],
  [
    'amid the sessions',
    async (schema) => {
      await dropIndex(schema, 'sessions', ['expires_at']);
      await dropColumn(schema, 'sessions', 'last_seen_at');
    },
  ],
])('goes on where a crash left the second migration: %s', async (_where, lose) => {
  const url = await emptyDatabase();
  await migrate(url);
  const schema = schemaOf(url);
  const before = await Promise.all((await tablesOf(schema)).map((table) => shapeOf(schema, table)));
  await schema.sequelize.query("DELETE FROM migrations WHERE name = '0002-refresh'");
  await lose(schema);
  expect(await migrate(url)).toEqual(['0002-refresh']);
  expect(
    await Promise.all((await tablesOf(schema)).map((table) => shapeOf(schema, table))),
  ).toEqual(before);
});

it('keeps sessions and keys of 0.1.0, there and back again', async () => {
  const url = await emptyDatabase();
  const newer = (await migrate(url)).slice(1);
  await undo(url, '0002-refresh');
  const { sequelize } = schemaOf(url);
  const day = '2026-11-20 00:00:00.000';
  await sequelize.query(
    `INSERT INTO users (id, username, username_canonical, created_at, updated_at) VALUES ('u', 'ada', 'ada', '${day}', '${day}')`,
  );
  await sequelize.query(
    `INSERT INTO sessions (id, user_id, strategy, generation, expires_at, created_at, updated_at) VALUES ('s', 'u', 'local', 0, '2027-01-01 00:00:00.000', '${day}', '${day}')`,
  );
  for (const algorithm of ['ES256', 'RS256'])
    await sequelize.query(
      `INSERT INTO signing_keys (kid, algorithm, active, sealed_private_key, created_at) VALUES ('${algorithm}', '${algorithm}', 1, 'x', '${day}')`,
    );
  for (let i = 0; i < 2; i++) {
    expect(await migrate(url)).toEqual(newer);
    expect(
      await rowsOf(
        url,
        'SELECT id, generation, rotated_at, acknowledged, last_seen_at FROM sessions',
      ),
    ).toMatchObject([
      { id: 's', generation: 0, rotated_at: null, acknowledged: 1, last_seen_at: null },
    ]);
    expect(await rowsOf(url, 'SELECT kid, sequence FROM signing_keys ORDER BY kid')).toMatchObject([
      { kid: 'ES256', sequence: 0 },
      { kid: 'RS256', sequence: 0 },
    ]);
    await sequelize.query(
      `INSERT INTO signing_keys (kid, algorithm, sequence, sealed_private_key, created_at) VALUES ('next', 'ES256', 1, 'x', '${day}')`,
    );
    await undo(url, '0002-refresh');
    expect(await rowsOf(url, 'SELECT kid, active FROM signing_keys ORDER BY kid')).toMatchObject([
      { kid: 'ES256', active: null },
      { kid: 'RS256', active: 1 },
      { kid: 'next', active: 1 },
    ]);
    await sequelize.query("DELETE FROM signing_keys WHERE kid = 'next'");
    await sequelize.query('UPDATE signing_keys SET active = 1');
  }
});

it('leaves a database alone that has users of somebody else', async () => {
  const url = await emptyDatabase();
  const schema = schemaOf(url);
  await schema.sequelize.query('CREATE TABLE Users (id INTEGER PRIMARY KEY)');
  await expect(migrate(url)).rejects.toThrow('Give the server an empty database of its own.');
  expect((await tablesOf(schema)).map((name) => name.toLowerCase())).toEqual(['users']);
});

it('lets the code alone decide which names are equal', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const { sequelize } = schemaOf(url);
  const names = [
    'ada',
    'ADA',
    'adá',
    'ada ',
    'ada\u0301',
    'straße',
    'strasse',
    'ａｄａ',
    'ada\u200b',
    'ı',
    'i',
    'I',
    'İ',
    '👩‍🚀',
  ];
  for (const [i, name] of names.entries())
    await sequelize.query(
      "INSERT INTO roles (id, name, created_at) VALUES ($1, $2, '2026-01-01 00:00:00.000')",
      {
        bind: [`00000000-0000-7000-8000-${String(i).padStart(12, '0')}`, name],
      },
    );
  for (const name of names)
    expect(
      await sequelize.query('SELECT name FROM roles WHERE name = $1', {
        type: QueryTypes.SELECT,
        bind: [name],
      }),
    ).toEqual([{ name }]);
  if (engine === 'sqlite') return;
  const loose = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name <> 'migrations'
    AND collation_name IS NOT NULL AND collation_name NOT IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')`;
  expect(await rowsOf(url, loose)).toEqual([]);
});

it('keeps out rows that belong to nobody', async () => {
  const url = await emptyDatabase();
  await migrate(url);
  const { sequelize } = schemaOf(url);
  const stray = `INSERT INTO sessions (id, user_id, strategy, generation, expires_at, created_at, updated_at)
    VALUES ('s', 'nobody', 'local', 0, '2026-01-01', '2026-01-01', '2026-01-01')`;
  await expect(sequelize.query(stray)).rejects.toThrow(/foreign key/i);
});

describe.skipIf(engine === 'sqlite')('the lock of migrations', () => {
  /** A process that died while it migrated. */
  async function leaveLock(url: string, server: string) {
    const { sequelize } = schemaOf(url);
    await sequelize.query(
      'CREATE TABLE migration_lock (id INT PRIMARY KEY, holder CHAR(36) NOT NULL, server VARCHAR(255) NOT NULL, beats INT NOT NULL)',
    );
    await sequelize.query("INSERT INTO migration_lock VALUES (1, 'dead', $1, 7)", {
      bind: [server],
    });
    return sequelize;
  }

  it('is taken over at once from a process that died on the same database server', async () => {
    const url = await emptyDatabase();
    const valueOf = async (sql: string) => (await rowsOf(url, sql))[0]?.['Value'];
    const server =
      (await valueOf("SHOW GLOBAL STATUS LIKE 'wsrep_gcomm_uuid'")) ??
      (await valueOf("SHOW VARIABLES LIKE 'server_uuid'")) ??
      'the only one';
    await leaveLock(url, server as string);
    expect((await migrate(url)).length).toBeGreaterThan(0);
    expect(await tablesOf(schemaOf(url))).not.toContain('migration_lock');
  });

  it('is waited for while a process on another node beats', async () => {
    const url = await emptyDatabase();
    const sequelize = await leaveLock(url, 'another node');
    let isDone = false;
    const migrating = migrate(url).then(() => (isDone = true));
    for (let beat = 0; beat < 10; beat++) {
      await sequelize.query('UPDATE migration_lock SET beats = beats + 1');
      await sleep(100);
    }
    expect(isDone).toBe(false);
    expect(await tablesOf(schemaOf(url))).toEqual(['migration_lock']);
    await sequelize.query('DROP TABLE migration_lock');
    await migrating;
  });
});
