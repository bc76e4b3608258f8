import { array, assert, asyncProperty, constantFrom, tuple } from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { databaseStore } from '#src/platform/limits/database-store';
import { createRedisStore } from '#src/platform/limits/redis-store';
import type { Counter, LimitStore, Rule } from '#src/platform/limits/store';
import { startApp } from '#test/support/app';
import { freePort } from '#test/support/mysql';
import { redisIsHere, redisOn } from '#test/support/redis';
import { runs } from '#test/support/properties';
import { rounds } from '#test/support/rounds';

const { ctx } = await startApp();

const PLAIN: Rule = { max: 3, window: 60_000 };
const ONCE: Rule = { max: 1, window: 60_000 };
const BACKOFF: Rule = {
  max: 10,
  window: 900_000,
  backoff: { from: 1000, to: 900_000, forget: 43_200_000 },
};
const ONE_THEN_BACKOFF: Rule = {
  max: 1,
  window: 500,
  backoff: { from: 1000, to: 3000, forget: 10_000 },
};

/** Counters that are tried at once. */
const AT_ONCE = 20;

let made = 0;
/** The ids of a store begin with different digits, as digests do. */
const unused = () => String(++made).padStart(12, '0').padEnd(32, '0');
/** One hit: 0 if it was accepted, else when the next one is. */
const hit = async (store: LimitStore, id: string, rule: Rule, now: number) =>
  (await store.hit([{ id, rule }], now))?.opensAt ?? 0;
const START = 1_800_000_000_000;

/** The simplest program that does what both stores must do. */
function oracle({ max, window, backoff }: Rule) {
  let [hits, opens, resets] = [0, 0, 0];
  return (now: number): number => {
    if (opens > now) return opens;
    if (resets <= now) [hits, resets] = [0, now + window];
    hits++;
    opens = 0;
    if (hits >= max && backoff) {
      resets = now + backoff.forget;
      opens = now + Math.min(backoff.to, backoff.from * 2 ** (hits - max));
    } else if (hits >= max) opens = resets;
    return 0;
  };
}

const stores: [string, LimitStore][] = [['the database', databaseStore(ctx.db)]];
if (redisIsHere) {
  const server = redisOn(await freePort());
  await server.start();
  const store = createRedisStore(server.url, ctx.log);
  afterAll(() => store.close());
  await store.open();
  expect(store.isReady()).toBe(true);
  stores.push(['Redis', store]);
}

