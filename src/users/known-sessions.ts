import { QueryTypes } from 'sequelize';
import type { KnownSessions, SessionOrigin } from '#models/user';
import type { Context } from '#src/context';
import { boundDate } from '#src/platform/database/bound-date';

/** Live sessions that a user may have. */
const MAX_SESSIONS = 10;
/** The networks and devices of a user are those of at most so many sessions, the newest first. */
export const SESSIONS_CONSIDERED = 100;

const ORIGIN = ['ip', 'device_kind', 'device_name', 'device_platform', 'user_agent'];
const listed = (names: readonly string[], before: string) =>
  names.map((name) => `${before}${name}`).join(', ');

/** An administrator who acts for the user has not signed in as the user. */
const OWN = 's.actor_id IS NULL';

/** The columns of a statement without such a part, which has them behind the others. */
export const NO_SESSION = `${listed(ORIGIN, 'NULL AS ')}, NULL AS excess`;

/**
 * Two parts of a UNION: a row for each origin of the newest sessions, and one for each session that is one too many.
 * `others`: the columns before these. `from`: FROM and WHERE of the sessions `s` of one user. $2 is the time.
 */
export const sessionParts = (others: string, from: string): string =>
  [
    `SELECT DISTINCT ${others}${listed(ORIGIN, 'recent.')}, NULL AS excess FROM`,
    `(SELECT ${listed(ORIGIN, 's.')} ${from} AND ${OWN} ORDER BY s.id DESC LIMIT ${SESSIONS_CONSIDERED}) recent`,
    `UNION ALL SELECT ${others}${ORIGIN.map(() => 'NULL').join(', ')}, excess.id FROM (SELECT s.id`,
    `${from} AND ${OWN} AND s.ended_at IS NULL AND s.expires_at > $2 ORDER BY s.id DESC`,
    `LIMIT 1000 OFFSET ${MAX_SESSIONS - 1}) excess`,
  ].join(' ');

export interface SessionRow {
  ip: string | null;
  device_kind: string | null;
  device_name: string | null;
  device_platform: string | null;
  user_agent: string | null;
  excess: string | null;
}

/** What these parts have answered. */
export const knownSessionsIn = (rows: readonly SessionRow[]): KnownSessions => ({
  origins: rows.filter(({ excess }) => excess === null).map(originOf),
  excess: rows.flatMap(({ excess }) => excess ?? []),
});

const originOf = (row: SessionRow): SessionOrigin => ({
  ip: row.ip,
  deviceKind: row.device_kind,
  deviceName: row.device_name,
  devicePlatform: row.device_platform,
  userAgent: row.user_agent,
});

const OF_USER = sessionParts('', 'FROM sessions s WHERE s.user_id = $1');

/** The same in one statement of its own, for a sign-in that has not read them. */
export async function readKnownSessions(
  { db, clock }: Pick<Context, 'db' | 'clock'>,
  userId: string,
): Promise<KnownSessions> {
  const rows = await db.sequelize.query<SessionRow>(OF_USER, {
    type: QueryTypes.SELECT,
    bind: [userId, boundDate(db.sequelize, clock.date())],
  });
  return knownSessionsIn(rows);
}
