import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { purge } from '#src/platform/database/purge';

/** Deletes what has expired. */
export async function purgeTokens({ db, clock }: Context, stopped?: AbortSignal): Promise<void> {
  const where = { expiresAt: { [Op.lt]: clock.date() } };
  await purge((limit) => db.OneTimeToken.destroy({ where, limit }), stopped);
}
