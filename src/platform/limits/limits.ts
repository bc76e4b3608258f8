import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { atMost } from '#src/platform/at-most';
import { isDatabaseUnavailable } from '#src/platform/database/errors';
import { purge } from '#src/platform/database/purge';
import { databaseStore } from '#src/platform/limits/database-store';
import type { Hit } from '#src/platform/limits/limit-class';
import { createRedisStore } from '#src/platform/limits/redis-store';
import type { Count, Counter, LimitStore } from '#src/platform/limits/store';

/** A counter that is full. */
interface Full {
  hit: Hit;
  /** From then on it counts again, in milliseconds since 1970. */
  opensAt: number;
  /** The first refusal that this process knows of since the counter is full. With `backoff`: always true. */
  news: boolean;
}

export interface Limits {
  /** The first counter that is known to be full. Asks no store. */
  known(hits: readonly Hit[]): Full | undefined;
  /**
   * Counts hits, and answers the first that was refused. What stands after that one is not counted. All of them together
   * cost one statement, or one message to Redis, and nothing if one of them is known to be full. Callers name counters
   * always in the same order: network, site, then accounts.
   */
  hit(hits: readonly Hit[]): Promise<Full | undefined>;
  /**
   * Undoes the last of these hits, and every hit of those in `all`. Costs one statement, or one message to Redis. If it
   * cannot be done, that is logged: the request is answered all the same.
   * @throws {Error} in a transaction, when the database is unavailable
   */
  takeBack(hits: readonly Hit[], all?: readonly Hit[]): Promise<void>;
  /** True while the database counts: then `takeBack` in a transaction is a part of that. */
  isTransactional(): boolean;
  /** What each of these counters says. One that is zero has no hits. */
  read(hits: readonly Hit[]): Promise<Count[]>;
  /** Resets these counters, in Redis and in the database, which counts while Redis is away. */
  forget(hits: readonly Hit[]): Promise<void>;
  /** Deletes counters from the database that count no longer. */
  purge(stopped?: AbortSignal): Promise<void>;
  /** Logs a hint to the operator, once in the life of this instance. */
  warnOnce(message: string): void;
  /** Looks once for Redis, if there is a REDIS_URL, and goes on by itself. Without an answer from Redis the database counts. */
  open(): Promise<void>;
  close(): void;
}

/** How many full counters a process remembers. */
const MOST_FULL = 10_000;
/** A full counter is asked again after so long: another node may have taken a hit back. */
const ASK_AGAIN_MS = 1000;

export function createLimits({
  settings,
  db,
  clock,
  secrets,
  log,
}: Pick<Context, 'settings' | 'db' | 'clock' | 'secrets' | 'log'>): Limits {
  const database = databaseStore(db);
  const redis =
    settings.redisUrl === undefined ? undefined : createRedisStore(settings.redisUrl, log);
  /** Which counters are full until when. A flood does not reach the store. */
  const full = new LRUCache<string, { opensAt: number; askAt: number }>(atMost(MOST_FULL));
  const warned = new Set<string>();

  /** Without APP_SECRET nobody can read from a counter who was counted, nor find it by trying names. */
  const counterOf = ({ limit, rule, subject }: Hit): Counter => ({
    id: createHmac('sha256', secrets.keysFor('limits')[0]!)
      .update(`${limit} ${rule.by} ${rule.window} ${subject}`)
      .digest('hex')
      .slice(0, 32),
    rule,
  });
  const countersOf = (hits: readonly Hit[]) => hits.map(counterOf);

  /**
   * Asks Redis if it is there and answers, else the database. Nodes on one database go on sharing their counters, which
   * begin anew. In a transaction it is the database: what is undone there cannot be undone in Redis.
   */
  async function inStore<T>(work: (store: LimitStore) => Promise<T>): Promise<T> {
    if (redis?.isReady() && !db.isInTransaction())
      try {
        return await work(redis);
      } catch {
        // The store has logged it.
      }
    return work(database);
  }

  function knownOf(hits: readonly Hit[], counters: readonly Counter[]): Full | undefined {
    const now = clock.now();
    const index = counters.findIndex(({ id }) => (full.get(id)?.askAt ?? 0) > now);
    if (index === -1) return undefined;
    const { opensAt } = full.get(counters[index]!.id)!;
    return { hit: hits[index]!, opensAt, news: false };
  }

  return {
    known: (hits) => knownOf(hits, countersOf(hits)),
    async hit(hits) {
      const counters = countersOf(hits);
      const known = knownOf(hits, counters);
      if (known || hits.length === 0) return known;
      const now = clock.now();
      const refusal = await inStore((store) => store.hit(counters, now));
      if (!refusal) return undefined;
      const { index, opensAt } = refusal;
      const { id, rule } = counters[index]!;
      const news = !((full.get(id)?.opensAt ?? 0) > now);
      if (!rule.backoff) full.set(id, { opensAt, askAt: Math.min(opensAt, now + ASK_AGAIN_MS) });
      return { hit: hits[index]!, opensAt, news };
    },
    async takeBack(hits, all = []) {
      const [last, every] = [countersOf(hits), countersOf(all)];
      try {
        await inStore((store) => store.takeBack(last, every));
        for (const { id } of [...last, ...every]) full.delete(id);
      } catch (error) {
        // It may have undone all of the transaction.
        if (db.isInTransaction() && isDatabaseUnavailable(error)) throw error;
        log.warn({ err: error }, 'a hit that counts for nothing could not be taken back');
      }
    },
    async read(hits) {
      const counters = countersOf(hits);
      const ids = counters.map(({ id }) => id);
      const found = await inStore((store) => store.read(ids, clock.now()));
      return ids.map((id) => found.get(id) ?? { hits: 0, opensAt: 0 });
    },
    isTransactional: () => !redis?.isReady(),
    async forget(hits) {
      const ids = countersOf(hits).map(({ id }) => id);
      if (redis?.isReady()) await redis.forget(ids).catch(() => {}); // the store has logged it
      await database.forget(ids);
      for (const id of ids) full.delete(id);
    },
    async purge(stopped) {
      const where = { resetsAt: { [Op.lte]: clock.now() } };
      await purge((limit) => db.Limit.destroy({ where, limit }), stopped);
    },
    warnOnce(message) {
      if (warned.has(message)) return;
      warned.add(message);
      log.warn({}, message);
    },
    open: async () => redis?.open(),
    close: () => redis?.close(),
  };
}
