import { sealedAfter } from '#src/audit/read';
import type { Context } from '#src/context';
import type { PublishedEvent } from '#src/webhooks/catalogue';

/** The id of the only row of `webhook_cursors`. */
export const CURSOR = '00000000-0000-0000-0000-000000000000';

/** The place of the last event in the order of all. 0 if there is none. */
export async function newestSeq({ db }: Context): Promise<number> {
  const chain = await db.AuditChain.findByPk(1, { attributes: ['tipSeq'] });
  return chain?.tipSeq ?? 0;
}

/**
 * The events behind this place, in their order, from the audit trail: there each of them was written in the transaction of
 * its cause.
 */
export async function eventsAfter(
  ctx: Context,
  seq: number,
  limit: number,
): Promise<(PublishedEvent & { seq: number })[]> {
  const entries = await sealedAfter(ctx, seq, limit);
  return entries.map(({ details, subject, sessionId, createdAt, ...entry }) => ({
    id: entry.id,
    seq: entry.seq,
    type: entry.type,
    at: createdAt,
    details: { ...details, userId: subject, sessionId },
  }));
}