describe.each(stores)('a counter in %s', (_where, store) => {
  it('takes so many hits in a window, says when the next one is taken, and begins anew then', async () => {
    const id = unused();
    const found = [];
    for (const ms of [0, 10, 20, 30, 59_999, 60_000, 60_001, 60_002, 60_003])
      found.push(await hit(store, id, PLAIN, START + ms));
    expect(found.map((opensAt) => (opensAt ? opensAt - START : 0))).toEqual([
      0, 0, 0, 60_000, 60_000, 0, 0, 0, 120_000,
    ]);
  });

  it('takes ten failures, then one after each pause: 1 s, 2 s, 4 s … 15 min', async () => {
    const id = unused();
    let now = START;
    for (let i = 0; i < 10; i++) expect(await hit(store, id, BACKOFF, now)).toBe(0);
    const pauses = [];
    for (let i = 0; i < 14; i++) {
      const opensAt = await hit(store, id, BACKOFF, now);
      pauses.push((opensAt - now) / 1000);
      expect(await hit(store, id, BACKOFF, opensAt - 1)).toBe(opensAt);
      now = opensAt;
      expect(await hit(store, id, BACKOFF, now)).toBe(0);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
    now += 43_200_000;
    for (let i = 0; i < 10; i++) expect(await hit(store, id, BACKOFF, now)).toBe(0);
    expect(await hit(store, id, BACKOFF, now)).toBe(now + 1000);
  });

  it('does what the rule says at any time, with any rule', async () => {
    const rule = constantFrom(PLAIN, ONCE, BACKOFF, ONE_THEN_BACKOFF);
    const steps = array(
      constantFrom(0, 1, 499, 500, 999, 1000, 2000, 60_000, 900_000, 50_000_000),
      { minLength: 1, maxLength: 40 },
    );
    // Counters do not meet, so many are tried at once.
    const tryCounter = async ([rule, pauses]: [Rule, number[]]) => {
      const [id, expected] = [unused(), oracle(rule)];
      let now = START;
      for (const pause of pauses) {
        now += pause;
        expect(await hit(store, id, rule, now)).toBe(expected(now));
      }
    };
    const counters = array(tuple(rule, steps), { minLength: AT_ONCE, maxLength: AT_ONCE });
    await assert(
      asyncProperty(counters, async (all) => void (await Promise.all(all.map(tryCounter)))),
      runs(AT_ONCE),
    );
  });

  it('lets exactly the limit pass of many at once', async () => {
    for (let round = 0; round < rounds(3, 200); round++) {
      const id = unused();
      const all = await Promise.all(
        Array.from({ length: 40 }, () => hit(store, id, BACKOFF, START)),
      );
      expect(all.filter((opensAt) => opensAt === 0)).toHaveLength(10);
      expect(all.filter((opensAt) => opensAt === START + 1000)).toHaveLength(30);
      const next = await Promise.all(
        Array.from({ length: 20 }, () => hit(store, id, BACKOFF, START + 1000)),
      );
      expect(next.filter((opensAt) => opensAt === 0)).toHaveLength(1);
    }
  });

  it('forgives one hit, and none that there is not', async () => {
    const id = unused();
    await store.takeBack([{ id, rule: PLAIN }]);
    for (let i = 0; i < 2; i++) expect(await hit(store, id, PLAIN, START)).toBe(0);
    for (let i = 0; i < 5; i++) await store.takeBack([{ id, rule: PLAIN }]);
    for (let i = 0; i < 3; i++) expect(await hit(store, id, PLAIN, START)).toBe(0);
    expect(await hit(store, id, PLAIN, START)).toBeGreaterThan(0);
  });

  it('forgets', async () => {
    const [id, other] = [unused(), unused()];
    for (const each of [id, other])
      for (let i = 0; i < 3; i++) await hit(store, each, PLAIN, START);
    await store.forget([id]);
    expect(await hit(store, id, PLAIN, START)).toBe(0);
    expect(await hit(store, other, PLAIN, START)).toBeGreaterThan(0);
  });

  it('counts in several at once, and in none after the first that refuses', async () => {
    const [full, open, other] = [unused(), unused(), unused()];
    const counters: Counter[] = [
      { id: open, rule: { max: 5, window: 1000 } },
      { id: full, rule: PLAIN },
      { id: other, rule: BACKOFF },
    ];
    for (let i = 0; i < 3; i++) expect(await store.hit(counters, START)).toBeUndefined();
    expect(await store.hit(counters, START)).toEqual({ index: 1, opensAt: START + 60_000 });
    expect(await hit(store, open, counters[0]!.rule, START)).toBe(0); // four were counted before
    expect(await hit(store, open, counters[0]!.rule, START)).toBe(START + 1000);
    expect(await store.hit(counters, START)).toEqual({ index: 0, opensAt: START + 1000 });
    for (let i = 0; i < 7; i++) expect(await hit(store, other, BACKOFF, START)).toBe(0);
    expect(await store.hit(counters.toReversed(), START)).toEqual({
      index: 0,
      opensAt: START + 1000,
    });
  });

  it('takes back what closed a counter, which opens again; and from others everything', async () => {
    const [closed, failures] = [unused(), unused()];
    const counters: [Counter, Counter] = [
      { id: closed, rule: PLAIN },
      { id: failures, rule: BACKOFF },
    ];
    for (let i = 0; i < 10; i++) await hit(store, failures, BACKOFF, START);
    for (let i = 0; i < 3; i++) await hit(store, closed, PLAIN, START);
    await store.takeBack([counters[0]], [counters[1]]);
    for (let i = 0; i < 1; i++) expect(await store.hit(counters, START)).toBeUndefined();
    expect(await store.hit(counters, START)).toEqual({ index: 0, opensAt: START + 60_000 });
    for (let i = 0; i < 9; i++) expect(await hit(store, failures, BACKOFF, START)).toBe(0);
    expect(await hit(store, failures, BACKOFF, START)).toBe(START + 1000);
    await store.takeBack([counters[1]]);
    expect(await hit(store, failures, BACKOFF, START)).toBe(0);
  });

  it('keeps many concurrent hits and what is taken back apart: nothing is lost, nothing waits for ever', async () => {
    const shared = { id: unused(), rule: { max: 1000, window: 60_000 } };
    const own = Array.from({ length: 20 }, () => ({ id: unused(), rule: BACKOFF }));
    await Promise.all(
      own.flatMap((counter) =>
        Array.from({ length: 5 }, async (_, i) => {
          expect(await store.hit([shared, counter], START)).toBeUndefined();
          if (i > 0) await store.takeBack([shared], [counter]);
        }),
      ),
    );
    const left = { ...shared, rule: { max: 21, window: 60_000 } };
    expect(await store.hit([left], START)).toBeUndefined();
    expect(await store.hit([left], START)).toEqual({ index: 0, opensAt: START + 60_000 });
  });
});
