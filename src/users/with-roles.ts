import type { Db, Role, User } from '#models/index';
import { JOIN_ROLES, timeOf, type Time } from '#src/users/user-rows';

/*
 * Users with their roles. The joins are written by hand: of Sequelize's `include: ['roles']`, SQLite makes a scan of the
 * whole table `user_roles`, whoever is asked about.
 */

const USER =
  'id username username_canonical email email_canonical email_verified_at password_hash name ' +
  'locale disabled_at factors turn created_at updated_at';
const ROLE = 'id name description permissions turn created_at';
const columns = (table: string, names: string, as = '') =>
  names.split(' ').map((name) => `${table}.${name} AS ${as}${name}`);
/** All columns of both tables, for `userOf`. */
export const WITH_ROLES: readonly string[] = [
  ...columns('u', USER),
  ...columns('r', ROLE, 'role_'),
];
export const FROM_USERS = `FROM users u ${JOIN_ROLES}`;

export interface RowWithRole {
  id: string | null;
  username: string | null;
  username_canonical: string | null;
  email: string | null;
  email_canonical: string | null;
  email_verified_at: Time | null;
  password_hash: string | null;
  name: string | null;
  locale: string | null;
  disabled_at: Time | null;
  factors: number;
  turn: number;
  created_at: Time;
  updated_at: Time;
  role_id: string | null;
  role_name: string;
  role_description: string;
  role_permissions: string;
  role_turn: number;
  role_created_at: Time;
}

type Named = { id: string } | { usernameCanonical: string } | { emailCanonical: string };

const BY = (column: string) => `SELECT ${WITH_ROLES.join(', ')} ${FROM_USERS} WHERE ${column} = $1`;
const BY_ID = BY('u.id');
const BY_USERNAME = BY('u.username_canonical');
const BY_EMAIL = BY('u.email_canonical');

/** The user, loaded with roles, or null. */
export async function findWithRoles(db: Db, named: Named): Promise<User | null> {
  if ('id' in named) return userOf(db, await db.select<RowWithRole>(BY_ID, [named.id]));
  const [sql, name] =
    'usernameCanonical' in named
      ? [BY_USERNAME, named.usernameCanonical]
      : [BY_EMAIL, named.emailCanonical];
  return userOf(db, await db.select<RowWithRole>(sql, [name]));
}

const stored = { isNewRecord: false, raw: true };

/** The user whose rows these are. */
export function userOf({ User, Role }: Db, rows: readonly RowWithRole[]): User | null {
  const row = rows.find(({ id }) => id !== null);
  if (!row) return null;
  const user = User.build(
    {
      id: row.id!,
      username: row.username,
      usernameCanonical: row.username_canonical,
      email: row.email,
      emailCanonical: row.email_canonical,
      emailVerifiedAt: timeOf(row.email_verified_at),
      passwordHash: row.password_hash,
      name: row.name,
      locale: row.locale,
      disabledAt: timeOf(row.disabled_at),
      factors: row.factors,
      turn: row.turn,
      createdAt: new Date(row.created_at),
      updatedAt: new Date(row.updated_at),
    },
    stored,
  );
  user.roles = rows.flatMap(({ role_id: id, role_name: name, ...role }) =>
    id === null
      ? []
      : Role.build(
          {
            id,
            name,
            description: role.role_description,
            permissions: role.role_permissions,
            turn: role.role_turn,
            createdAt: new Date(role.role_created_at),
          },
          stored,
        ),
  );
  return user;
}

/** Gives loaded users their roles, by two statements for all. */
export async function loadRoles<T extends User>(db: Db, users: readonly T[]): Promise<T[]> {
  const links = await db.UserRole.findAll({ where: { userId: users.map(({ id }) => id) } });
  const ids = [...new Set(links.map(({ roleId }) => roleId))];
  const roles = new Map((await db.Role.findAll({ where: { id: ids } })).map((r) => [r.id, r]));
  for (const user of users)
    user.roles = links.flatMap(({ userId, roleId }): Role[] => {
      const role = userId === user.id ? roles.get(roleId) : undefined;
      return role ? [role] : [];
    });
  return [...users];
}
