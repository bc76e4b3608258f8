import { v7 as uuid } from 'uuid';
import type { Session, User } from '#models/index';
import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import type { Device } from '#src/sessions/device';
import { endEach } from '#src/sessions/end-sessions';
import { expiryOf } from '#src/sessions/expiry';
import { isTwoFactors, methodsOf, proofOf } from '#src/users/assurance';
import type { PrincipalSession } from '#src/users/principal';
import { MAX_SESSIONS } from '#src/users/read-for-sign-in';

/** What is checked before somebody gets a session. */
type Checked = Pick<
  User,
  'id' | 'email' | 'emailVerifiedAt' | 'passwordHash' | 'disabledAt' | 'factors'
>;

/** A user as they are now. Their row is locked. */
export interface LockedUser extends Checked {
  /** See `models/user`. */
  excessSessions?: readonly string[] | undefined;
}

/** A user as they were read, and the hash that a password was compared with. */
export type ProvenUser = Checked & Pick<User, 'turn' | 'excessSessions'>;

/** How a sign-in was proved. */
export interface SessionProof {
  strategy: string;
  /** RFC 8176. */
  amr: readonly string[];
  /** The session that the new one replaces, such as after another password. What was proved in it counts on. */
  continues?: PrincipalSession | null | undefined;
}

/**
 * Starts a session of a user who has proved who they are. `check` decides on the row of the user, whose turn it has
 * (see `LockedUser`). If it throws, everything is undone, also what `check` has written. It may be
 * called again when the database repeats the transaction. Only the sign-in pipeline calls this.
 * @throws {Problem} 401 `invalid_credentials`, and what `check` throws
 */
export function startSession(
  ctx: Context,
  user: ProvenUser,
  device: Device,
  { strategy, amr, continues }: SessionProof,
  check: (locked: LockedUser) => Promise<void>,
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
      amr: methodsOf(continues?.amr ?? [], amr),
      aal2At: isTwoFactors(amr) ? now : dateOf(continues?.aal2Time ?? null),
      deviceKind,
      deviceName: device.name ?? null,
      devicePlatform: device.platform ?? null,
      userAgent: device.userAgent ?? null,
      ip: device.ip ?? null,
      createdAt: now,
      expiresAt: expiryOf(settings, { deviceKind, createdAt: now }, now),
    });
    const { id: sessionId } = session;
    events.emit('session.started', {
      userId: user.id,
      sessionId,
      strategy,
      ip: device.ip,
      ...proofOf(session),
    });
    return session;
  });
}

const dateOf = (seconds: number | null): Date | null =>
  seconds === null ? null : new Date(Math.round(seconds * 1000));

/**
 * Comparing a password takes time. A user who was deleted meanwhile, or whose password was changed, is refused. A row that
 * is as it was read is not read again. The turn is part of that: nobody has started a session since.
 */
async function lockUser({ db }: Context, user: ProvenUser): Promise<LockedUser> {
  const { id, email, emailVerifiedAt, passwordHash, disabledAt, factors } = user;
  const { turn, excessSessions } = user;
  const checked = { id, email, emailVerifiedAt, passwordHash, disabledAt, factors };
  if (await takeTurn(db.User, { ...checked, turn })) return { ...checked, excessSessions };
  const attributes = Object.keys(checked);
  const locked =
    (await takeTurn(db.User, { id, passwordHash })) && (await db.User.findByPk(id, { attributes }));
  if (!locked) throw new Problem('invalid_credentials');
  return locked;
}

/**
 * Ends the oldest sessions of a user who is about to get another one, so that they have ten at most. Call it with the
 * turn of the user: then sign-ins at the same time are counted, too. `known`: these sessions, if they were read already.
 */
export async function capSessions(
  ctx: Context,
  userId: string,
  known?: readonly string[],
): Promise<void> {
  const tooMany = known ?? (await excessSessions(ctx, userId));
  const sessions = tooMany.map((id) => ({ id, userId }));
  await endEach(ctx, sessions, 'replaced');
}

async function excessSessions({ db, clock }: Context, userId: string): Promise<string[]> {
  const found = await db.Session.findAll({
    attributes: ['id'],
    where: { userId, ...db.Session.live(clock.date()) },
    order: [['id', 'DESC']],
    offset: MAX_SESSIONS - 1,
  });
  return found.map(({ id }) => id);
}
