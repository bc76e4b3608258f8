import { Op } from 'sequelize';
import { Session } from '#models/index';
import { pageOf } from '#src/core/listing';
import { Problem } from '#src/core/problem';
import { endSessions } from '#src/sessions/end';

interface Page {
  limit: number;
  cursor?: string | undefined;
}

/** A user's live sessions, newest first, and where the next page starts. */
export async function listSessions(userId: string, { limit, cursor }: Page) {
  const before = cursor && { id: { [Op.lt]: cursor } };
  const where = { userId, ...Session.live(new Date()), ...before };
  return pageOf(await Session.findAll({ where, order: [['id', 'DESC']], limit: limit + 1 }), limit);
}

/** Throws 404 `not_found` for a session that is not this user's, or has ended. */
export async function endSession(userId: string, id: string): Promise<void> {
  if ((await endSessions({ userId, id, ...Session.live(new Date()) }, 'signed_out')) === 0) throw new Problem('not_found');
}

/** All but this one; all, if it is none. */
export async function endOtherSessions(userId: string, current: string | undefined): Promise<void> {
  await endSessions({ userId, ...(current && { id: { [Op.ne]: current } }) }, 'signed_out');
}
