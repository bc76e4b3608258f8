import { QueryTypes } from 'sequelize';
import type { Db } from '#models/index';

const FIND = [
  'SELECT s.user_id, s.strategy, s.device_kind, s.generation, s.rotated_at, s.acknowledged,',
  's.authenticated_at, s.last_seen_at, s.expires_at, s.ended_at, s.created_at,',
  'u.username, u.email, u.email_verified_at, u.name, u.disabled_at, r.name AS role',
  'FROM sessions s JOIN users u ON u.id = s.user_id',
  'LEFT JOIN user_roles ur ON ur.user_id = u.id LEFT JOIN roles r ON r.id = ur.role_id',
  'WHERE s.id = $1',
].join(' '); // on one line: driver and Sequelize scan it for each request

type Time = Date | string;
interface Row {
  user_id: string;
  strategy: string;
  device_kind: string | null;
  generation: number;
  rotated_at: Time | null;
  acknowledged: 0 | 1;
  authenticated_at: Time | null;
  last_seen_at: Time | null;
  created_at: Time;
  expires_at: Time;
  ended_at: Time | null;
  username: string | null;
  email: string | null;
  email_verified_at: Time | null;
  name: string | null;
  disabled_at: Time | null;
  role: string | null;
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
  lastSeenAt: Date | null;
  createdAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
}

/** The columns of its user that guards need. `roles`: their names. */
interface SessionUser {
  id: string;
  username: string | null;
  email: string | null;
  emailVerifiedAt: Date | null;
  name: string | null;
  disabledAt: Date | null;
  roles: string[];
}

export interface FoundSession {
  session: StoredSession;
  user: SessionUser;
}

const time = (value: Time | null) => (value === null ? null : new Date(value));

/**
 * A session with its user and the user's roles, as plain objects. This is the one query of every guarded request, so it
 * is written by hand: with `include`, Sequelize takes longer to compose the query than the database to answer it.
 */
export async function findSessionWithUser(db: Db, id: string): Promise<FoundSession | null> {
  const rows = await db.sequelize.query<Row>(FIND, { type: QueryTypes.SELECT, bind: [id] });
  const [row] = rows;
  if (!row) return null;
  const session = {
    id,
    userId: row.user_id,
    strategy: row.strategy,
    deviceKind: row.device_kind,
    generation: row.generation,
    rotatedAt: time(row.rotated_at),
    acknowledged: row.acknowledged === 1,
    authenticatedAt: time(row.authenticated_at),
    lastSeenAt: time(row.last_seen_at),
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    endedAt: time(row.ended_at),
  };
  const user = {
    id: row.user_id,
    username: row.username,
    email: row.email,
    emailVerifiedAt: time(row.email_verified_at),
    name: row.name,
    disabledAt: time(row.disabled_at),
    roles: rows.flatMap(({ role }) => role ?? []),
  };
  return { session, user };
}

/** `now`: milliseconds since 1970. In a query: `db.Session.live(date)`. */
export const isLive = (
  { endedAt, expiresAt }: Pick<StoredSession, 'endedAt' | 'expiresAt'>,
  now: number,
): boolean => endedAt === null && expiresAt.getTime() > now;
