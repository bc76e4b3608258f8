import { v7 as uuid } from 'uuid';
import type { Session, User } from '#models/index';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end-sessions';
import { expiryOf } from '#src/sessions/expiry';

/** Live sessions that a user may have. */
const MAX_SESSIONS = 10;

/** `passwordHash`: the hash that a password was compared with, if one was. */
export interface ProvenUser {
  readonly id: string;
  readonly passwordHash?: string | null | undefined;
}

/**
 * Starts a session of a user who has proved who they are by `strategy`. `check` decides on the locked row of the user
 * (id, email, emailVerifiedAt, disabledAt). If it throws, everything is undone, also what `check` has written. It may be
 * called again when the database repeats the transaction. Only the sign-in pipeline calls this.
 * @throws {Problem} 401 `invalid_credentials`, and what `check` throws
 */
export function startSession(
  ctx: Context,
  user: ProvenUser,
  device: Device,
  strategy: string,
  check: (locked: User) => Promise<void>,
): Promise<Session> {
  const { db, clock, events, settings } = ctx;
  return db.transaction(async () => {
    await check(await lockUser(ctx, user));
    const now = clock.date();
    const deviceKind = device.kind ?? null;
    const session = await db.Session.create({
      id: uuid(),
      userId: user.id,
      strategy,
      deviceKind,
      deviceName: device.name ?? null,
      devicePlatform: device.platform ?? null,
      userAgent: device.userAgent ?? null,
      ip: device.ip ?? null,
      createdAt: now,
      expiresAt: expiryOf(settings, { deviceKind, createdAt: now }, now),
    });
    const { id: sessionId } = session;
    events.emit('session.started', { userId: user.id, sessionId, strategy, ip: device.ip });
    return session;
  });
}

/** Comparing a password takes time. A user who was deleted meanwhile, or whose password was changed, is refused. */
async function lockUser({ db }: Context, { id, passwordHash }: ProvenUser): Promise<User> {
  const locked = await db.User.findOne({
    attributes: ['id', 'email', 'emailVerifiedAt', 'disabledAt'],
    where: { id, ...(passwordHash !== undefined && { passwordHash }) },
    lock: true,
  });
  if (!locked) throw new Problem('invalid_credentials');
  return locked;
}

/**
 * Ends the oldest sessions of a user who is about to get another one, so that they have ten at most. Call it while the
 * user's row is locked: then sign-ins at the same time are counted, too.
 */
export async function capSessions(ctx: Context, userId: string): Promise<void> {
  const { db, clock } = ctx;
  const tooMany = await db.Session.findAll({
    attributes: ['id'],
    where: { userId, ...db.Session.live(clock.date()) },
    order: [['id', 'DESC']],
    offset: MAX_SESSIONS - 1,
  });
  if (tooMany.length > 0) await endSessions(ctx, { id: tooMany.map(({ id }) => id) }, 'replaced');
}
