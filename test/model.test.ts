import * as fc from 'fast-check';
import { afterAll, expect, it, vi } from 'vitest';
import { startApp, testSecret } from '#test/support/app';
import { census } from '#test/support/model/census';
import { expectSameAtLast } from '#test/support/model/check';
import { someCommand } from '#test/support/model/commands';
import { registering } from '#test/support/model/entering';
import { restarting } from '#test/support/model/governing';
import { startNode, type Real } from '#test/support/model/node';
import { DAY, LIMITS, World } from '#test/support/model/world';
import { long, rounds } from '#test/support/rounds';

const seconds = (ms: number) => String(ms / 1000);
// The clock goes on for centuries here: a shared key does not age, and keys that do have tests of their own.
const { register } = await startApp({
  JWT_ALG: 'HS256',
  JWT_SECRET: testSecret(),
  REFRESH_ABSOLUTE: seconds(LIMITS.web.absolute),
  REFRESH_ABSOLUTE_MOBILE: seconds(LIMITS.mobile.absolute),
});
await register({}, 'admin'); // so that nobody is ever the last one

vi.useFakeTimers({ toFake: ['Date'] });
let now = Math.ceil(Date.now() / 1000) * 1000;
vi.setSystemTime(now);
const real: Real = { node: await startNode(), prefix: '' };
afterAll(async () => {
  await real.node.stop();
  vi.useRealTimers();
});

let sequences = 0;
/** A model of nobody, and names that nobody has. */
function fresh(): World {
  real.prefix = `s${++sequences}`;
  return new World(now);
}

/** Two users for the commands to start from; now and then a restart, which is rare among the commands because it is slow. */
const beginning = () => [registering(0, 'web'), registering(1, 'mobile'), ...(sequences % 60 === 0 ? [restarting] : [])];

/** After a failure too: the next sequence begins where the clock stands. */
async function runOn(world: World, commands: Iterable<fc.AsyncCommand<World, Real>>): Promise<void> {
  try {
    await fc.asyncModelRun(() => ({ model: world, real }), [...beginning(), ...commands]);
    await expectSameAtLast(world, real);
  } finally {
    now = world.now + DAY;
    vi.setSystemTime(now);
    real.node.facts.length = 0;
  }
}

/** Every fifth goes on for long. */
const upTo = (maxCommands: number) => fc.commands([someCommand], { maxCommands, size: 'max' });
const histories = fc.oneof({ weight: 4, arbitrary: upTo(10) }, { weight: 1, arbitrary: upTo(40) });

it(
  'does what the contract says, whatever comes after whatever, and lets in with no other token',
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, (commands) => runOn(fresh(), commands)),
      { numRuns: rounds(300, 5000), unbiased: true, interruptAfterTimeLimit: long ? 1_700_000 : 590_000, markInterruptAsFailure: true },
    );
    const never = census().flatMap(([outcome, times]) => (times === 0 ? [outcome] : []));
    // So that the commands cannot become blind without being noticed. A few outcomes are rare.
    expect(never.length, never.join()).toBeLessThanOrEqual(long ? 0 : 6);
  },
  long ? 1_800_000 : 600_000,
);
