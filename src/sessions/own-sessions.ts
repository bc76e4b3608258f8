import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { endSessions } from '#src/sessions/end-sessions';

/** @throws {Problem} 404 `not_found` for a session of another user, or one that has ended */
export async function endSession(ctx: Context, userId: string, id: string): Promise<void> {
  const which = { userId, id, ...ctx.db.Session.live(ctx.clock.date()) };
  if ((await endSessions(ctx, which, 'signed_out')) === 0) throw new Problem('not_found');
}

/** Ends all sessions of a user but `current`; all, if that is undefined. */
export async function endOtherSessions(
  ctx: Context,
  userId: string,
  current: string | undefined,
): Promise<void> {
  const which = { userId, ...(current && { id: { [Op.ne]: current } }) };
  await endSessions(ctx, which, 'signed_out');
}
