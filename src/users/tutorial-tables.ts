import { BaseError, QueryTypes, type Sequelize } from 'sequelize';
import { open, reasonOf } from '#models/database';

/** What stands in such tables, as far as it matters here. */
export type Text = string | null | undefined;
export type Row = Record<string, Text>;
type Roles = Map<string, { name: Text }[]>;

/** What the database of a tutorial looks like. */
export interface Source {
  /** Its table of users; upper and lower case are the same. */
  users: string;
  /** Columns of it by which it can be told from that of another tutorial. */
  columns: string[];
  /** Whether it has `roles` and `user_roles`. */
  roles: boolean;
  /** Whether it kept passwords as they are; they are hashed on the way. */
  plain?: boolean;
  /** Tells its ids from those of other tutorials: 0 to 15. */
  number: number;
  person(row: Row): { username?: Text; email?: Text; name?: Text };
}
const PAGE = 500;

/** Everybody in a tutorial's database, in the order of their ids, with the names of their roles in small letters. Only reads. */
export async function* peopleOf(from: string, source: Source): AsyncGenerator<{ row: Row; roles: string[] }> {
  const database = open(from, { patient: true });
  try {
    const table = await reading(() => usersOf(database, source));
    for (let last: unknown = null; ;) {
      const rows = await reading(() => page(database, table, last));
      const roles: Roles = source.roles && rows.length > 0 ? await reading(() => rolesOf(database, rows)) : new Map();
      for (const row of rows) yield { row, roles: (roles.get(String(row['id'])) ?? []).map(({ name }) => (name ?? '').toLowerCase()) };
      if (rows.length < PAGE) return;
      last = rows.at(-1)!['id'];
    }
  } finally {
    await database.close();
  }
}

/** What fails over there must not be taken for our own database. */
async function reading<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (!(error instanceof BaseError)) throw error;
    throw new Error(
      `The old database cannot be read (${reasonOf(error)}). Is it running, and are user, password, database and dialect right?`,
      { cause: error },
    );
  }
}

async function usersOf(database: Sequelize, { users, columns }: Source): Promise<string> {
  const table = await tableOf(database, users);
  const there = await columnsOf(database, table);
  const missing = columns.find((column) => !there.includes(column));
  if (missing) throw new Error(`The table ${table} has no column ${missing}. Is it the right database, and the right dialect?`);
  return table;
}

async function tableOf(database: Sequelize, wanted: string): Promise<string> {
  const tables = (await database.getQueryInterface().showAllTables()).map(String);
  const found = tables.find((name) => name.toLowerCase() === wanted.toLowerCase());
  if (!found) throw new Error(`The database has no table ${wanted}. Is it the right one, and the right dialect?`);
  return found;
}

const columnsOf = async (database: Sequelize, table: string) => Object.keys(await database.getQueryInterface().describeTable(table));
const select = (database: Sequelize, sql: string, bind: unknown[] = []) =>
  database.query<Row>(sql, { type: QueryTypes.SELECT, ...(bind.length > 0 && { bind }) });
const named = (name: string) => `\`${name.replaceAll('`', '``')}\``;

const page = (database: Sequelize, table: string, last: unknown) =>
  last === null
    ? select(database, `SELECT * FROM ${named(table)} ORDER BY id LIMIT ${PAGE}`)
    : select(database, `SELECT * FROM ${named(table)} WHERE id > $1 ORDER BY id LIMIT ${PAGE}`, [last]);

/** Who has which, by id. The tutorials differ in how they spell the columns. */
async function rolesOf(database: Sequelize, rows: Row[]): Promise<Roles> {
  const [links, roles] = [await tableOf(database, 'user_roles'), await tableOf(database, 'roles')];
  const columns = await columnsOf(database, links);
  const column = (wanted: string) => named(columns.find((name) => name.toLowerCase().replaceAll('_', '') === wanted) ?? wanted);
  const found = await database.query<{ id: unknown; name: Text }>(
    `SELECT l.${column('userid')} AS id, r.name FROM ${named(links)} l JOIN ${named(roles)} r ON r.id = l.${column('roleid')} WHERE l.${column('userid')} IN (:ids)`,
    { type: QueryTypes.SELECT, replacements: { ids: rows.map(({ id }) => id) } },
  );
  return Map.groupBy(found, ({ id }) => String(id));
}
