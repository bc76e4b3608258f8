import { BaseError, QueryTypes, type Sequelize } from 'sequelize';
import { reasonOf } from '#src/platform/database/errors';
import { openSequelize } from '#src/platform/database/open';
import { parseEmail } from '#src/platform/email-address';

/** A column of such tables, if it is text or missing. */
export type Text = string | null | undefined;
type Row = Record<string, Text>;
type Roles = Map<string, { name: Text }[]>;

/** How a row calls its user. */
export interface Person {
  username?: Text;
  email?: Text;
  name?: Text;
}

/** What the database of a tutorial looks like. */
export interface TutorialSource {
  /** Its table of users. Upper and lower case are the same. */
  users: string;
  /** Columns of it that tell it from the table of another tutorial. */
  columns: readonly string[];
  /** True if it has the tables `roles` and `user_roles`. */
  roles: boolean;
  /** True if it stored passwords in plain text. The import hashes them. */
  plainPasswords?: boolean;
  /** 0 to 15, different for each tutorial. It is part of the ids that numbers become. */
  number: number;
  person(row: Row): Person;
}
export interface TutorialUser {
  row: Row;
  /** Names of roles, in lower case. */
  roles: string[];
}
/** Under its new name, if there is one. A username that is the address of its own row is no username here. */
export function personOf(original: Person, renamed: string | undefined): Person {
  const person = { ...original };
  if (renamed) person[renamed.includes('@') ? 'email' : 'username'] = renamed;
  if (!person.username?.includes('@')) return person;
  const [typed, own] = [parseEmail(person.username), parseEmail(person.email || person.username)];
  const isOwn = 'canonical' in typed && 'canonical' in own && typed.canonical === own.canonical;
  return isOwn ? { ...person, username: null, email: person.email || person.username } : person;
}

const PAGE_SIZE = 500;

/** Every user in the database of a tutorial, in the order of their ids. Only reads. */
export async function* readUsers(
  url: string,
  source: TutorialSource,
): AsyncGenerator<TutorialUser> {
  const database = openSequelize(url, { noTimeout: true });
  try {
    const table = await reading(() => usersTable(database, source));
    for (let last: unknown = null; ;) {
      const rows = await reading(() => page(database, table, last));
      const roles: Roles =
        source.roles && rows.length > 0 ? await reading(() => rolesOf(database, rows)) : new Map();
      for (const row of rows) {
        const own = roles.get(String(row['id'])) ?? [];
        yield { row, roles: own.map(({ name }) => (name ?? '').toLowerCase()) };
      }
      if (rows.length < PAGE_SIZE) return;
      last = rows.at(-1)!['id'];
    }
  } finally {
    await database.close();
  }
}

/** A failure of the other database must not look like one of our own. */
async function reading<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    throw new Error(
      `The old database cannot be read (${reasonOf(error)}). ` +
        'Is it running, and are user, password, database and dialect right?',
      { cause: error },
    );
  }
}

async function usersTable(
  database: Sequelize,
  { users, columns }: TutorialSource,
): Promise<string> {
  const table = await tableOf(database, users);
  const found = await columnsOf(database, table);
  const missing = columns.find((column) => !found.includes(column));
  if (missing)
    throw new Error(
      `The table ${table} has no column ${missing}. Is it the right database, and the right dialect?`,
    );
  return table;
}

async function tableOf(database: Sequelize, wanted: string): Promise<string> {
  const tables = (await database.getQueryInterface().showAllTables()).map(String);
  const found = tables.find((name) => name.toLowerCase() === wanted.toLowerCase());
  if (!found)
    throw new Error(
      `The database has no table ${wanted}. Is it the right one, and the right dialect?`,
    );
  return found;
}

const columnsOf = async (database: Sequelize, table: string) =>
  Object.keys(await database.getQueryInterface().describeTable(table));
const select = (database: Sequelize, sql: string, bind: unknown[] = []) =>
  database.query<Row>(sql, { type: QueryTypes.SELECT, ...(bind.length > 0 && { bind }) });
const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;

const page = (database: Sequelize, table: string, last: unknown) =>
  last === null
    ? select(database, `SELECT * FROM ${quoted(table)} ORDER BY id LIMIT ${PAGE_SIZE}`)
    : select(
        database,
        `SELECT * FROM ${quoted(table)} WHERE id > $1 ORDER BY id LIMIT ${PAGE_SIZE}`,
        [last],
      );

/** The roles of these users, by user id. The tutorials spell the columns in different ways. */
async function rolesOf(database: Sequelize, rows: readonly Row[]): Promise<Roles> {
  const [links, roles] = [await tableOf(database, 'user_roles'), await tableOf(database, 'roles')];
  const columns = await columnsOf(database, links);
  const column = (wanted: string) =>
    quoted(columns.find((name) => name.toLowerCase().replaceAll('_', '') === wanted) ?? wanted);
  const found = await database.query<{ id: unknown; name: Text }>(
    `SELECT l.${column('userid')} AS id, r.name FROM ${quoted(links)} l ` +
      `JOIN ${quoted(roles)} r ON r.id = l.${column('roleid')} ` +
      `WHERE l.${column('userid')} IN (:ids)`,
    { type: QueryTypes.SELECT, replacements: { ids: rows.map(({ id }) => id) } },
  );
  return Map.groupBy(found, ({ id }) => String(id));
}
