import { QueryTypes } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { boundDate } from '#src/platform/database/bound-date';
import type { identifierOf } from '#src/users/identifiers';
import { timeOf, type Time } from '#src/users/user-rows';

/** Live sessions that a user may have. */
export const MAX_SESSIONS = 10;
/** The networks of a user are those of at most so many sessions, the newest first. */
export const SESSIONS_CONSIDERED = 100;

/** The user of a typed name, and what a sign-in must know besides. */
export interface ReadUser {
  /** Loaded with roles, and with `excessSessions`. Null if nobody has the name. */
  user: User | null;
  /** Addresses of the newest sessions, of which some may have ended. */
  ips: string[];
}

const USER =
  'id username username_canonical email email_canonical email_verified_at password_hash name ' +
  'disabled_at factors turn created_at updated_at';
const ROLE = 'id name description permissions turn created_at';
const columns = (table: string, names: string, as = '') =>
  names.split(' ').map((name) => `${table}.${name} AS ${as}${name}`);
const READ = [...columns('u', USER), ...columns('r', ROLE, 'role_')];
const NOTHING = READ.map(() => 'NULL').join(', ');

/** The parts have one row for each role, for each recent session, and for each session that is one too many. */
const statementFor = (name: string) =>
  [
    `SELECT ${READ.join(', ')}, NULL AS ip, NULL AS excess FROM users u`,
    'LEFT JOIN user_roles ur ON ur.user_id = u.id LEFT JOIN roles r ON r.id = ur.role_id',
    `WHERE u.${name} = $1 UNION ALL SELECT ${NOTHING}, recent.ip, NULL FROM (SELECT s.ip`,
    `FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.${name} = $1`,
    `ORDER BY s.id DESC LIMIT ${SESSIONS_CONSIDERED}) recent`,
    `UNION ALL SELECT ${NOTHING}, NULL, excess.id FROM (SELECT s.id`,
    `FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.${name} = $1`,
    `AND s.ended_at IS NULL AND s.expires_at > $2 ORDER BY s.id DESC`,
    `LIMIT 1000 OFFSET ${MAX_SESSIONS - 1}) excess`,
  ].join(' '); // on one line: driver and Sequelize scan it for each sign-in
const BY_USERNAME = statementFor('username_canonical');
const BY_EMAIL = statementFor('email_canonical');

interface Row {
  id: string | null;
  username: string | null;
  username_canonical: string | null;
  email: string | null;
  email_canonical: string | null;
  email_verified_at: Time | null;
  password_hash: string | null;
  name: string | null;
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
  ip: string | null;
  excess: string | null;
}

/**
 * Reads in one statement all that a sign-in with a password must know of its user. It is the same statement for a name
 * that nobody has.
 */
export async function readForSignIn(
  { db, clock }: Pick<Context, 'db' | 'clock'>,
  where: NonNullable<ReturnType<typeof identifierOf>>,
): Promise<ReadUser> {
  const [sql, name] =
    'usernameCanonical' in where
      ? [BY_USERNAME, where.usernameCanonical]
      : [BY_EMAIL, where.emailCanonical];
  const rows = await db.sequelize.query<Row>(sql, {
    type: QueryTypes.SELECT,
    bind: [name, boundDate(db.sequelize, clock.date())],
  });
  const user = userIn(db, rows);
  if (user) user.excessSessions = rows.flatMap(({ excess }) => excess ?? []);
  return { user, ips: rows.flatMap(({ ip }) => ip ?? []) };
}

const stored = { isNewRecord: false, raw: true };

function userIn({ User, Role }: Context['db'], rows: readonly Row[]): User | null {
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
