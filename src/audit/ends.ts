import type { AuditChain, AuditDay, AuditEntry } from '#models/index';
import { isEqual, macOfDay, macOfEnds } from '#src/audit/entry';
import { auditKeys } from '#src/audit/keys';
import type { Context } from '#src/context';
import { skipCacheInvalidation } from '#src/platform/database/commits';

type Keys = ReadonlyMap<string, Buffer>;

const EMPTY = { id: 1, baseSeq: 0, baseHash: '', tipSeq: 0, tipHash: '', keyId: '', mac: '' };

/** The two ends of the chain. Somebody may have deleted the row. */
export const chainOf = async ({ db }: Pick<Context, 'db'>): Promise<AuditChain> =>
  (await db.AuditChain.findByPk(1)) ?? db.AuditChain.build(EMPTY);

/** The last place that was given, if any is there. */
export const lastPlace = ({ db }: Pick<Context, 'db'>): Promise<number | null> =>
  db.AuditEntry.max<number | null, AuditEntry>('seq');

/** True if one of these keys made the MAC of the ends. They are empty, and have none, until something was sealed. */
export function areEndsProved(keys: Keys, chain: AuditChain): boolean {
  const { keyId, mac, tipSeq, baseSeq } = chain;
  if (mac === '') return tipSeq === 0 && baseSeq === 0;
  const key = keys.get(keyId);
  return key !== undefined && isEqual(mac, macOfEnds(key, chain));
}

export function isDayProved(keys: Keys, day: AuditDay): boolean {
  const key = keys.get(day.keyId);
  return key !== undefined && isEqual(day.mac, macOfDay(key, day));
}

/**
 * The ends of the chain, before they are moved. Whoever changed them in the database could hide by the move what they took
 * from the trail. So such a change is itself put into the trail, which goes on. Call it with the turn of the chain.
 */
export async function provedEnds(
  ctx: Context,
): Promise<{ chain: AuditChain; day: AuditDay | null }> {
  const { db } = ctx;
  const chain = await chainOf(ctx);
  const day = await db.AuditDay.findOne({ order: [['day', 'DESC']] });
  const keys = await keysFor(ctx, [chain, ...(day ? [day] : [])]);
  const isWhole = (day?.lastSeq ?? 0) === chain.tipSeq && (!day || isDayProved(keys, day));
  const isEmptied = chain.mac === '' && (await lastPlace(ctx)) !== null;
  if (isWhole && !isEmptied && areEndsProved(keys, chain)) return { chain, day };
  const seq = chain.tipSeq;
  ctx.log.error({ seq }, 'the end of the audit trail was changed by somebody else');
  ctx.events.emit('audit.unproved', { seq }, { kind: 'server' });
  if (chain.isNewRecord) await chain.save();
  chain.tipSeq = Math.max(seq, day?.lastSeq ?? 0, (await lastPlace(ctx)) ?? 0);
  return { chain, day };
}

/** The keys of these rows. Almost always it is the key of this instance. */
async function keysFor(ctx: Context, rows: readonly { keyId: string }[]): Promise<Keys> {
  const { id, key } = ctx.audit.key();
  if (rows.every(({ keyId }) => keyId === id || keyId === '')) return new Map([[id, key]]);
  return auditKeys(ctx);
}

type Moved = Partial<Pick<AuditChain, 'baseSeq' | 'baseHash' | 'tipSeq' | 'tipHash'>>;

export async function moveEnds(ctx: Context, chain: AuditChain, moved: Moved): Promise<void> {
  const { baseSeq, baseHash, tipSeq, tipHash } = chain;
  const ends = { baseSeq, baseHash, tipSeq, tipHash, ...moved };
  const { id: keyId, key } = ctx.audit.key();
  const mac = macOfEnds(key, ends);
  await ctx.db.AuditChain.update(
    { ...ends, keyId, mac },
    { where: { id: 1 }, ...skipCacheInvalidation },
  );
}
