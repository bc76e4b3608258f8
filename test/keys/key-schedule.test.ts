import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SigningKey } from '#models/index';
import { keySchedules, stateOf } from '#src/keys/key-schedule';
import { holdKeys, keyOf, publicKeys, signingKey, SIGNING_KEY_PURPOSE } from '#src/keys/keyring';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { rounds } from '#test/support/rounds';

const settings = parseSettings(settingsFrom(testEnv(await emptyDatabase())));
const ctx = await openContext(settings);
afterAll(() => ctx.close());

const TTL = 600_000;
const TEND = 30_000;
const DAY = 24 * 3600_000;
const BEGIN = Date.UTC(2026, 0, 1);
const runs = { numRuns: rounds(300, 5000) };

const SEALED = Array.from({ length: 6 }, () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return ctx.secrets.seal(
    SIGNING_KEY_PURPOSE,
    privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  );
});
/** Rows as they stand in the table, the n-th made so many milliseconds after BEGIN. */
const rowsOf = (made: readonly number[], algorithm = 'ES256') =>
  made.map(
    (ms, sequence) =>
      ({
        kid: `${algorithm}-${sequence}`,
        algorithm,
        sequence,
        sealedPrivateKey: SEALED[sequence]!,
        createdAt: new Date(BEGIN + ms),
      }) as SigningKey,
  );
const sums = (gaps: readonly number[]) =>
  gaps.map((_gap, i) => gaps.slice(1, i + 1).reduce((a, b) => a + b, 0));
/** When keys are made: not before the last one signs, and seldom later than after 40 days. */
const made = fc
  .array(
    fc.oneof(
      fc.constantFrom(300_000, 300_001, 960_000, 30 * DAY),
      fc.integer({ min: 300_000, max: 40 * DAY }),
    ),
    {
      minLength: 1,
      maxLength: SEALED.length,
    },
  )
  .map(sums);
/** A moment, often one at which something changes. */
const moment = (times: readonly number[]) =>
  fc.oneof(
    fc.nat({ max: times.at(-1)! + 40 * DAY }),
    fc
      .tuple(
        fc.constantFrom(...times),
        fc.constantFrom(0, 300_000, 900_000, 960_000),
        fc.integer({ min: -2, max: 2 }),
      )
      .map(([time, later, more]) => Math.max(0, time + later + more)),
  );

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('the schedules of keys', () => {
  it('leave exactly one active for each algorithm at any time from the first one on', () => {
    const world = fc
      .tuple(made, made)
      .chain(([es, rs]) => fc.record({ es: fc.constant(es), rs: fc.constant(rs), at: moment(es) }));
    fc.assert(
      fc.property(world, ({ es, rs, at }) => {
        const schedules = keySchedules(settings, [...rowsOf(rs, 'RS256'), ...rowsOf(es)].reverse());
        const active = schedules
          .filter((schedule) => stateOf(schedule, BEGIN + at) === 'active')
          .map(({ row }) => row.algorithm);
        expect(active.sort()).toEqual(['ES256', 'RS256']);
      }),
      runs,
    );
  });

  it('go from pending to active to retiring to gone, and never back; a key among others passes through all', () => {
    const order = ['pending', 'active', 'retiring', 'gone'];
    fc.assert(
      fc.property(made, (times) => {
        for (const schedule of keySchedules(settings, rowsOf(times))) {
          const changes = [schedule.signsFrom, schedule.retiresFrom, schedule.goneFrom].filter(
            Number.isFinite,
          );
          const seen = [BEGIN - 1, ...changes.flatMap((ms) => [ms - 1, ms])].map((ms) =>
            stateOf(schedule, ms),
          );
          const last = schedule.retiresFrom === Infinity;
          expect([...new Set(seen)]).toEqual(last ? order.slice(0, 2) : order);
          expect(seen).toEqual([...seen].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
        }
      }),
      runs,
    );
  });

  it('change at these very milliseconds', () => {
    const [first, second] = keySchedules(settings, rowsOf([0, DAY]));
    const states = (schedule: typeof first, ms: number) =>
      [BEGIN + ms - 1, BEGIN + ms].map((now) => stateOf(schedule!, now));
    expect(states(first, 0)).toEqual(['pending', 'active']);
    expect(states(first, DAY + 300_000)).toEqual(['active', 'retiring']);
    expect(states(first, DAY + 300_000 + TTL + 60_000)).toEqual(['retiring', 'gone']);
    expect(states(second, DAY + 300_000)).toEqual(['pending', 'active']);
    expect(stateOf(second!, BEGIN + 10_000 * DAY)).toBe('active');
  });
});

/** A node looks at the table at this moment. Other nodes have deleted the keys that are gone by their clocks. */
function holdAsOf(
  rows: readonly SigningKey[],
  made: readonly number[],
  looked: number,
  fastest: number,
): void {
  const known = keySchedules(
    settings,
    rows.filter((_row, i) => made[i]! <= looked),
  ).filter((schedule) => stateOf(schedule, BEGIN + looked + fastest) !== 'gone');
  holdKeys(
    ctx,
    keySchedules(
      settings,
      known.map(({ row }) => row),
    ),
  );
}

describe('a token', () => {
  const clock = fc.integer({ min: -30_000, max: 30_000 });
  const polled = fc.nat({ max: TEND });
  const world = made.chain((times) =>
    fc.record({
      times: fc.constant(times),
      makers: fc.array(clock, { minLength: times.length, maxLength: times.length }),
      signer: clock,
      verifier: clock,
      fastest: clock,
      signed: moment(times).map((ms) => Math.max(ms, TEND)),
      later: fc.oneof(fc.constantFrom(0, 1, TTL - 1, TTL), fc.nat({ max: TTL })),
      polls: fc.tuple(polled, polled),
    }),
  );

  it('is taken for its whole life, by nodes whose clocks differ by a minute and who look at the table each half minute', () => {
    fc.assert(
      fc.property(world, ({ times, makers, signer, verifier, fastest, signed, later, polls }) => {
        const rows = rowsOf(times.map((ms, i) => ms + makers[i]!));
        holdAsOf(rows, times, signed - polls[0], fastest);
        vi.setSystemTime(BEGIN + signed + signer);
        const { kid } = signingKey(ctx);
        expect(publicKeys(ctx).map((jwk) => jwk.kid)).toContain(kid);
        holdAsOf(rows, times, Math.max(signed, signed + later - polls[1]), fastest);
        vi.setSystemTime(BEGIN + signed + later + verifier);
        expect(keyOf(ctx, kid)?.kid).toBe(kid);
      }),
      runs,
    );
  });

  it('is never signed by a key that was shown for less than five minutes, unless there is no other', () => {
    const world = made.chain((times) =>
      fc.record({ times: fc.constant(times), at: moment(times) }),
    );
    fc.assert(
      fc.property(world, ({ times, at }) => {
        holdAsOf(rowsOf(times), times, at, 0);
        vi.setSystemTime(BEGIN + at);
        const known = times.filter((ms) => ms <= at);
        const shown = known.filter((ms, i) => i === 0 || ms + 300_000 <= at);
        expect(signingKey(ctx).kid).toBe(`ES256-${shown.length - 1}`);
      }),
      runs,
    );
  });
});
