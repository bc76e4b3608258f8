import { DataTypes, QueryTypes, type QueryInterface } from 'sequelize';
import { commandName } from '#src/platform/command-name';

/** `unknown`: a newer server has run it, and this one does not know how to undo it. */
export interface MigrationStatus {
  name: string;
  status: 'done' | 'pending' | 'unknown';
}

/** What ran on a database, and what did not, oldest first. Writes nothing. */
export async function historyOf(
  schema: QueryInterface,
  known: readonly string[],
): Promise<MigrationStatus[]> {
  const done = await namesIn(schema);
  const unknown = done.filter((name) => !known.includes(name)).sort();
  return [
    ...known.map((name) => ({ name, status: done.includes(name) ? 'done' : 'pending' }) as const),
    ...unknown.map((name) => ({ name, status: 'unknown' }) as const),
  ];
}

async function namesIn(schema: QueryInterface): Promise<string[]> {
  const tables = (await schema.showAllTables()).map((name) => name.toLowerCase());
  if (!tables.includes('migrations')) {
    // The database of a tutorial, say, has a table of users, too.
    if (tables.includes('users')) throw foreign('a table `users`');
    return [];
  }
  if (!('name' in (await schema.describeTable('migrations'))))
    throw foreign('a table `migrations`');
  const rows = await schema.sequelize.query<{ name: string }>('SELECT name FROM migrations', {
    type: QueryTypes.SELECT,
  });
  return rows.map(({ name }) => name);
}

const foreign = (what: string) =>
  new Error(
    `This database has ${what} that is not ours. Give the server an empty database of its own.`,
  );

/**
 * A server that does not know a migration does not know what its tables hold: it would answer 500 where a new column is
 * required.
 * @throws {Error} a sentence with the remedy
 */
export function refuseUnknown(history: readonly MigrationStatus[]): void {
  const unknown = history.filter(({ status }) => status === 'unknown').map(({ name }) => name);
  if (unknown.length === 0) return;
  if (unknown.some((name) => !/^\d{4}[a-z]?-[\w-]+$/.test(name)))
    throw foreign('a table `migrations`');
  throw new Error(
    `This database was migrated by a newer Sallyport (${unknown.join(', ')}): start that version again, ` +
      `or undo its migrations with it first, by \`${commandName()} migrate down ${unknown[0]}\` (docs/upgrading.md).`,
  );
}

export const createHistory = (schema: QueryInterface): Promise<void> =>
  schema.createTable('migrations', { name: { type: DataTypes.STRING, primaryKey: true } });
