import * as fc from 'fast-check';
import { afterAll, expect, it, vi } from 'vitest';
import { startApp, testSecret } from '#test/support/app';
import { setTime } from '#test/support/clock';
import { census } from '#test/support/model/census';
import { expectSameAtLast } from '#test/support/model/check';
import { someCommand } from '#test/support/model/commands';
import { registering } from '#test/support/model/sign-in';
import { restarting } from '#test/support/model/operator';
import { startNode, type Real } from '#test/support/model/node';
import { DAY, LIMITS, World } from '#test/support/model/world';
import { long, rounds } from '#test/support/rounds';

const seconds = (ms: number) => String(ms / 1000);
// The clock moves on by centuries here. A shared key does not age. Keys that age have tests of
// their own.
const { env, register } = await startApp({
  JWT_ALG: 'HS256',
  JWT_SECRET: testSecret(),
  REFRESH_ABSOLUTE: seconds(LIMITS.web.absolute),
  REFRESH_ABSOLUTE_MOBILE: seconds(LIMITS.mobile.absolute),
});
await register({}, 'admin'); // the last administrator could not be disabled

let now = Math.ceil(Date.now() / 1000) * 1000;
const real: Real = { node: await startNode(env, now), env, prefix: '' };
afterAll(async () => {
  await real.node.stop();
  vi.useRealTimers();
});

let sequences = 0;
/** A model without users, and names that are not taken. */
function fresh(): World {
  real.prefix = `s${++sequences}`;
  return new World(now);
}

/** Two users. Sometimes a restart: among the commands it is rare, because it is slow. */
const beginning = () => [
  registering(0, 'web'),
  registering(1, 'mobile'),
  ...(sequences % 60 === 0 ? [restarting] : []),
];

/** The next sequence begins where the clock stands, after a failure, too. */
async function runOn(
  world: World,
  commands: Iterable<fc.AsyncCommand<World, Real>>,
): Promise<void> {
  try {
    await fc.asyncModelRun(() => ({ model: world, real }), [...beginning(), ...commands]);
    await expectSameAtLast(world, real);
  } finally {
    now = world.now + DAY;
    setTime(real.node, now);
    real.node.events.length = 0;
  }
}

/** Every fifth is long. */
const upTo = (maxCommands: number) => fc.commands([someCommand], { maxCommands, size: 'max' });
const histories = fc.oneof({ weight: 4, arbitrary: upTo(10) }, { weight: 1, arbitrary: upTo(40) });

it(
  'does what the contract says, whatever comes after whatever, and lets in with no other token',
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, (commands) => runOn(fresh(), commands)),
      {
        numRuns: rounds(300, 5000),
        unbiased: true,
        interruptAfterTimeLimit: long ? 1_700_000 : 590_000,
        markInterruptAsFailure: true,
      },
    );
    const never = census().flatMap(([outcome, times]) => (times === 0 ? [outcome] : []));
    // Fails when the commands no longer reach what they should test. A few outcomes are rare.
    expect(never.length, never.join()).toBeLessThanOrEqual(long ? 0 : 6);
  },
  long ? 1_800_000 : 600_000,
);
