import { v7 as uuid } from 'uuid';
import type { Session, User } from '#models/index';
import type { KnownSessions } from '#models/user';
import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import type { Device } from '#src/sessions/device';
import { endEach } from '#src/sessions/end-sessions';
import { announceNewDevice, isNewDevice } from '#src/sessions/new-device';
import { expiryOf } from '#src/sessions/expiry';
import { isTwoFactors, methodsOf, proofOf } from '#src/users/assurance';
import { readKnownSessions } from '#src/users/known-sessions';
import type { PrincipalSession } from '#src/users/principal';

/** What is checked before somebody gets a session. */
type Checked = Pick<
  User,
  'id' | 'email' | 'emailVerifiedAt' | 'passwordHash' | 'disabledAt' | 'factors'
>;

/** A user as they are now. Their row is locked. */
export interface LockedUser extends Checked {
  /** See `models/user`. */
  knownSessions?: KnownSessions | undefined;
}

/** A user as they were read, and the hash that a password was compared with. */
export type ProvenUser = Checked & Pick<User, 'turn' | 'knownSessions'>;

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
    const locked = await lockUser(ctx, user);
    await check(locked);
    const { origins } = locked.knownSessions ?? (await readKnownSessions(ctx, user.id));
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
      dpopKey: device.dpopKey ?? null,
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
    if (!continues && isNewDevice(origins, session)) await announceNewDevice(ctx, session);
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
  const { turn, knownSessions } = user;
  const checked = { id, email, emailVerifiedAt, passwordHash, disabledAt, factors };
  if (await takeTurn(db.User, { ...checked, turn })) return { ...checked, knownSessions };
  const attributes = Object.keys(checked);
  const locked =
    (await takeTurn(db.User, { id, passwordHash })) && (await db.User.findByPk(id, { attributes }));
  if (!locked) throw new Problem('invalid_credentials');
  return locked;
}

/**
 * Ends the oldest sessions of a user who is about to get another one, so that they have ten at most. Those in which an
 * administrator acts for the user do not count. Call it with the turn of the user: then sign-ins at the same time are
 * counted, too. `afresh`: what was read of the sessions may have changed.
 */
export async function capSessions(
  ctx: Context,
  user: LockedUser,
  { afresh }: { afresh: boolean },
): Promise<void> {
  const known = afresh ? undefined : user.knownSessions;
  user.knownSessions = known ?? (await readKnownSessions(ctx, user.id));
  const sessions = user.knownSessions.excess.map((id) => ({ id, userId: user.id }));
  await endEach(ctx, sessions, 'replaced');
}
