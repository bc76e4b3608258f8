import { QueryTypes, UniqueConstraintError, type Sequelize } from 'sequelize';
import { validate as isUuid, v7 as uuid } from 'uuid';
import { open } from '#models/database';
import { Role, transaction, User, UserRole } from '#models/index';
import { RoleName } from '#src/access/roles';
import { emit } from '#src/core/events';
import { hashPassword, isHash } from '#src/core/passwords';
import { email, username, type Identifier } from '#src/users/identifiers';

/** What stands in such tables, as far as it matters here. */
type Text = string | null | undefined;
type Row = Record<string, Text>;

/** What the database of a tutorial looks like. */
export interface Source {
  /** Its table of users; upper and lower case are the same. */
  users: string;
  /** Whether it has `roles` and `user_roles`. */
  roles: boolean;
  /** Whether it kept passwords as they are; they are hashed on the way. */
  plain?: boolean;
  /** Tells its ids from those of other tutorials: 0 to 15. */
  number: number;
  person(row: Row): { username?: Text; email?: Text; name?: Text };
}
export interface Line {
  who: string;
  outcome: 'imported' | 'already here' | 'refused';
  detail: string;
}

const PAGE = 500;
class DryRun extends Error {}

/**
 * Brings users, roles and who has which over from a tutorial's database, one line told for each user. Passwords stay valid. Whoever
 * is here already is left alone, so it can be run again. `rehearse` does everything and undoes it.
 */
export async function importTutorial(from: string, source: Source, tell: (line: Line) => void): Promise<void> {
  const database = open(from, { patient: true });
  try {
    const table = await tableOf(database, source.users);
    for (let last: unknown = null; ;) {
      const rows = await page(database, table, last);
      const roles = source.roles ? await rolesOf(database, rows) : new Map<string, { name: string }[]>();
      for (const row of rows)
        tell(
          await bring(
            row,
            (roles.get(String(row['id'])) ?? []).map(({ name }) => name),
            source,
          ),
        );
      if (rows.length < PAGE) return;
      last = rows.at(-1)!['id'];
    }
  } finally {
    await database.close();
  }
}

/** Says what `importTutorial` would do, and leaves everything as it was. */
export async function rehearseImport(...args: Parameters<typeof importTutorial>): Promise<void> {
  const undone = transaction(async () => {
    await importTutorial(...args);
    throw new DryRun();
  });
  await undone.catch((error: unknown) => {
    if (!(error instanceof DryRun)) throw error;
  });
}

async function tableOf(database: Sequelize, wanted: string): Promise<string> {
  const tables = (await database.getQueryInterface().showAllTables()).map(String);
  const found = tables.find((name) => name.toLowerCase() === wanted.toLowerCase());
  if (!found) throw new Error(`The database has no table ${wanted}. Is it the right one, and the right dialect?`);
  return found;
}

const select = (database: Sequelize, sql: string, bind: unknown[] = []) =>
  database.query<Row>(sql, { type: QueryTypes.SELECT, ...(bind.length > 0 && { bind }) });
const named = (name: string) => `\`${name.replaceAll('`', '``')}\``;

const page = (database: Sequelize, table: string, last: unknown) =>
  last === null
    ? select(database, `SELECT * FROM ${named(table)} ORDER BY id LIMIT ${PAGE}`)
    : select(database, `SELECT * FROM ${named(table)} WHERE id > $1 ORDER BY id LIMIT ${PAGE}`, [last]);

