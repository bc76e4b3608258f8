import { join } from 'node:path';
import { BOTH, type Fault } from '#test/faults/fault';
import type { Load } from '#test/faults/load';
import type { Environment } from '#test/faults/environment';
import { root } from '#test/support/process';

const [MINUTE, HOUR] = [60_000, 3_600_000];
const withClock = { node: ['--import', join(root, 'test/faults/clock.ts')] };

/** So many requests are acknowledged at each of these times. */
const SOME = 20;

async function jump({ nodes }: Environment, load: Load, offsets: readonly (string | number)[]) {
  for (const offset of [...offsets, 0]) {
    for (const node of nodes) node.moveClock(String(offset));
    await load.acknowledge(SOME);
  }
}

export const clockFaults: readonly Fault[] = [
  {
    ...withClock,
    id: 'X-16',
    name: 'clock jumps by an hour and by a day, forth and back',
    engines: BOTH,
    rounds: [1, 5],
    round: (environment, load) => jump(environment, load, [HOUR, -HOUR, 24 * HOUR]),
  },
  {
    ...withClock,
    id: 'X-16',
    name: 'clock stands still, then trembles',
    engines: BOTH,
    rounds: [1, 5],
    round: (environment, load) => jump(environment, load, ['frozen', 200, 0, 200, 0, 200]),
  },
  {
    ...withClock,
    id: 'X-17',
    name: 'clocks of two servers differ by one minute, and by ten',
    engines: BOTH,
    rounds: [1, 5],
    nodes: 2,
    async round({ nodes: [first, second] }, load) {
      for (const offset of [MINUTE, -MINUTE, 10 * MINUTE, -10 * MINUTE]) {
        second!.moveClock(String(offset));
        // Restarted, it asks a database server for the time. Of a file it has only its own.
        await second!.end('SIGKILL');
        await second!.start();
        await load.acknowledge(SOME);
        await first!.end('SIGKILL');
        await load.acknowledge(SOME);
        await first!.start();
      }
      second!.moveClock('0');
      await second!.end('SIGKILL');
      await second!.start();
    },
  },
];
