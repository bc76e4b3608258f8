import type { LimitStore } from '#src/platform/limits/store';
import type { Log } from '#src/platform/log';

/** How long Redis may take to connect, and to answer. */
const CONNECT_TIMEOUT_MS = 1000;
const ANSWER_TIMEOUT_MS = 500;
/** For so long it is not asked again after it failed. */
const PAUSE_MS = 1000;

/** The same as one hit in `database-store`. Redis runs one script at a time. */
const HIT = `
local now, max, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local from, to, forget = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local row = redis.call('HMGET', KEYS[1], 'hits', 'opens', 'resets')
local hits, opens, resets = tonumber(row[1] or 0), tonumber(row[2] or 0), tonumber(row[3] or 0)
if opens > now then return opens end
if resets <= now then hits, resets = 0, now + window end
hits, opens = hits + 1, 0
if hits >= max and from > 0 then
  resets = now + forget
  opens = now + math.min(to, from * 2 ^ math.min(hits - max, 40))
elseif hits >= max then
  opens = resets
end
redis.call('HSET', KEYS[1], 'hits', hits, 'opens', opens, 'resets', resets)
redis.call('PEXPIRE', KEYS[1], resets - now)
return 0`;
const FORGIVE = `
if tonumber(redis.call('HGET', KEYS[1], 'hits') or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'hits', -1)
end`;
const FORGET = "redis.call('DEL', KEYS[1])";

/** Loaded only where it is used: the library takes 30 MB. */
const clientFor = async (url: string) =>
  (await import('@redis/client')).createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 1000),
    },
  });

/** Counters in Redis. Each call throws when there is no answer in time. What was sent may have been counted anyway. */
export interface RedisStore extends LimitStore {
  /** False while Redis is not to be asked: it is not connected, or has failed a moment ago. */
  isReady(): boolean;
  /** Begins to connect, and stays connected from then on. It does not wait for Redis, nor does it fail without it. */
  open(): Promise<void>;
  close(): void;
}

export function createRedisStore(url: string, log: Log): RedisStore {
  let client: Awaited<ReturnType<typeof clientFor>> | undefined;
  let pausedUntil = 0;
  /** The failure was logged. */
  let told = false;

  function pause(error: unknown): void {
    if (client && !told)
      log.warn({ err: error }, 'Redis does not answer: the database counts in its place');
    told = true;
    pausedUntil = performance.now() + PAUSE_MS;
  }

  async function run(script: string, id: string, ...args: number[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const fail = () => reject(new Error('Redis did not answer in time'));
      // After a look at the sockets: when this process was late, the answer is there.
      timer = setTimeout(() => setImmediate(fail), ANSWER_TIMEOUT_MS);
    });
    try {
      const keys = [`sallyport:limit:${id}`];
      const answer = client!.eval(script, { keys, arguments: args.map(String) });
      const result = await Promise.race([answer, late]);
      told = false;
      return result;
    } catch (error) {
      pause(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    isReady: () => client !== undefined && client.isReady && performance.now() >= pausedUntil,
    async open() {
      const opened = await clientFor(url);
      opened.on('error', (error: unknown) => pause(error));
      opened.connect().catch((error: unknown) => pause(error));
      client = opened;
    },
    close() {
      const closing = client;
      client = undefined;
      closing?.destroy();
    },
    hit: async (id, { max, window, backoff }, now) => {
      const pauses = [backoff?.from ?? 0, backoff?.to ?? 0, backoff?.forget ?? 0];
      return Number(await run(HIT, id, now, max, window, ...pauses));
    },
    forgive: async (id) => void (await run(FORGIVE, id)),
    forget: async (id) => void (await run(FORGET, id)),
  };
}
