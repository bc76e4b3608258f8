import { Op } from 'sequelize';
import type { AuditChain, AuditEntry } from '#models/index';
import { chainOf } from '#src/audit/ends';
import { CHANGES } from '#src/changes/catalogue';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { openCursor, sealCursor } from '#src/platform/http/cursor';

/** Behind an entry of the audit trail. Its hash tells this trail from one that was restored, or of another database. */
export interface Place {
  readonly seq: number;
  readonly hash: string;
}

/** The changes behind a place, and the place behind them. */
export interface Step {
  readonly rows: readonly AuditEntry[];
  readonly place: Place;
  /** There may be more behind that place. */
  readonly more: boolean;
}

/** So many changes are read at once. */
const BATCH = 500;
const LIST = ['changes'];

/** It names the time, too, so each answer has a cursor of its own. */
export const cursorAt = (ctx: Context, { seq, hash }: Place): string =>
  sealCursor(ctx, LIST, [String(seq), hash, String(ctx.clock.now())]);

/** @throws {Problem} 400 `invalid_request` for a cursor that was not made here */
export function readCursor(ctx: Context, cursor: string): Place & { at: number } {
  const [seq, hash, at] = openCursor(ctx, LIST, cursor, 'after');
  return { seq: Number(seq), hash: hash!, at: Number(at) };
}

/** Older changes concern no access token that could be good still. */
export const isOld = ({ clock, settings }: Context, at: number): boolean =>
  clock.now() - at > Math.max(settings.longestTokenSeconds, lifetimes.impersonationSeconds) * 1000;

export const endOf = ({ tipSeq, tipHash }: AuditChain): Place => ({
  seq: tipSeq,
  hash: tipHash,
});

/** True if the trail has this very entry at this place, or had it until it was removed because of its age. */
export async function isOfTrail(
  { db }: Pick<Context, 'db'>,
  chain: AuditChain,
  { seq, hash }: Place,
): Promise<boolean> {
  if (seq === chain.tipSeq) return hash === chain.tipHash;
  if (seq === chain.baseSeq) return hash === chain.baseHash;
  return (await db.AuditEntry.findOne({ where: { seq } }))?.hash === hash;
}

/** What changed behind this place, as far as it is sealed. */
export async function stepFrom(
  ctx: Pick<Context, 'db'>,
  from: Place,
  chain?: AuditChain,
): Promise<Step> {
  const end = endOf(chain ?? (await chainOf(ctx)));
  if (end.seq <= from.seq) return { rows: [], place: from, more: false };
  const rows = await ctx.db.AuditEntry.findAll({
    where: { seq: { [Op.gt]: from.seq, [Op.lte]: end.seq }, type: CHANGES },
    order: [['seq', 'ASC']],
    limit: BATCH,
  });
  const last = rows.at(-1);
  if (rows.length < BATCH || !last) return { rows, place: end, more: false };
  return { rows, place: { seq: last.seq!, hash: last.hash! }, more: true };
}
