import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Up to so many bytes, the space for new objects doubles when many of them are in use. It may double once more while
 * this is noticed.
 */
const NEW_SPACE_BYTES = 16 * 1024 * 1024;
/** How much of what is in use the old space may grow by before all of it is collected. V8 itself allows 300. */
const GROWTH_PERCENT = 100;

/**
 * Keeps V8 from making objects of some places in the code old from the start, because earlier ones of that place lived
 * long. Those of requests that waited, such as sign-ins, decide it for those that do not: whatever they point to is then
 * kept until all of the heap is collected, which made a guarded request cost 1.5 times as much.
 *
 * Bounds what V8 takes and never gives back. Under load its space for new objects grows to 134 MB, of which a request
 * needs little, and its old space to four times what is in use. For the server program: an app that embeds the server
 * decides for itself.
 */
export function boundHeap(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  let isBounded = false;
  new PerformanceObserver(() => {
    if (newSpaceBytes() < NEW_SPACE_BYTES === !isBounded) return;
    isBounded = !isBounded; // V8 makes it smaller when there is little to do
    setFlagsFromString(`--semi-space-growth-factor=${isBounded ? 1 : 2}`);
  }).observe({ entryTypes: ['gc'] });
}

/**
 * Gives back what only the start needed: 40 of 77 MB. It takes about 70 ms. V8 has a name for such a collection that
 * leaves nothing behind, which Node offers to programs that were started with `--expose-gc`.
 */
export function trimHeap(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as NonNullable<typeof globalThis.gc>;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', flavor: 'last-resort' });
}

const newSpaceBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!.space_size;
