import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { readRoutes, settingsOf } from '#test/support/fuzz/target';
import { expectSameRows, play, startPair } from '#test/support/pair/pair';
import { somePause, someStep } from '#test/support/pair/steps';
import { long, rounds } from '#test/support/rounds';

afterEach(() => void vi.useRealTimers());

const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 30));
const routes = await readRoutes(seed);
const history = fc.array(fc.record({ step: someStep(routes), pause: somePause }), {
  maxLength: 40,
  size: 'max',
});

const LOW = {
  LIMIT_SIGN_INS_PER_NETWORK: '5/1m',
  LIMIT_LOGIN_FAILURES_PER_ACCOUNT: '2/15m',
  LIMIT_SIGN_UPS_PER_NETWORK: '4/1h',
  LIMIT_CODES_PER_NETWORK: '2/1m',
  LIMIT_MAIL_REQUESTS_PER_NETWORK: '2/1h',
  LIMIT_REFRESHES_PER_SESSION: '2/1m',
  LIMIT_PASSWORD_GUESSES_PER_SESSION: '1/15m',
};

it.each([
  ['addresses need not be confirmed', { EMAIL_VERIFICATION: 'optional' }],
  ['addresses must be confirmed', { EMAIL_VERIFICATION: 'required' }],
  ['limits are on, and low', { LIMITS: 'on', ...LOW }],
])(
  'says the same, mails the same and keeps the same on SQLite and on a database server, whatever is asked (%s)',
  async (_what, env) => {
    const pair = await startPair({ ...settingsOf(seed), ...env }, long ? 500_000 : 60_000);
    await fc.assert(
      fc.asyncProperty(history, (steps) => play(pair, steps)),
      {
        numRuns: rounds(12, 1000),
        seed,
        unbiased: true,
        endOnFailure: true, // the step that failed says enough, and shorter histories take long to find
      },
    );
    await expectSameRows(pair);
    const outcomes = [...pair.outcomes].map(([name, times]) => `${name}: ${times}`).sort();
    console.log(
      `${pair.counts.steps} steps in ${pair.counts.histories} histories. ${outcomes.join(', ')}.`,
    );
    // Fails when the steps no longer reach what they should compare.
    expect(pair.outcomes.size).toBeGreaterThan(12);
    if ('LIMITS' in env) expect([...pair.outcomes.keys()]).toContain('429 rate_limited');
  },
  long ? 1_800_000 : 600_000,
);
