import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { purgeAudit } from '#src/audit/purge';
import { sealedAfter } from '#src/audit/read';
import { sealAll } from '#src/audit/sealing-worker';
import type { FoundFault } from '#src/audit/verification';
import { verifyAudit, verifyPart } from '#src/audit/verify';
import { openContext, type OpenContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv } from '#test/support/app';
import { DAY, setTime } from '#test/support/clock';
import { emptyDatabase } from '#test/support/database';
import { times } from '#test/support/limited';

let ctx: OpenContext;
const MIDDAY = Date.parse('2026-03-01T12:00:00Z');
const PER_DAY = 10;
const DAYS = 3;
const LAST = PER_DAY * DAYS;

/** An instance with three days of ten entries each. */
async function open(env: Record<string, string> = {}) {
  const settings = testEnv(await emptyDatabase(), env);
  const opened = await openContext(parseSettings(settingsFrom(settings)));
  for (let day = 0; day < DAYS; day++) {
    setTime(opened, MIDDAY + day * DAY);
    await write(opened, PER_DAY);
  }
  return { ctx: opened, env: settings };
}

/** Writes so many entries, in several transactions, and seals them. */
async function write(on: OpenContext, count: number) {
  await times(count, (i) =>
    on.db.transaction(async () => on.events.emit('role.created', { role: `role${i}` })),
  );
  await sealAll(on);
}

const sql = (text: string) => ctx.db.sequelize.query(text);
const faults = async (): Promise<FoundFault[]> => (await verifyAudit(ctx)).faults;
const placesOf = (found: readonly FoundFault[]) => found.map(({ fault, seq }) => `${fault} ${seq}`);
const idAt = async (seq: number) => (await sealedAfter(ctx, seq - 1, 1))[0]!.id;

