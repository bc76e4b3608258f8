import { Op } from 'sequelize';
import { moveEnds, provedEnds } from '#src/audit/ends';
import { sealedRows } from '#src/audit/read';
import type { Context } from '#src/context';
import { DAY_MS } from '#src/lifetimes';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { purge } from '#src/platform/database/purge';
import { takeTurn } from '#src/platform/database/take-turn';

/**
 * Removes entries that are older than AUDIT_RETENTION, from the beginning of the trail. The hash of the last one that was
 * removed is kept, so that the rest can be verified.
 */
export async function purgeAudit(ctx: Context, stopped?: AbortSignal): Promise<void> {
  const { auditRetention } = ctx.settings;
  if (auditRetention === 0) return;
  const before = ctx.clock.date(-auditRetention * DAY_MS);
  await purge((limit) => removeOldest(ctx, before, limit), stopped);
}

const removeOldest = (ctx: Context, before: Date, limit: number): Promise<number> =>
  ctx.db.transaction(async () => {
    const { db } = ctx;
    await takeTurn(db.AuditChain, { id: 1 });
    const oldest = await sealedRows(ctx, 0, limit);
    const kept = oldest.findIndex(({ createdAt }) => createdAt >= before);
    const removed = kept === -1 ? oldest : oldest.slice(0, kept);
    const last = removed.at(-1);
    if (!last) return 0;
    const { chain } = await provedEnds(ctx);
    const [baseSeq, baseHash] = [last.seq!, last.hash!];
    const ids = removed.map(({ id }) => id);
    await db.AuditEntry.destroy({ where: { id: ids }, ...skipCacheInvalidation });
    await db.AuditDay.destroy({
      where: { lastSeq: { [Op.lt]: baseSeq } },
      ...skipCacheInvalidation,
    });
    await moveEnds(ctx, chain, { baseSeq, baseHash });
    return removed.length;
  });
