import type { Context } from '#src/context';
import type { Device } from '#src/sessions/device';
import { expiryOf } from '#src/sessions/expiry';
import { sessionFor, successor, type LiveSession } from '#src/sessions/refresh';

/**
 * The session of a refresh token, without a new token: for clients that would ignore a new one. The idle limit starts
 * again. A replaced token is treated as in `refreshSession`.
 * @throws {Problem} 400 `invalid_grant`
 */
export async function touchSession(
  ctx: Context,
  presented: string,
  device: Device,
): Promise<LiveSession> {
  const { db, clock, settings } = ctx;
  const { session, user, generation } = await sessionFor(ctx, presented, device);
  const now = clock.date();
  const touched = { expiresAt: expiryOf(settings, session, now), lastSeenAt: now };
  const [changed] = await db.Session.update(touched, {
    where: { id: session.id, generation, ...db.Session.live(now) },
  });
  // MySQL counts changed rows. Another request may have written the same values in this millisecond.
  if (changed !== 1) return successor(ctx, generation, session.id, device);
  return { session: Object.assign(session, touched), user };
}
