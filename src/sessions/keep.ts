import { Session } from '#models/index';
import type { Device } from '#src/sessions/device';
import { expiryOf } from '#src/sessions/lifetimes';
import { sessionFor, successor, type Resumed } from '#src/sessions/refresh';

/**
 * The session that a refresh token belongs to, without a new token: for clients that throw a new one away. The idle limit
 * begins anew. A token that somebody has spent elsewhere is treated as `refreshSession` does. Throws 400 `invalid_grant`.
 */
export async function keepSession(presented: string, device: Device): Promise<Resumed> {
  const { session, generation } = await sessionFor(presented);
  const now = new Date();
  const kept = { expiresAt: expiryOf(session, now), lastSeenAt: now };
  const [changed] = await Session.update(kept, { where: { id: session.id, generation, ...Session.live(now) } });
  // MySQL counts rows that differ: nothing to do may mean that another request wrote the same in this millisecond.
  return changed === 1 ? session.set(kept) : successor(generation, session.id, device);
}
