import { QueryTypes } from 'sequelize';
import { Role } from '#models/role';
import { Session } from '#models/session';
import { User } from '#models/user';

// One line: driver and Sequelize go through it letter by letter for each request.
const FIND = [
  'SELECT s.user_id, s.strategy, s.device_kind, s.generation, s.rotated_at, s.acknowledged, s.authenticated_at, s.last_seen_at, s.expires_at, s.ended_at, s.created_at,',
  'u.username, u.email, u.email_verified_at, u.name, u.disabled_at, r.id AS role_id, r.name AS role',
  'FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN user_roles ur ON ur.user_id = u.id LEFT JOIN roles r ON r.id = ur.role_id',
  'WHERE s.id = $1',
].join(' ');

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
  role_id: string | null;
  role: string | null;
}

const stored = { isNewRecord: false, raw: true };
const time = (value: Time | null) => (value === null ? null : new Date(value));

/**
 * A session with its user and the user's roles, without the columns that no guard asks for. This is the one query of every
 * guarded request, so it is written out: with `include`, Sequelize takes longer to compose it than the database to answer it.
 */
export async function findSessionWithUser(id: string): Promise<Session | null> {
  const rows = await Session.sequelize!.query<Row>(FIND, { type: QueryTypes.SELECT, bind: [id] });
  const [row] = rows;
  if (!row) return null;
  const session = Session.build(
    {
      id,
      userId: row.user_id,
      deviceKind: row.device_kind,
      generation: row.generation,
      rotatedAt: time(row.rotated_at),
      acknowledged: row.acknowledged === 1,
      authenticatedAt: time(row.authenticated_at),
      lastSeenAt: time(row.last_seen_at),
      createdAt: new Date(row.created_at),
      expiresAt: new Date(row.expires_at),
      endedAt: time(row.ended_at),
      strategy: row.strategy,
    },
    stored,
  );
  const user = User.build(
    {
      id: row.user_id,
      username: row.username,
      email: row.email,
      emailVerifiedAt: time(row.email_verified_at),
      name: row.name,
      disabledAt: time(row.disabled_at),
    },
    stored,
  );
  user.roles = rows.flatMap(({ role_id, role }) => (role_id && role ? [Role.build({ id: role_id, name: role }, stored)] : []));
  user.session = session;
  session.user = user;
  return session;
}