/** Who has which, by id. The tutorials differ in how they spell the columns. */
async function rolesOf(database: Sequelize, rows: Row[]): Promise<Map<string, { name: string }[]>> {
  const [links, roles] = [await tableOf(database, 'user_roles'), await tableOf(database, 'roles')];
  const columns = Object.keys(await database.getQueryInterface().describeTable(links));
  const column = (wanted: string) => named(columns.find((name) => name.toLowerCase().replaceAll('_', '') === wanted) ?? wanted);
  const found = await database.query<{ id: unknown; name: string }>(
    `SELECT l.${column('userid')} AS id, r.name FROM ${named(links)} l JOIN ${named(roles)} r ON r.id = l.${column('roleid')} WHERE l.${column('userid')} IN (:ids)`,
    { type: QueryTypes.SELECT, replacements: { ids: [0, ...rows.map(({ id }) => id)] } },
  );
  return Map.groupBy(found, ({ id }) => String(id));
}

/** A number becomes the end of a UUID (version 8, RFC 9562 §5.8), so that other tables of yours can follow by rule. */
function idOf(id: unknown, { number }: Source): string | null {
  if (typeof id === 'string' && isUuid(id)) return id.toLowerCase();
  if (!/^\d{1,12}$/.test(String(id))) return null;
  return `00000000-0000-8000-800${number.toString(16)}-${String(id).padStart(12, '0')}`;
}

async function bring(row: Row, roles: string[], source: Source): Promise<Line> {
  const person = source.person(row);
  const who = `${row['id']} ${person.username ?? person.email ?? ''}`.slice(0, 100);
  try {
    return { who, ...(await add(row, roles.length > 0 ? roles : ['user'], source)) };
  } catch (error) {
    if (error instanceof Refused) return { who, outcome: 'refused', detail: error.message };
    if (error instanceof UniqueConstraintError) return { who, outcome: 'refused', detail: 'somebody here has this name or address' };
    throw error;
  }
}

class Refused extends Error {}

async function add(row: Row, roles: string[], source: Source): Promise<Pick<Line, 'outcome' | 'detail'>> {
  const person = source.person(row);
  const id = idOf(row['id'], source);
  if (!id) throw new Refused('its id is neither a number of up to 12 digits nor a UUID');
  const names = { username: read(person.username, username), email: read(person.email, email) };
  if (!names.username && !names.email) throw new Refused('it has neither a username nor an e-mail address');
  const here = await User.findByPk(id);
  if (here) {
    const same = (here.usernameCanonical ?? here.emailCanonical) === (names.username ?? names.email)?.canonical;
    if (!same) throw new Refused('another user here has this id');
    return { outcome: 'already here', detail: '' };
  }
  const roleNames = [...new Set(roles.map((name) => name.toLowerCase()))].sort();
  const odd = roleNames.find((name) => !RoleName.safeParse(name).success);
  if (odd !== undefined) throw new Refused(`its role ${JSON.stringify(odd)} is no name for a role here`);
  const passwordHash = await hashOf(row['password'], source);
  const since: unknown = row['createdAt'];
  await transaction(async () => {
    await User.create({
      id,
      username: names.username?.display ?? null,
      usernameCanonical: names.username?.canonical ?? null,
      email: names.email?.display ?? null,
      emailCanonical: names.email?.canonical ?? null,
      passwordHash,
      name: person.name?.trim().slice(0, 100) || null,
      ...(since instanceof Date && { createdAt: since }),
    });
    for (const name of roleNames) {
      const [role] = await Role.findOrCreate({ where: { name }, defaults: { id: uuid(), name } });
      await UserRole.create({ userId: id, roleId: role.id });
    }
    emit('user.imported', { userId: id });
  });
  return { outcome: 'imported', detail: roleNames.join(',') };
}

function read(value: Text, as: typeof username): Identifier | null {
  if (!value) return null;
  const found = as(value);
  if ('code' in found) throw new Refused(found.message);
  return found;
}

/** A bcrypt hash stays; it is renewed when its owner signs in. */
async function hashOf(password: unknown, { plain }: Source): Promise<string> {
  if (typeof password !== 'string' || password === '') throw new Refused('it has no password');
  if (isHash(password)) return password;
  if (!plain) throw new Refused('its password is not a bcrypt hash');
  return hashPassword(password);
}
