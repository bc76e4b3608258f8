import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { databaseStore } from '#src/platform/limits/database-store';
import { createRedisStore } from '#src/platform/limits/redis-store';
import type { LimitStore, Rule } from '#src/platform/limits/store';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { redisIsHere, redisOn } from '#test/support/redis';
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

let made = 0;
const unused = () => String(++made).padStart(32, '0');
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
  await eventually(() => expect(store.isReady()).toBe(true));
  stores.push(['Redis', store]);
}

describe.each(stores)('a counter in %s', (_where, store) => {
  it('takes so many hits in a window, says when the next one is taken, and begins anew then', async () => {
    const id = unused();
    const found = [];
    for (const ms of [0, 10, 20, 30, 59_999, 60_000, 60_001, 60_002, 60_003])
      found.push(await store.hit(id, PLAIN, START + ms));
    expect(found.map((opensAt) => (opensAt ? opensAt - START : 0))).toEqual([
      0, 0, 0, 60_000, 60_000, 0, 0, 0, 120_000,
    ]);
  });

  it('takes ten failures, then one after each pause: 1 s, 2 s, 4 s … 15 min', async () => {
    const id = unused();
    let now = START;
    for (let i = 0; i < 10; i++) expect(await store.hit(id, BACKOFF, now)).toBe(0);
    const pauses = [];
    for (let i = 0; i < 14; i++) {
      const opensAt = await store.hit(id, BACKOFF, now);
      pauses.push((opensAt - now) / 1000);
      expect(await store.hit(id, BACKOFF, opensAt - 1)).toBe(opensAt);
      now = opensAt;
      expect(await store.hit(id, BACKOFF, now)).toBe(0);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
    now += 43_200_000;
    for (let i = 0; i < 10; i++) expect(await store.hit(id, BACKOFF, now)).toBe(0);
    expect(await store.hit(id, BACKOFF, now)).toBe(now + 1000);
  });

  it('does what the rule says at any time, with any rule', async () => {
    const rule = constantFrom(PLAIN, ONCE, BACKOFF, ONE_THEN_BACKOFF);
    const steps = array(
      constantFrom(0, 1, 499, 500, 999, 1000, 2000, 60_000, 900_000, 50_000_000),
      { minLength: 1, maxLength: 40 },
    );
    await assert(
      asyncProperty(rule, steps, async (rule, pauses) => {
        const [id, expected] = [unused(), oracle(rule)];
        let now = START;
        for (const pause of pauses) {
          now += pause;
          expect(await store.hit(id, rule, now)).toBe(expected(now));
        }
      }),
      { numRuns: rounds(25, 1000) },
    );
  });

  it('lets exactly the limit pass of many at once', async () => {
    for (let round = 0; round < rounds(3, 200); round++) {
      const id = unused();
      const all = await Promise.all(
        Array.from({ length: 40 }, () => store.hit(id, BACKOFF, START)),
      );
      expect(all.filter((opensAt) => opensAt === 0)).toHaveLength(10);
      expect(all.filter((opensAt) => opensAt === START + 1000)).toHaveLength(30);
      const next = await Promise.all(
        Array.from({ length: 20 }, () => store.hit(id, BACKOFF, START + 1000)),
      );
      expect(next.filter((opensAt) => opensAt === 0)).toHaveLength(1);
    }
  });

  it('forgives one hit, and none that there is not', async () => {
    const id = unused();
    await store.forgive(id);
    for (let i = 0; i < 2; i++) expect(await store.hit(id, PLAIN, START)).toBe(0);
    for (let i = 0; i < 5; i++) await store.forgive(id);
    for (let i = 0; i < 3; i++) expect(await store.hit(id, PLAIN, START)).toBe(0);
    expect(await store.hit(id, PLAIN, START)).toBeGreaterThan(0);
  });

  it('forgets', async () => {
    const [id, other] = [unused(), unused()];
    for (const each of [id, other]) for (let i = 0; i < 3; i++) await store.hit(each, PLAIN, START);
    await store.forget(id);
    expect(await store.hit(id, PLAIN, START)).toBe(0);
    expect(await store.hit(other, PLAIN, START)).toBeGreaterThan(0);
  });
});
