import type { WhereOptions } from 'sequelize';
import type { Session } from '#models/index';
import type { Context } from '#src/context';
import type { SessionEndReason } from '#src/events';
import type { Cause } from '#src/platform/events';

/**
 * Ends these sessions for good, as far as they have not ended: their tokens are refused from the next request on.
 * Answers how many. One by one, by id: a lock on more than one row could deadlock with requests that refresh.
 */
export function endSessions(
  ctx: Context,
  which: WhereOptions<Session>,
  why: SessionEndReason,
  cause?: Cause,
): Promise<number> {
  const { db } = ctx;
  return db.transaction(async () => {
    const found = await db.Session.findAll({
      attributes: ['id', 'userId'],
      where: { ...which, endedAt: null },
    });
    return endEach(ctx, found, why, cause);
  });
}

/** The same for sessions that are known. Call it in a transaction. */
export async function endEach(
  { db, clock, events }: Context,
  sessions: readonly Pick<Session, 'id' | 'userId'>[],
  why: SessionEndReason,
  cause?: Cause,
): Promise<number> {
  let ended = 0;
  const now = clock.date();
  for (const { id, userId } of sessions) {
    const [changed] = await db.Session.update(
      { endedAt: now, expiresAt: now },
      { where: { id, endedAt: null } },
    );
    if (changed === 1) events.emit('session.ended', { userId, sessionId: id, why }, cause);
    ended += changed;
  }
  return ended;
}
