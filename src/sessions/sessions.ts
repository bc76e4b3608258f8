import { LRUCache } from 'lru-cache';
import { v7 as uuid } from 'uuid';
import { commits, Session, transaction, User } from '#models/index';
import { findSessionWithUser } from '#models/resume';
import { config } from '#src/config';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import type { Device } from '#src/sessions/device';
import type { Claims } from '#src/sessions/tokens';

/** Every way of signing in ends here, and nowhere else. `strategy` is how the user proved who they are. Throws 401 `invalid_credentials`. */
export async function startSession(user: User, device: Device, strategy: string): Promise<Session> {
  const session = await transaction(async () => {
    // Meanwhile a password was compared: whoever is gone or disabled by now is not let in.
    const still = await User.findOne({ attributes: ['id'], where: { id: user.id, disabledAt: null }, lock: true });
    if (!still) throw new Problem('invalid_credentials');
    return Session.create({
      id: uuid(),
      userId: user.id,
      strategy,
      deviceKind: device.kind ?? null,
      deviceName: device.name ?? null,
      userAgent: device.userAgent?.slice(0, 255) ?? null,
      ip: device.ip ?? null,
      expiresAt: new Date(Date.now() + config.REFRESH_ABSOLUTE * 1000),
    });
  });
  emit('session.started', { userId: user.id, sessionId: session.id, strategy, ip: device.ip });
  return session;
}

/**
 * Every request with a token passes here, and nowhere else: the user of a live session, with roles.
 * One query, or none while the embedded database has not changed. The user may be shared between requests: read it, never set it.
 * Throws 401 `session_ended` or `user_disabled`.
 */
export async function resumeSession({ sid, sub }: Claims): Promise<User> {
  const session = await current(sid);
  if (!session?.user || session.userId !== sub) throw new Problem('session_ended');
  if (session.user.disabledAt) throw new Problem('user_disabled');
  if (!session.isLive(Date.now())) throw new Problem('session_ended');
  return session.user;
}

const recent = new LRUCache<string, { session: Session; at: number }>({ max: 10_000 });

/** What was read is good until anything is committed. The count is taken before reading, so a commit in between is seen next time. */
async function current(id: string): Promise<Session | null> {
  const at = commits();
  const known = recent.get(id);
  if (known && known.at === at) return known.session;
  const session = await findSessionWithUser(id);
  if (session && at !== undefined) recent.set(id, { session, at });
  return session;
}
