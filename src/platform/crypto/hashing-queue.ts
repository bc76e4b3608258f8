import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { Problem } from '#src/platform/http/problem';
import type { RequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';

/** How many jobs may wait for each one that runs. */
const WAITING_PER_RUNNING = 10;
/** Who would wait longer for a turn is refused at once, in milliseconds. */
const EXPECTED_WAIT_MS = 1500;
/** Longest wait for a turn, in milliseconds, where it took longer than expected. A strategy is given 3 s in all. */
const MAX_WAIT_MS = 2000;
/** So many of the newest jobs tell how long one takes: the median, because a pause of the process makes some look long. */
const REMEMBERED = 5;

const busy = () => new Problem('busy', { headers: { 'Retry-After': '1' } });

export interface HashingQueue {
  /**
   * Runs a job when it is its turn.
   *
   * @throws {Problem} 503 `busy`: at once when the queue is full or the wait would be too long, later when it was too
   * long or the client has hung up
   */
  <T>(work: () => Promise<T>): Promise<T>;
  /** @throws {Problem} 503 `busy` if a job would be refused at once */
  refuseIfBusy(): void;
  /** How many jobs wait now. */
  waiting(): number;
  /** How many run now. */
  running(): number;
}

/** Is told how long jobs wait for their turn, and of those that get none. */
export interface HashingObserver {
  /** Milliseconds. */
  waited(ms: number): void;
  refused(): void;
}

/**
 * The only way to bcrypt. It runs on libuv's threads, which files, DNS and zlib need too: a full pool stalls the whole
 * server.
 */
export function createHashingQueue(
  { uvThreadpoolSize, workers }: Pick<Settings, 'uvThreadpoolSize' | 'workers'>,
  request: RequestContext,
  observer?: HashingObserver,
): HashingQueue {
  const cores = Math.ceil(availableParallelism() / workers); // workers hash at the same time
  const running = Math.max(1, Math.min(cores, uvThreadpoolSize - 2));
  const turn = pLimit(running);

  const refusal = () => {
    observer?.refused();
    return busy();
  };

  /** How long the newest jobs took, in milliseconds. */
  const newest: number[] = [];
  const usual = () => newest.toSorted((a, b) => a - b)[newest.length >> 1] ?? 0;

  async function timed<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      newest.push(performance.now() - start);
      if (newest.length > REMEMBERED) newest.shift();
    }
  }

  function refuseIfBusy() {
    const rounds = turn.pendingCount / running;
    // What runs now is halfway through, on average.
    const wait = turn.activeCount < running ? 0 : (rounds + 0.5) * usual();
    if (rounds >= WAITING_PER_RUNNING || wait > EXPECTED_WAIT_MS) throw refusal();
  }

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    refuseIfBusy();
    const asked = performance.now();
    const asking = request.getStore();
    return turn(() => {
      const waited = performance.now() - asked;
      if (asking?.isGone?.() || waited > MAX_WAIT_MS) throw refusal();
      observer?.waited(waited);
      return timed(work);
    });
  }
  return Object.assign(inTurn, {
    refuseIfBusy,
    waiting: () => turn.pendingCount,
    running: () => turn.activeCount,
  });
}
