import { Op } from 'sequelize';
import type { AuditChain, AuditDay, AuditEntry } from '#models/index';
import { areEndsProved, chainOf, isDayProved, lastPlace } from '#src/audit/ends';
import { hashOf, isEqual, macOf } from '#src/audit/entry';
import { auditKeys } from '#src/audit/keys';
import { sealedRows } from '#src/audit/read';
import type { AuditVerification, FoundFault } from '#src/audit/verification';
import type { Context } from '#src/context';
import { openCursor, sealCursor } from '#src/platform/http/cursor';

const PAGE = 500;
const MOST_FAULTS = 100;
/** One request looks at so many entries at most. */
const MOST_AT_ONCE = 10_000;
const PARTS = ['audit verification'];

/** Looks at the whole trail, a page at a time. */
export async function verifyAudit(ctx: Context): Promise<AuditVerification> {
  const run = await Verification.begin(ctx);
  while (await run.nextPage());
  await run.finish();
  return run.result();
}

/**
 * The same for a part of the trail, behind the part before. The last one has no `nextCursor`, and looks behind the end, too.
 * What says how long the trail must be is proved with each.
 * @throws {Problem} 400 `invalid_request` for what is no cursor of this
 */
export async function verifyPart(
  ctx: Context,
  cursor?: string,
  most = MOST_AT_ONCE,
): Promise<AuditVerification & { nextCursor: string | null }> {
  const [seq, hash] = cursor === undefined ? [] : openCursor(ctx, PARTS, cursor);
  const run = await Verification.begin(ctx, seq && { seq: Number(seq), hash: hash! });
  let isMore = true;
  for (let read = 0; isMore && read < most; read += PAGE) isMore = await run.nextPage();
  if (!isMore) await run.finish();
  const { lastSeq, lastHash, ...found } = run.result();
  const nextCursor = isMore ? sealCursor(ctx, PARTS, [String(lastSeq), lastHash]) : null;
  return { ...found, lastSeq, lastHash, nextCursor };
}

/** Up to where the trail was looked at before. */
interface Place {
  seq: number;
  hash: string;
}

class Verification {
  readonly #ctx: Context;
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #days: readonly AuditDay[];
  readonly #chain: AuditChain;
  readonly #faults: FoundFault[] = [];
  #entries = 0;
  #seq: number;
  /** Undefined behind what is missing. */
  #hash: string | undefined;
  #lastHash = '';
  readonly #behind: number;
  #day = 0;

  static async begin(ctx: Context, at?: Place | ''): Promise<Verification> {
    const days = await ctx.db.AuditDay.findAll({ order: ['day'] }); // first: the end may move meanwhile
    const chain = await chainOf(ctx);
    return new Verification(ctx, await auditKeys(ctx), days, chain, at || undefined);
  }

