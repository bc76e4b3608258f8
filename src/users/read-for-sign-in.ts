import { QueryTypes } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { boundDate } from '#src/platform/database/bound-date';
import type { identifierOf } from '#src/users/identifiers';
import {
  knownSessionsIn,
  NO_SESSION,
  sessionParts,
  type SessionRow,
} from '#src/users/known-sessions';
import { FROM_USERS, userOf, WITH_ROLES, type RowWithRole } from '#src/users/with-roles';

/** The user of a typed name, and what a sign-in must know besides. */
export interface ReadUser {
  /** Loaded with roles, and with `knownSessions`. Null if nobody has the name. */
  user: User | null;
}

const NOTHING = WITH_ROLES.map(() => 'NULL').join(', ');

/** The parts have one row for each role, and those of the sessions. */
const statementFor = (name: string) =>
  [
    `SELECT ${WITH_ROLES.join(', ')}, ${NO_SESSION} ${FROM_USERS}`,
    `WHERE u.${name} = $1 UNION ALL`,
    sessionParts(
      `${NOTHING}, `,
      `FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.${name} = $1`,
    ),
  ].join(' '); // on one line: driver and Sequelize scan it for each sign-in
const BY_USERNAME = statementFor('username_canonical');
const BY_EMAIL = statementFor('email_canonical');

type Row = RowWithRole & SessionRow;

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
  if (user) user.knownSessions = knownSessionsIn(rows.filter(({ id }) => id === null));
  return { user };
}
