import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { Problem } from '#src/platform/http/problem';
import { traced } from '#src/platform/traces';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end-sessions';
import { expiryOf } from '#src/sessions/expiry';
import { findSessionWithUser, isLive, type StoredSession } from '#src/sessions/find-session';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import { principalFrom, type Principal } from '#src/users/principal';

export interface LiveSession {
  session: StoredSession;
  user: Principal;
}

type Reason = 'expired' | 'revoked' | 'reused' | 'unknown' | 'key';
const refused = (reason: Reason) =>
  new Problem('invalid_grant', {
    members: {
      reason,
      sessionStatus: reason === 'unknown' || reason === 'key' ? 'unknown' : 'ended',
    },
  });

/**
 * Exchanges a refresh token: answers its session in the next generation. Of several requests with one token, on any
 * number of nodes, one starts the generation and all get the same. A replaced token stays good until its successor is
 * used, because the answer may have been lost. Used after that and after the reuse window, it was copied, and the
 * session ends (RFC 9700 §4.14.2).
 * @throws {Problem} 400 `invalid_grant`
 */
export async function refreshSession(
  ctx: Context,
  presented: string,
  device: Device,
): Promise<LiveSession> {
  try {
    const live = await traced(ctx, 'refresh', () => exchange(ctx, presented, device));
    ctx.metrics?.refreshed('succeeded');
    return live;
  } catch (error) {
    ctx.metrics?.refreshed((error instanceof Problem && error.members.reason) || 'failed');
    throw error;
  }
}

async function exchange(ctx: Context, presented: string, device: Device): Promise<LiveSession> {
  const { generation, ...live } = await sessionFor(ctx, presented, device);
  if (generation >= live.session.generation && (await rotate(ctx, live, generation, device)))
    return live;
  return successor(ctx, generation, live.session.id, device);
}

/**
 * The live session of a refresh token, and the generation of the token. A text that is no token of ours costs no query. If
 * the session is bound to a key, whoever has the token alone gets nothing, and ends nothing.
 * @throws {Problem} 400 `invalid_grant`
 */
export async function sessionFor(
  ctx: Context,
  presented: string,
  { dpopKey }: Pick<Device, 'dpopKey'>,
): Promise<LiveSession & { generation: number }> {
  const token = readRefreshToken(ctx, presented);
  if (!token) throw refused('unknown');
  const live = await liveSession(ctx, token.sessionId);
  if (live.session.dpopKey !== null && live.session.dpopKey !== dpopKey) throw refused('key');
  return { ...live, generation: token.generation };
}

async function liveSession(ctx: Context, id: string): Promise<LiveSession> {
  const { clock, settings } = ctx;
  const found = await findSessionWithUser(ctx, id);
  if (!found || found.session.endedAt || found.user.disabledAt) throw refused('revoked');
  const { session, user } = found;
  if (session.actorSessionId !== null) throw refused('revoked'); // it has no refresh token
  const now = clock.date();
  // The second condition: an operator has lowered the limits since.
  if (!isLive(session, now.getTime()) || expiryOf(settings, session, now) <= now)
    throw refused('expired');
  return { session, user: principalFrom(user, { session }) };
}

/**
 * One conditional statement: of all requests with this generation exactly one gets true. A generation that is too high
 * is genuine, too: the database was restored from a backup, and that is not the client's fault.
 */
async function rotate(
  { db, clock, settings }: Context,
  { session }: LiveSession,
  generation: number,
  { ip = null, userAgent = null }: Device,
): Promise<boolean> {
  const now = clock.date();
  const next = {
    generation: generation + 1,
    rotatedAt: now,
    acknowledged: false,
    lastSeenAt: now,
    expiresAt: expiryOf(settings, session, now),
  };
  const where = {
    id: session.id,
    generation: { [Op.lte]: generation },
    ...db.Session.live(now),
  };
  const [changed] = await db.Session.update({ ...next, ip, userAgent }, { where });
  Object.assign(session, next);
  return changed === 1;
}

/**
 * For a token that was replaced: the session as it is now, in the generation that follows the token. Ends the session
 * if the token was copied.
 * @throws {Problem} 400 `invalid_grant`
 */
export async function successor(
  ctx: Context,
  generation: number,
  id: string,
  { ip }: Device,
): Promise<LiveSession> {
  const { db, clock, events } = ctx;
  const live = await liveSession(ctx, id);
  const { session } = live;
  if (generation >= session.generation) return live;
  const isParent = generation === session.generation - 1;
  const now = clock.date();
  const rotatedMs = session.rotatedAt?.getTime() ?? 0;
  if (isParent && now.getTime() - rotatedMs < lifetimes.refreshReuseSeconds * 1000) return live;
  if (isParent && !session.acknowledged) {
    // The successor is handed out again, so the window starts again: two tabs may ask for it.
    await db.Session.update(
      { rotatedAt: now },
      { where: { id: session.id, generation: session.generation, acknowledged: false } },
    );
    return live;
  }
  await db.transaction(async () => {
    if ((await endSessions(ctx, { id: session.id }, 'reused')) > 0)
      events.emit('session.reused', { userId: session.userId, sessionId: session.id, ip });
  });
  throw refused('reused');
}
