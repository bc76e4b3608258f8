import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { Problem } from '#src/platform/http/problem';
import type { RequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';

/** How many jobs may wait for each one that runs. */
const WAITING_PER_RUNNING = 10;
/** Longest wait for a turn, in milliseconds. A strategy is given 3 s in all. */
const MAX_WAIT_MS = 2000;

const busy = () => new Problem('busy', { headers: { 'Retry-After': '1' } });

/**
 * Runs a job when it is its turn.
 *
 * @throws {Problem} 503 `busy`: at once when the queue is full, later when it moves too slowly or the client has hung up
 */
type HashingQueue = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * The only way to bcrypt. It runs on libuv's threads, which files, DNS and zlib need too: a full pool stalls the whole
 * server.
 */
export function createHashingQueue(
  { uvThreadpoolSize }: Pick<Settings, 'uvThreadpoolSize'>,
  request: RequestContext,
): HashingQueue {
  const running = Math.max(1, Math.min(availableParallelism(), uvThreadpoolSize - 2));
  const turn = pLimit(running);

  return async (work) => {
    if (turn.pendingCount >= running * WAITING_PER_RUNNING) throw busy();
    const asked = performance.now();
    const isGone = request.getStore()?.isGone;
    return turn(() => {
      if (isGone?.() || performance.now() - asked > MAX_WAIT_MS) throw busy();
      return work();
    });
  };
}
