import { LRUCache } from 'lru-cache';
import { v7 as uuid } from 'uuid';
import { commits, Session, transaction, User, writes } from '#models/index';
import { findSessionWithUser } from '#models/resume';
import { config } from '#src/config';
import { mustConfirm } from '#src/core/confirmation';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end';
import { expiryOf } from '#src/sessions/lifetimes';
import { noteUse } from '#src/sessions/seen';
import type { Claims } from '#src/sessions/tokens';

/** How many sessions a user may have at once. */
const AT_ONCE = 10;

/**
 * Every way of signing in ends here, and nowhere else. `strategy` is how the user proved who they are. Their oldest session
 * gives way to an eleventh. Throws 401 `invalid_credentials`, 403 `email_unverified`.
 */
export async function startSession(user: User, device: Device, strategy: string): Promise<Session> {
  return transaction(async () => {
    // Meanwhile a password was compared: whoever is gone or disabled by now, or has another password, is not let in.
    const asTheyWere = { id: user.id, disabledAt: null, ...(user.passwordHash !== undefined && { passwordHash: user.passwordHash }) };
    const still = await User.findOne({ attributes: ['id', 'email', 'emailVerifiedAt'], where: asTheyWere, lock: true });
    if (!still) throw new Problem('invalid_credentials');
    if (mustConfirm(still)) throw new Problem('email_unverified');
    const now = new Date();
    await makeRoom(user.id, now);
    const deviceKind = device.kind ?? null;
    const session = await Session.create({
      id: uuid(),
      userId: user.id,
      strategy,
      deviceKind,
      deviceName: device.name ?? null,
      devicePlatform: device.platform ?? null,
      userAgent: device.userAgent ?? null,
      ip: device.ip ?? null,
      createdAt: now,
      expiresAt: expiryOf({ deviceKind, createdAt: now }, now),
    });
    emit('session.started', { userId: user.id, sessionId: session.id, strategy, ip: device.ip });
    return session;
  });
}

/** The user's row is locked: of many who sign in at once, none is overlooked. */
async function makeRoom(userId: string, now: Date): Promise<void> {
  const where = { userId, ...Session.live(now) };
  const tooOld = await Session.findAll({ attributes: ['id'], where, order: [['id', 'DESC']], offset: AT_ONCE - 1 });
  if (tooOld.length > 0) await endSessions({ id: tooOld.map(({ id }) => id) }, 'replaced');
}

/**
 * Every request with a token passes here, and nowhere else: the user of a live session, with roles.
 * One query, or none while what was read is known to be good. The user may be shared between requests: read it, never set it.
 * Throws 401 `session_ended` or `user_disabled`.
 */
export async function resumeSession({ sid, sub, gen }: Claims): Promise<User> {
  const session = await current(sid, gen);
  if (!session?.user || session.userId !== sub) throw new Problem('session_ended');
  if (session.user.disabledAt) throw new Problem('user_disabled');
  if (!session.isLive(Date.now())) throw new Problem('session_ended');
  await noteUse(session, gen);
  return session.user;
}

const recent = new LRUCache<string, { session: Session; at: number; until: number }>({ max: 10_000 });
const TRUST = config.SESSION_CACHE_TTL * 1000;

/**
 * What was read is good until anything is committed, which the embedded database tells of every process. Of a database
 * server we know only our own writes, so there it is good for SESSION_CACHE_TTL at most. The count is taken before reading:
 * what changes in between is seen next time. A token of a later generation shows that it was refreshed elsewhere.
 */
async function current(id: string, generation: number): Promise<Session | null> {
  const embedded = commits();
  const at = embedded ?? (TRUST > 0 ? writes() : undefined);
  if (at === undefined) return findSessionWithUser(id);
  const known = recent.get(id);
  if (known?.at === at && known.until > Date.now() && known.session.generation >= generation) return known.session;
  const session = await findSessionWithUser(id);
  if (session) recent.set(id, { session, at, until: embedded === undefined ? Date.now() + TRUST : Infinity });
  return session;
}
