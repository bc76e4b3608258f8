import { Session } from '#models/index';
import { expiryOf } from '#src/sessions/lifetimes';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import { liveSession, refused, type Resumed } from '#src/sessions/refresh';

/**
 * The session that a refresh token belongs to, without a new token: for clients that throw a new one away. The idle limit
 * begins anew. Throws 400 `invalid_grant`.
 */
export async function keepSession(presented: string): Promise<Resumed> {
  const token = readRefreshToken(presented);
  if (!token) throw refused('unknown');
  const session = await liveSession(token.sessionId);
  const now = new Date();
  const { generation } = token;
  const kept = { expiresAt: expiryOf(session, now), lastSeenAt: now };
  const [changed] = await Session.update(kept, { where: { id: session.id, generation, ...Session.live(now) } });
  // MySQL counts rows that are different afterwards: another request may have written the same in this millisecond.
  if (changed === 0 && (await liveSession(session.id)).generation !== generation) throw refused('revoked');
  return session.set(kept);
}
