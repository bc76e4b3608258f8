import { Op } from 'sequelize';
import { sharedTime } from '#models/clock';
import { Session, transaction, type User } from '#models/index';
import { findSessionWithUser } from '#models/resume';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end';
import { expiryOf } from '#src/sessions/lifetimes';
import { readRefreshToken } from '#src/sessions/refresh-tokens';

/** For how long the token before is still answered when its successor is in use already, in milliseconds: for a second tab, for a retry. */
const WINDOW = 20_000;

export type Resumed = Session & { user: User };
type Reason = 'expired' | 'revoked' | 'reused' | 'unknown';
const refused = (reason: Reason) =>
  new Problem('invalid_grant', { members: { reason, sessionStatus: reason === 'unknown' ? 'unknown' : 'ended' } });

/**
 * The session that a refresh token belongs to, in its next generation, with user and roles. Of many callers with one token
 * one begins the generation, on any number of nodes, and all get the same. A token that was spent is good for as long as its
 * successor was never used: the reply may have been lost. Spent longer ago, it was copied, and the session ends
 * (RFC 9700 §4.14.2). Throws 400 `invalid_grant`.
 */
export async function refreshSession(presented: string, device: Device): Promise<Resumed> {
  const { session, generation } = await sessionFor(presented);
  if (generation >= session.generation && (await rotate(session, generation, device))) return session;
  return successor(generation, session.id, device);
}

/** The live session that a token of ours belongs to, and the token's generation. A text that is no token asks no database. */
export async function sessionFor(presented: string): Promise<{ session: Resumed; generation: number }> {
  const token = readRefreshToken(presented);
  if (!token) throw refused('unknown');
  return { session: await liveSession(token.sessionId), generation: token.generation };
}

async function liveSession(id: string): Promise<Resumed> {
  const session = await findSessionWithUser(id);
  if (!session || session.endedAt || session.user!.disabledAt) throw refused('revoked');
  const now = new Date();
  if (!session.isLive(now.getTime()) || expiryOf(session, now) <= now) throw refused('expired'); // the second: limits were lowered
  return session as Resumed;
}

/**
 * One conditional statement: of all who come with this generation exactly one gets true. A token from the future is genuine
 * too: the database was put back to an earlier state, which is not its holder's fault.
 */
async function rotate(session: Resumed, generation: number, { ip = null, userAgent = null }: Device): Promise<boolean> {
  const now = new Date();
  const next = {
    generation: generation + 1,
    rotatedAt: sharedTime(),
    acknowledged: false,
    lastSeenAt: now,
    expiresAt: expiryOf(session, now),
    ip,
    userAgent,
  };
  const where = { id: session.id, generation: { [Op.lte]: generation }, ...Session.live(now) };
  const [changed] = await transaction(() => Session.update(next, { where })); // which tries again if an ending was in the way
  session.set(next);
  return changed === 1;
}

/** For a token that is spent already: the session as it is now, in the generation that the token led to, unless it had its time. */
export async function successor(generation: number, id: string, { ip }: Device): Promise<Resumed> {
  const session = await liveSession(id);
  if (generation >= session.generation) return session;
  const parent = generation === session.generation - 1;
  const now = sharedTime();
  if (parent && now.getTime() - (session.rotatedAt?.getTime() ?? 0) < WINDOW) return session;
  if (parent && !session.acknowledged) {
    // It goes out once more, so the window begins once more: two tabs may ask for what was lost.
    await Session.update({ rotatedAt: now }, { where: { id: session.id, generation: session.generation, acknowledged: false } });
    return session;
  }
  if ((await endSessions({ id: session.id }, 'reused')) > 0) emit('session.reused', { userId: session.userId, sessionId: session.id, ip });
  throw refused('reused');
}