  private constructor(
    ctx: Context,
    keys: ReadonlyMap<string, Buffer>,
    days: readonly AuditDay[],
    chain: AuditChain,
    at?: Place,
  ) {
    [this.#ctx, this.#keys, this.#days, this.#chain] = [ctx, keys, days, chain];
    const { seq, hash } = at ?? { seq: chain.baseSeq, hash: chain.baseHash };
    [this.#seq, this.#hash, this.#lastHash, this.#behind] = [seq, hash, hash, seq];
    this.#day = at ? days.filter(({ lastSeq }) => lastSeq <= seq).length : 0;
    if (!areEndsProved(keys, chain)) this.#add({ fault: 'ends_changed', seq: chain.tipSeq });
    for (const [i, day] of days.entries())
      if (!this.#isDayWhole(day, days[i - 1])) this.#addDay(day);
  }

  /** The count of the first day goes back to before what was removed because of its age. */
  #isDayWhole(day: AuditDay, before: AuditDay | undefined): boolean {
    const isCounted = !before || day.lastSeq - before.lastSeq === day.entries;
    return isCounted && isDayProved(this.#keys, day);
  }

  /** Answers false at the end. */
  async nextPage(): Promise<boolean> {
    const rows = (await sealedRows(this.#ctx, this.#seq, PAGE)).filter(
      ({ seq }) => seq! <= this.#chain.tipSeq,
    );
    for (const row of rows) await this.#look(row);
    return rows.length === PAGE && this.#faults.length < MOST_FAULTS;
  }

  async #look(row: AuditEntry): Promise<void> {
    const seq = row.seq!;
    await this.#noteMissing(seq);
    if (this.#check(row) && !this.#isLinked(row)) this.#add({ fault: 'moved', seq, id: row.id });
    [this.#seq, this.#hash, this.#lastHash] = [seq, row.hash ?? '', row.hash ?? ''];
    this.#checkDay();
  }

  /** What lies between the last place and this one is missing, unless it was removed meanwhile because of its age. */
  async #noteMissing(seq: number): Promise<void> {
    if (seq === this.#seq + 1) return;
    const { baseSeq, baseHash } = await chainOf(this.#ctx);
    if (baseSeq > this.#seq) [this.#seq, this.#hash] = [baseSeq, baseHash];
    if (seq <= this.#seq + 1) return;
    this.#add({ fault: 'missing', seq: this.#seq + 1, to: seq - 1 });
    this.#hash = undefined;
  }

  #isLinked(row: AuditEntry): boolean {
    if (this.#hash === undefined) return true; // what it was linked to is missing
    return isEqual(row.hash ?? '', hashOf(this.#hash, { ...fieldsOf(row), seq: row.seq! }));
  }

  /** What the entry proves by itself. Answers whether its place is worth a look. */
  #check(row: AuditEntry): boolean {
    this.#entries++;
    const key = this.#keys.get(row.keyId);
    const isRight = key !== undefined && isEqual(row.mac, macOf(key, fieldsOf(row)));
    if (isRight && row.type === 'audit.unproved')
      this.#add({ fault: 'unproved', seq: row.seq, id: row.id });
    if (isRight) return true;
    this.#add({ fault: key ? 'changed' : 'unknown_key', seq: row.seq, id: row.id });
    return !key;
  }

  /** At the last place of a day: the hash must be the one that its row has. */
  #checkDay(): void {
    while (this.#day < this.#days.length && this.#days[this.#day]!.lastSeq <= this.#seq) {
      const day = this.#days[this.#day++]!;
      if (day.lastSeq === this.#seq && !isEqual(day.lastHash, this.#hash ?? '')) this.#addDay(day);
    }
  }

  async finish(): Promise<void> {
    if (this.#faults.length >= MOST_FAULTS) return;
    const { tipSeq, tipHash } = this.#chain;
    if (this.#seq < tipSeq) await this.#noteMissing(tipSeq + 1);
    else if (!isEqual(tipHash, this.#hash ?? '')) this.#add({ fault: 'moved', seq: tipSeq });
    const newest = await this.#ctx.db.AuditDay.findOne({ order: [['day', 'DESC']] });
    if ((newest?.lastSeq ?? 0) < tipSeq) this.#add({ fault: 'day_changed', seq: tipSeq });
    await this.#lookBehindEnd();
  }

  async #lookBehindEnd(): Promise<void> {
    const { db } = this.#ctx;
    const last = await lastPlace(this.#ctx);
    const { tipSeq } = await chainOf(this.#ctx); // later: it may have moved, but never back
    if (last !== null && last > tipSeq) this.#add({ fault: 'surplus', seq: tipSeq + 1, to: last });
    for (let behind = ''; ;) {
      const where = { seq: null, id: { [Op.gt]: behind } };
      const rows = await db.AuditEntry.findAll({ where, order: ['id'], limit: PAGE });
      for (const row of rows) this.#check(row);
      if (rows.length < PAGE || this.#faults.length >= MOST_FAULTS) return;
      behind = rows.at(-1)!.id;
    }
  }

  #addDay({ day, lastSeq, keyId }: AuditDay): void {
    if (this.#faults.some((each) => each.day === day)) return;
    const fault = this.#keys.has(keyId) ? 'day_changed' : 'unknown_key';
    this.#add({ fault, seq: lastSeq, day });
  }

  #add(fault: FoundFault): void {
    if (this.#faults.length < MOST_FAULTS) this.#faults.push(fault);
  }

  result(): AuditVerification {
    return {
      ok: this.#faults.length === 0,
      entries: this.#entries,
      firstSeq: this.#seq > this.#behind ? this.#behind + 1 : 0,
      lastSeq: this.#seq,
      lastHash: this.#lastHash,
      faults: this.#faults,
    };
  }
}

const fieldsOf = (row: AuditEntry) => row.get({ plain: true });
