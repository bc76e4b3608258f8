import { Op } from 'sequelize';
import { Session } from '#models/index';
import { purge } from '#src/core/purge';

/** How long a session that has ended or expired is kept, in milliseconds: long enough to ask what happened. */
const KEPT = 30 * 24 * 3600 * 1000;
/** Forgets sessions that ended long ago. Their tokens stay refused: what is not there is not live. */
export async function purgeSessions(): Promise<void> {
  const where = { expiresAt: { [Op.lt]: new Date(Date.now() - KEPT) } };
  await purge((limit) => Session.destroy({ where, limit }));
}
