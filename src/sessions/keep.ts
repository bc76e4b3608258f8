import { Session } from '#models/index';
import type { Device } from '#src/sessions/device';
import { expiryOf } from '#src/sessions/lifetimes';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import { liveSession, refused, successor, type Resumed } from '#src/sessions/refresh';

/**
 * The session that a refresh token belongs to, without a new token: for clients that throw a new one away. The idle limit
 * begins anew. A token that somebody has spent elsewhere is treated as `refreshSession` does. Throws 400 `invalid_grant`.
 */
export async function keepSession(presented: string, device: Device): Promise<Resumed> {
  const token = readRefreshToken(presented);
  if (!token) throw refused('unknown');
  const session = await liveSession(token.sessionId);
  const now = new Date();
  const { generation } = token;
  const kept = { expiresAt: expiryOf(session, now), lastSeenAt: now };
  const [changed] = await Session.update(kept, { where: { id: session.id, generation, ...Session.live(now) } });
  if (changed === 1) return session.set(kept);
  // Nothing to do may also mean that another request wrote the same in this millisecond: MySQL counts rows that differ.
  const current = await liveSession(session.id);
  return current.generation === generation ? current : successor(generation, current, device);
}
