import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { openCursor, sealCursor, type SealedPage } from '#src/platform/http/cursor';
import { pageOf } from '#src/platform/http/listing';
import { Problem } from '#src/platform/http/problem';
import { listedSession } from '#src/sessions/schemas';

/**
 * One page of the live sessions of a user, the newest first. `current`: the id of the session of this request.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list; 404 `not_found` for an unknown user
 */
export async function listUserSessions(
  ctx: Context,
  userId: string,
  { limit, cursor }: SealedPage,
  current: string | undefined,
) {
  const { Session, User } = ctx.db;
  if ((await User.count({ where: { id: userId } })) === 0) throw new Problem('not_found');
  const list = ['sessions', userId];
  const [last] = cursor === undefined ? [] : openCursor(ctx, list, cursor);
  const live = { userId, ...Session.live(ctx.clock.date()) };
  const found = await Session.findAll({
    where: { ...live, ...(last !== undefined && { id: { [Op.lt]: last } }) },
    order: [['id', 'DESC']],
    limit: limit + 1,
  });
  const { data, nextCursor } = pageOf(found, limit);
  return {
    data: data.map((session) => listedSession(session, current)),
    nextCursor: nextCursor && sealCursor(ctx, list, [nextCursor]),
  };
}