beforeEach(async () => {
  ({ ctx } = await open());
  return () => ctx.close();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('audit verify (T-01)', () => {
  it('finds nothing where nobody changed anything, and says what it read', async () => {
    expect(await verifyAudit(ctx)).toEqual({
      ok: true,
      entries: LAST,
      firstSeq: 1,
      lastSeq: LAST,
      lastHash: expect.stringMatching(/^[\w-]{43}$/),
      faults: [],
    });
    expect(await ctx.db.AuditDay.count()).toBe(DAYS);
  });

  it.each([
    ["type = 'role.deleted'"],
    ["actor = '00000000-0000-7000-8000-000000000000'"],
    ['actor = subject, subject = NULL, version = 2'],
    ["actor_kind = 'cli'"],
    ["on_behalf_of = 'x'"],
    ["subject = 'x'"],
    ["session_id = 'x'"],
    ["ip = '192.0.2.1'"],
    ["request_id = 'x'"],
    ["details = '{}'"],
    ["created_at = '2026-03-01 12:00:00.001'"],
    ["mac = 'x'"],
  ])('names an entry whose %s', async (change) => {
    const [seq, id] = [14, await idAt(14)];
    await sql(`UPDATE audit_entries SET ${change} WHERE seq = ${seq}`);
    expect(await faults()).toContainEqual({ fault: 'changed', seq, id });
  });

  it('names an entry whose hash was changed, or whose key is not ours', async () => {
    await sql("UPDATE audit_entries SET hash = 'x' WHERE seq = 14");
    expect(placesOf(await faults())).toContain('moved 14');
    await sql("UPDATE audit_entries SET key_id = 'x' WHERE seq = 17");
    expect(placesOf(await faults())).toContain('unknown_key 17');
  });

  it.each([1, 2, 10, 11, 29, 30])('names an entry that was removed: %i', async (seq) => {
    await sql(`DELETE FROM audit_entries WHERE seq = ${seq}`);
    expect(await faults()).toContainEqual({ fault: 'missing', seq, to: seq });
  });

  it('names the days when an entry was removed and all hashes were made anew', async () => {
    await sql('DELETE FROM audit_entries WHERE seq = 14');
    await sql('UPDATE audit_entries SET seq = -seq WHERE seq > 14');
    await sql('UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0');
    const { hashOf } = await import('#src/audit/entry');
    let hash = '';
    for (const row of await ctx.db.AuditEntry.findAll({ order: ['seq'] })) {
      hash = hashOf(hash, { ...row.get({ plain: true }), seq: row.seq! });
      await row.update({ hash });
    }
    await sql(`UPDATE audit_chain SET tip_seq = ${LAST - 1}, tip_hash = '${hash}'`);
    const found = placesOf(await faults());
    expect(found).toContain(`ends_changed ${LAST - 1}`);
    expect(found).toContain('day_changed 20');
    expect(found.some((each) => each.endsWith(' 10'))).toBe(false);
  });

  it('names entries that changed places', async () => {
    await sql('UPDATE audit_entries SET seq = 0 WHERE seq = 5');
    await sql('UPDATE audit_entries SET seq = 5 WHERE seq = 9');
    await sql('UPDATE audit_entries SET seq = 9 WHERE seq = 0');
    const found = placesOf(await faults());
    expect(found).toEqual(expect.arrayContaining(['moved 5', 'moved 9']));
    expect(found.every((each) => /^moved (5|6|9|10)$/.test(each))).toBe(true);
  });

  it('names two days that changed places', async () => {
    await sql('UPDATE audit_entries SET seq = seq + 1000 WHERE seq BETWEEN 1 AND 10');
    await sql('UPDATE audit_entries SET seq = seq - 10 WHERE seq BETWEEN 11 AND 20');
    await sql('UPDATE audit_entries SET seq = seq - 990 WHERE seq > 1000');
    const found = placesOf(await faults());
    expect(found).toEqual(expect.arrayContaining(['moved 1', 'moved 11', 'day_changed 10']));
  });

  it('names days of which the ends changed places, or one is gone', async () => {
    await sql("UPDATE audit_days SET day = 'x' WHERE day = '2026-03-01'");
    await sql("UPDATE audit_days SET day = '2026-03-01' WHERE day = '2026-03-02'");
    await sql("UPDATE audit_days SET day = '2026-03-02' WHERE day = 'x'");
    expect(placesOf(await faults())).toEqual(
      expect.arrayContaining(['day_changed 10', 'day_changed 20']),
    );
    await sql("DELETE FROM audit_days WHERE day = '2026-03-02'");
    expect((await verifyAudit(ctx)).ok).toBe(false);
  });

  it.each([
    '',
    ', tip_seq = 25',
    ', tip_seq = 25, tip_hash = (SELECT hash FROM audit_entries WHERE seq = 25)',
  ])('finds that the tail was cut, also with the end set back%s', async (set) => {
    await sql(`UPDATE audit_chain SET turn = 0${set}`);
    await sql('DELETE FROM audit_entries WHERE seq > 25');
    const found = await faults();
    expect(found.map(({ fault }) => fault)).toContain(set ? 'ends_changed' : 'missing');
  });

  it('finds that whole days were cut from the tail', async () => {
    await sql('DELETE FROM audit_entries WHERE seq > 20');
    await sql("DELETE FROM audit_days WHERE day > '2026-03-02'");
    expect(await faults()).toContainEqual({ fault: 'missing', seq: 21, to: 30 });
    await sql('UPDATE audit_chain SET tip_seq = 20');
    expect(placesOf(await faults())).toContain('ends_changed 20');
    await sql('DELETE FROM audit_chain');
    expect((await verifyAudit(ctx)).ok).toBe(false);
  });

  it.each([null, LAST + 1, 500])('names an entry that somebody else wrote, at %s', async (seq) => {
    const copied = (await ctx.db.AuditEntry.findOne({ where: { seq: 3 } }))!.get({ plain: true });
    const id = '019d0000-0000-7000-8000-00000000000a';
    await ctx.db.AuditEntry.create({ ...copied, id, seq });
    expect((await faults()).map(({ fault }) => fault)).toContain(
      seq === null ? 'changed' : 'surplus',
    );
    if (seq !== null) return;
    await sealAll(ctx);
    expect(await faults()).toEqual([{ fault: 'changed', seq: LAST + 1, id }]);
  });

  it('finds a change of the ends also when the server has gone on since', async () => {
    await sql('DELETE FROM audit_entries WHERE seq > 25');
    await sql('UPDATE audit_chain SET tip_seq = 25');
    await write(ctx, 2);
    const found = (await faults()).map(({ fault }) => fault);
    expect(found).toContain('unproved');
    expect(found).toContain('missing');
  });

  it('goes on under another APP_SECRET that has the one before', async () => {
    await ctx.close();
    const before = await open();
    await before.ctx.close();
    const secrets = { APP_SECRET: randomBytes(32).toString('hex') };
    const between = { ...before.env, ...secrets, APP_SECRET_PREVIOUS: before.env.APP_SECRET };
    for (const env of [between, { ...before.env, ...secrets }]) {
      ctx = await openContext(parseSettings(settingsFrom(env)));
      await write(ctx, 2);
      expect(await faults()).toEqual([]);
      expect(await ctx.db.AuditKey.count()).toBe(1);
      if (env === between) await ctx.close();
    }
  });

  it('after the loss of APP_SECRET says which entries nobody can prove, and goes on', async () => {
    await ctx.db.AuditKey.update({ sealedKey: 'of another secret' }, { where: {} });
    await ctx.audit.open();
    await write(ctx, 3);
    const found = await faults();
    const unknown = found.filter(({ fault }) => fault === 'unknown_key');
    expect(unknown.filter(({ day }) => day === undefined)).toHaveLength(LAST);
    expect(unknown.flatMap(({ day }) => day ?? [])).toEqual(['2026-03-01', '2026-03-02']);
    expect(found.filter((each) => !unknown.includes(each)).map(({ fault }) => fault)).toEqual([
      'unproved',
    ]);
  });
});

describe('old entries', () => {
  it('are removed after AUDIT_RETENTION, and the rest can be verified', async () => {
    const { ctx: short } = await open({ AUDIT_RETENTION: '2' });
    ctx = short;
    setTime(ctx, MIDDAY + 3 * DAY - 1);
    await purgeAudit(ctx);
    expect(await verifyAudit(ctx)).toMatchObject({ ok: true, entries: 20, firstSeq: 11 });
    await purgeAudit(ctx);
    setTime(ctx, MIDDAY + 4 * DAY);
    await write(ctx, 5);
    expect(await verifyAudit(ctx)).toMatchObject({ ok: true, entries: 25, lastSeq: 35 });
    await sql('DELETE FROM audit_entries WHERE seq = 11');
    expect(await faults()).toEqual([{ fault: 'missing', seq: 11, to: 11 }]);
  });

  it('may all be removed, and the trail goes on behind them', async () => {
    await ctx.close();
    const { ctx: short } = await open({ AUDIT_RETENTION: '1' });
    ctx = short;
    setTime(ctx, MIDDAY + 30 * DAY);
    await purgeAudit(ctx);
    expect(await ctx.db.AuditEntry.count()).toBe(0);
    expect(await verifyAudit(ctx)).toMatchObject({ ok: true, entries: 0, firstSeq: 0 });
    await write(ctx, 2);
    expect(await verifyAudit(ctx)).toMatchObject({ ok: true, firstSeq: LAST + 1, lastSeq: 32 });
  });

  it('are kept for ever with 0', async () => {
    await ctx.close();
    const { ctx: kept } = await open({ AUDIT_RETENTION: '0' });
    ctx = kept;
    setTime(ctx, MIDDAY + 9000 * DAY);
    await purgeAudit(ctx);
    expect(await ctx.db.AuditEntry.count()).toBe(LAST);
  });
});

describe('a part of the trail', () => {
  const MOST = 500;
  const MANY = 1200;
  /** Every part, as a client asks for one after the other. */
  async function parts() {
    const found = [await verifyPart(ctx, undefined, MOST)];
    for (let { nextCursor } = found[0]!; nextCursor !== null;) {
      const part = await verifyPart(ctx, nextCursor, MOST);
      ({ nextCursor } = part);
      found.push(part);
    }
    return found;
  }

  beforeEach(async () => {
    await ctx.db.transaction(async () => {
      for (let i = 0; i < MANY; i++) ctx.events.emit('role.created', { role: `many${i}` });
    });
    await sealAll(ctx);
  });

  it('is bounded, and goes on behind the one before until all of it was looked at', async () => {
    const found = await parts();
    const last = LAST + MANY;
    expect(found.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
      [1, MOST],
      [MOST + 1, 2 * MOST],
      [2 * MOST + 1, last],
    ]);
    expect(found.flatMap(({ faults: each }) => each)).toEqual([]);
    expect(found.reduce((sum, { entries }) => sum + entries, 0)).toBe(last);
    expect(found.at(-1)!.lastHash).toBe((await verifyAudit(ctx)).lastHash);
  });

  it('finds what the whole finds, also on both sides of a place where it goes on', async () => {
    await sql(`DELETE FROM audit_entries WHERE seq IN (14, ${MOST}, ${MOST + 1}, ${MOST + 9})`);
    await sql(`UPDATE audit_entries SET details = '{}' WHERE seq = ${2 * MOST + 5}`);
    await sql('UPDATE audit_chain SET tip_seq = tip_seq - 1');
    const found = new Set((await parts()).flatMap(({ faults: each }) => placesOf(each)));
    expect([...found].sort()).toEqual([...new Set(placesOf(await faults()))].sort());
    expect(found.size).toBeGreaterThan(4);
  });

  it('goes on nowhere but with a cursor that it gave', async () => {
    const refused = { code: 'invalid_request' };
    await expect(verifyPart(ctx, 'AAAA')).rejects.toMatchObject(refused);
    const { nextCursor } = await verifyPart(ctx, undefined, MOST);
    const other = `${nextCursor!.slice(0, -1)}${nextCursor!.endsWith('A') ? 'B' : 'A'}`;
    await expect(verifyPart(ctx, other)).rejects.toMatchObject(refused);
  });
});
