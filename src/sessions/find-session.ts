import type { Db } from '#models/index';
import type { Context } from '#src/context';
import { LookUps } from '#src/platform/database/look-ups';
import {
  joinUser,
  timeOf,
  USER_COLUMNS,
  userOfRows,
  type GuardedUser,
  type Time,
  type UserRow,
} from '#src/users/user-rows';

const FIND = [
  'SELECT s.id, s.user_id, s.strategy, s.device_kind, s.generation, s.rotated_at, s.acknowledged,',
  `s.authenticated_at, s.amr, s.aal2_at, s.last_seen_at, s.expires_at, s.ended_at, s.created_at, s.actor_session_id, s.dpop_key, ${USER_COLUMNS}`,
  `FROM sessions s ${joinUser('s.user_id')} WHERE s.id IN`,
].join(' ');

interface Row extends UserRow {
  id: string;
  strategy: string;
  device_kind: string | null;
  generation: number;
  rotated_at: Time | null;
  acknowledged: 0 | 1;
  authenticated_at: Time | null;
  amr: string;
  aal2_at: Time | null;
  last_seen_at: Time | null;
  created_at: Time;
  expires_at: Time;
  ended_at: Time | null;
  actor_session_id: string | null;
  dpop_key: string | null;
}

/** The columns of a session that guards need. See `models/session` for what they mean. */
export interface StoredSession {
  id: string;
  userId: string;
  strategy: string;
  deviceKind: string | null;
  generation: number;
  rotatedAt: Date | null;
  acknowledged: boolean;
  authenticatedAt: Date | null;
  amr: string;
  aal2At: Date | null;
  lastSeenAt: Date | null;
  createdAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
  actorSessionId: string | null;
  dpopKey: string | null;
}

export interface FoundSession {
  session: StoredSession;
  user: GuardedUser;
}

/** Reads of sessions, those of one turn of the event loop together. */
export type SessionLookUps = LookUps<Row>;

export const createSessionLookUps = (db: Db): SessionLookUps =>
  new LookUps<Row>(db, { text: (list) => `${FIND} (${list})`, keyOf: ({ id }) => id });

/**
 * A session with its user and the user's roles, as plain objects, which are the caller's own. This is the one query of
 * every guarded request, so it is written by hand, and requests that arrive together share it. With `include`, Sequelize
 * takes longer to compose the query than the database to answer it.
 */
export async function findSessionWithUser(
  { sessionLookUps }: Pick<Context, 'sessionLookUps'>,
  id: string,
): Promise<FoundSession | null> {
  const [row, ...more] = await sessionLookUps.find(id);
  if (!row) return null;
  const session = {
    id,
    userId: row.user_id,
    strategy: row.strategy,
    deviceKind: row.device_kind,
    generation: row.generation,
    rotatedAt: timeOf(row.rotated_at),
    acknowledged: row.acknowledged === 1,
    authenticatedAt: timeOf(row.authenticated_at),
    amr: row.amr,
    aal2At: timeOf(row.aal2_at),
    lastSeenAt: timeOf(row.last_seen_at),
    createdAt: timeOf(row.created_at)!,
    expiresAt: timeOf(row.expires_at)!,
    endedAt: timeOf(row.ended_at),
    actorSessionId: row.actor_session_id,
    dpopKey: row.dpop_key,
  };
  return { session, user: userOfRows([row, ...more]) };
}

/** `now`: milliseconds since 1970. In a query: `db.Session.live(date)`. */
export const isLive = (
  { endedAt, expiresAt }: Pick<StoredSession, 'endedAt' | 'expiresAt'>,
  now: number,
): boolean => endedAt === null && expiresAt.getTime() > now;
