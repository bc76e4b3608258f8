import { Op } from 'sequelize';
import { Session } from '#models/index';
import { Problem } from '#src/core/problem';
import { endSessions } from '#src/sessions/end';

/** Throws 404 `not_found` for a session that is not this user's, or has ended. */
export async function endSession(userId: string, id: string): Promise<void> {
  if ((await endSessions({ userId, id, ...Session.live(new Date()) }, 'signed_out')) === 0) throw new Problem('not_found');
}

/** All but this one; all, if it is none. */
export async function endOtherSessions(userId: string, current: string | undefined): Promise<void> {
  await endSessions({ userId, ...(current && { id: { [Op.ne]: current } }) }, 'signed_out');
}
