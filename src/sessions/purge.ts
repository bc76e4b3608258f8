import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { DAY_MS, lifetimes } from '#src/lifetimes';
import { purge } from '#src/platform/database/purge';

/** Deletes sessions that ended or expired long ago. Their tokens stay refused. */
export async function purgeSessions({ db, clock }: Context, stopped?: AbortSignal): Promise<void> {
  const before = clock.date(-lifetimes.endedSessionDays * DAY_MS);
  const where = { expiresAt: { [Op.lt]: before } };
  await purge((limit) => db.Session.destroy({ where, limit }), stopped);
}
