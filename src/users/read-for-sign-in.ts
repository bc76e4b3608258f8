import { QueryTypes } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { boundDate } from '#src/platform/database/bound-date';
import type { identifierOf } from '#src/users/identifiers';
import { FROM_USERS, userOf, WITH_ROLES, type RowWithRole } from '#src/users/with-roles';

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

const NOTHING = WITH_ROLES.map(() => 'NULL').join(', ');

/** The parts have one row for each role, for each recent session, and for each session that is one too many. */
const statementFor = (name: string) =>
  [
    `SELECT ${WITH_ROLES.join(', ')}, NULL AS ip, NULL AS excess ${FROM_USERS}`,
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

interface Row extends RowWithRole {
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
  const user = userOf(db, rows);
  if (user) user.excessSessions = rows.flatMap(({ excess }) => excess ?? []);
  return { user, ips: rows.flatMap(({ ip }) => ip ?? []) };
}
