// A program that makes objects and holds each for a while, as a server does under load. It prints how many bytes the
// space for new objects has at last. With the argument `bounded` it bounds its heap first.
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { boundHeap } from '#src/platform/heap';

if (process.argv[2] === 'bounded') boundHeap();
const held: object[] = [];
for (let i = 0; i < 3_000_000; i++) {
  held[i % 20_000] = { i, list: [i, i], text: `x${i}` };
  if (i % 1000 === 0) await turn();
}
const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!;
process.stdout.write(String(space.space_size));
