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

/**
 * The same for sessions that are known. Those in which their users act for others end with them. Call it in a transaction.
 */
export async function endEach(
  ctx: Context,
  sessions: readonly Pick<Session, 'id' | 'userId'>[],
  why: SessionEndReason,
  cause?: Cause,
): Promise<number> {
  const { db, clock, events } = ctx;
  const ended: Pick<Session, 'id' | 'userId'>[] = [];
  const now = clock.date();
  for (const session of sessions) {
    const { id, userId } = session;
    const [changed] = await db.Session.update(
      { endedAt: now, expiresAt: now },
      { where: { id, endedAt: null } },
    );
    if (changed === 0) continue;
    events.emit('session.ended', { userId, sessionId: id, why }, cause);
    ended.push(session);
  }
  if (ended.length > 0) await endImpersonations(ctx, ended);
  return ended.length;
}

/** After the sessions themselves: whoever begins such a session has the turn of their own, so none is missed. */
async function endImpersonations(
  ctx: Context,
  ended: readonly Pick<Session, 'id' | 'userId'>[],
): Promise<void> {
  const actorId = [...new Set(ended.map(({ userId }) => userId))];
  const actorSessionId = ended.map(({ id }) => id);
  await endActing(ctx, { actorId, actorSessionId });
}

/** Ends sessions in which somebody acts for others, who is not who they were. Call it in a transaction. */
export async function endActing(ctx: Context, which: WhereOptions<Session>): Promise<void> {
  const { Session: Sessions } = ctx.db;
  const found = await Sessions.findAll({
    attributes: ['id', 'userId'],
    where: { ...which, ...Sessions.live(ctx.clock.date()) },
  });
  await endEach(ctx, found, 'actor_gone', { kind: 'server' });
}
