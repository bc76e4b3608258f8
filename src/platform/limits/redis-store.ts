import { setTimeout as sleep } from 'node:timers/promises';
import { FORGET, HIT, PROBE, TAKE_BACK, READ } from '#src/platform/limits/redis-scripts';
import type { Counter, LimitStore, Refusal } from '#src/platform/limits/store';
import type { Log } from '#src/platform/log';

/** How long Redis may take to connect, and to answer. */
const CONNECT_TIMEOUT_MS = 1000;
const ANSWER_TIMEOUT_MS = 500;
/** Pause between two attempts to find a Redis that takes writes. */
const PAUSE_MS = 1000;
const EVERY_HIT = 1e9;

/** The library takes 30 MB. */
export const loadRedisLibrary = () => import('@redis/client');

/** It never connects again by itself. */
const clientFor = async (url: string) =>
  (await loadRedisLibrary()).createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false },
  });
type Client = Awaited<ReturnType<typeof clientFor>>;

/** Counters in Redis. Each call throws when there is no answer in time. What was sent may have been counted anyway. */
export interface RedisStore extends LimitStore {
  /** False while there is no Redis that takes writes. */
  isReady(): boolean;
  /**
   * Looks for Redis, and again whenever it is lost. Resolves after the first attempt, which takes a second and a half at
   * most. It does not fail without Redis.
   */
  open(): Promise<void>;
  close(): void;
}

/**
 * A Redis that fails in any way is left at once: frozen, gone, read-only after a failover, loading, out of memory,
 * without our password. No request asks it again. Beside the requests, a new connection is made every second, because
 * behind the same name there may be another server by then. It is used when it has taken a write.
 */
export function createRedisStore(url: string, log: Log): RedisStore {
  const closing = new AbortController();
  const { signal } = closing;
  /** The newest connection. */
  let client: Client | undefined;
  /** It has taken a write, and nothing has failed since. */
  let ready = false;
  /** The failure was logged. */
  let told = false;

  function leave(failed: Client, error: unknown): void {
    failed.destroy();
    if (signal.aborted || failed !== client) return;
    if (!told)
      log.warn({ err: error }, 'Redis does not take writes: the database counts in its place');
    told = true;
    if (ready) setImmediate(search);
    ready = false;
  }

  async function connect(): Promise<void> {
    const found = await clientFor(url);
    if (signal.aborted) return;
    client = found;
    found.on('error', (error: unknown) => leave(found, error));
    try {
      await inTime(found.connect(), CONNECT_TIMEOUT_MS);
      await inTime(found.eval(PROBE, { keys: [`${PREFIX}probe`] }), ANSWER_TIMEOUT_MS);
    } catch (error) {
      return leave(found, error);
    }
    if (told) log.info({}, 'Redis takes writes again: it counts');
    told = false;
    ready = !signal.aborted;
  }

  /** Until a Redis takes writes. */
  async function search(): Promise<void> {
    while (!signal.aborted && !ready) {
      await connect();
      if (!ready) await pause();
    }
  }
  const pause = () => sleep(PAUSE_MS, undefined, { signal }).catch(() => {});

  async function run(
    script: string,
    ids: readonly string[],
    args: number[] = [],
  ): Promise<unknown> {
    const asked = client!;
    const keys = ids.map((id) => PREFIX + id);
    const answer = asked.eval(script, { keys, arguments: args.map(String) });
    try {
      return await inTime(answer, ANSWER_TIMEOUT_MS);
    } catch (error) {
      leave(asked, error);
      throw error;
    }
  }

  return {
    isReady: () => ready,
    async open() {
      await connect();
      if (!ready) void pause().then(search);
    },
    close() {
      closing.abort();
      ready = false;
      client?.destroy();
    },
    async hit(counters, now): Promise<Refusal | undefined> {
      const answer = (await run(HIT, idsOf(counters), [now, ...argsOf(counters, 1)])) as number[];
      return answer.length === 0 ? undefined : { index: answer[0]!, opensAt: answer[1]! };
    },
    async takeBack(counters, all = []) {
      const args = [0, ...argsOf(counters, 1), ...argsOf(all, EVERY_HIT)];
      await run(TAKE_BACK, idsOf([...counters, ...all]), args);
    },
    async read(ids) {
      const rows = (await run(READ, ids)) as [hits: string | null, opens: string | null][];
      return new Map(
        rows.flatMap(([hits, opens], i) =>
          hits === null ? [] : [[ids[i]!, { hits: Number(hits), opensAt: Number(opens) }]],
        ),
      );
    },
    forget: async (ids) => void (await run(FORGET, ids)),
  };
}

const PREFIX = 'sallyport:limit:';
const idsOf = (counters: readonly Counter[]) => counters.map(({ id }) => id);
const argsOf = (counters: readonly Counter[], drop: number): number[] =>
  counters.flatMap(({ rule: { max, window, backoff } }) => [
    max,
    window,
    backoff?.from ?? 0,
    backoff?.to ?? 0,
    backoff?.forget ?? 0,
    drop,
  ]);

/** @throws {Error} if there is no answer in so many milliseconds */
async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fail = () => reject(new Error('Redis did not answer in time'));
    // After a look at the sockets: when this process was late, the answer is there.
    timer = setTimeout(() => setImmediate(fail), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
