import type { Rule } from '#models/limit';
import { log } from '#src/core/log';

/** How long Redis may take to connect and to answer, in milliseconds; and for how long it is left alone when it did not. */
const CONNECT = 1000;
const ANSWER = 500;
const REST = 1000;

/** What `Limit.hit` does in one statement. Redis runs one script at a time. */
const HIT = `
local now, max, window, from, to, forget = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
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
const FORGIVE = "if tonumber(redis.call('HGET', KEYS[1], 'hits') or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'hits', -1) end";

/** Loaded only where it is used: it takes 30 MB. */
const open = async (url: string) =>
  (await import('@redis/client')).createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT, reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 1000) },
  });
let client: Awaited<ReturnType<typeof open>> | undefined;
let restsUntil = 0;
let told = false;

/** Opens the connection and keeps it open; what it returns closes it. Redis need not be there: until it is, and whenever it is not, the database counts. */
export async function connectRedis(url: string | undefined): Promise<() => void> {
  if (url === undefined) return () => {};
  const opened = await open(url);
  opened.on('error', (error: unknown) => rest(error));
  opened.connect().catch((error: unknown) => rest(error));
  client = opened;
  return () => {
    client = undefined;
    opened.destroy();
  };
}

function rest(error: unknown): void {
  if (client && !told) log.warn({ err: error }, 'Redis does not answer: the database counts in its place');
  told = true;
  restsUntil = performance.now() + REST;
}

/** True when Redis is to be asked. */
export const hasRedis = (): boolean => client !== undefined && client.isReady && performance.now() >= restsUntil;

/** Throws when there is no answer in time. What was sent may be counted all the same. */
async function run(script: string, id: string, ...args: number[]): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // After a look at the sockets: when it was we who were late, the answer is there.
    timer = setTimeout(() => setImmediate(() => reject(new Error('Redis did not answer in time'))), ANSWER);
  });
  try {
    const answer = client!.eval(script, { keys: [`sallyport:limit:${id}`], arguments: args.map(String) });
    const result = await Promise.race([answer, late]);
    told = false;
    return result;
  } catch (error) {
    rest(error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The same as `Limit`, in Redis. */
export const redisLimit = {
  hit: async (id: string, { max, window, backoff }: Rule, now: number): Promise<number> =>
    Number(await run(HIT, id, now, max, window, backoff?.from ?? 0, backoff?.to ?? 0, backoff?.forget ?? 0)),
  forgive: async (id: string): Promise<void> => void (await run(FORGIVE, id)),
  forget: async (id: string): Promise<void> => void (await run("redis.call('DEL', KEYS[1])", id)),
};
