import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { purge } from '#src/platform/database/purge';
import { databaseStore } from '#src/platform/limits/database-store';
import { createRedisStore } from '#src/platform/limits/redis-store';
import type { LimitStore, Rule } from '#src/platform/limits/store';

export interface LimitRule extends Rule {
  /** Whose hits are counted together: those of a network, of everybody, or of the subject that the caller names. */
  readonly by: 'network' | 'everybody' | 'account' | 'user' | 'session';
}

/** Something that may only be done so often. The name is part of the keys of its counters, and of 429 headers. */
export interface LimitClass {
  readonly name: string;
  readonly rules: readonly LimitRule[];
}
export const limitClass = (name: string, rules: readonly LimitRule[]): LimitClass =>
  Object.freeze({ name, rules });

/** A counter that is full. */
interface Full {
  rule: LimitRule;
  /** From then on it counts again, in milliseconds since 1970. */
  opensAt: number;
  /** The first refusal that this process knows of since the counter is full. With `backoff`: always true. */
  news: boolean;
}

export interface Limits {
  /**
   * Counts a hit by each rule of a class, and answers the first that is full. `whose` names the subject of a rule;
   * undefined is not counted by that rule. Costs a statement or a message to Redis for each rule, and nothing for a
   * counter that is known to be full.
   */
  hit(
    limitClass: LimitClass,
    whose: (by: LimitRule['by']) => string | undefined,
  ): Promise<Full | undefined>;
  /** Undoes the last hit of a subject. */
  forgive(limitClass: LimitClass, subject: string): Promise<void>;
  /** Resets the counters of a subject. */
  forget(limitClass: LimitClass, subject: string): Promise<void>;
  /** Deletes counters from the database that count no longer. */
  purge(): Promise<void>;
  /** Logs a hint to the operator, once in the life of this instance. */
  warnOnce(message: string): void;
  /** Connects to Redis, if there is a REDIS_URL. Without an answer from Redis the database counts. */
  open(): Promise<void>;
  close(): void;
}

/** How many full counters a process remembers. */
const MOST_FULL = 10_000;

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
  const full = new LRUCache<string, number>({ max: MOST_FULL });
  const warned = new Set<string>();

  /** Without APP_SECRET nobody can read from a counter who was counted, nor find it by trying names. */
  const idOf = (name: string, rule: number, subject: string): string =>
    createHmac('sha256', secrets.keysFor('limits')[0]!)
      .update(`${name} ${rule} ${subject}`)
      .digest('hex')
      .slice(0, 32);

  /**
   * Asks Redis if it is there and answers, else the database. Nodes on one database go on sharing their counters, which
   * begin anew.
   */
  async function inStore<T>(work: (store: LimitStore) => Promise<T>): Promise<T> {
    if (redis?.isReady())
      try {
        return await work(redis);
      } catch {
        // The store has logged it.
      }
    return work(database);
  }

  async function forEachRule(
    { name, rules }: LimitClass,
    subject: string,
    work: (store: LimitStore, id: string) => Promise<void>,
  ): Promise<void> {
    for (const i of rules.keys()) {
      const id = idOf(name, i, subject);
      await inStore((store) => work(store, id));
      full.delete(id);
    }
  }

  return {
    async hit({ name, rules }, whose) {
      for (const [i, rule] of rules.entries()) {
        const subject = whose(rule.by);
        if (subject === undefined) continue;
        const id = idOf(name, i, subject);
        const now = clock.now();
        const known = full.get(id) ?? 0;
        if (known > now) return { rule, opensAt: known, news: false };
        const opensAt = await inStore((store) => store.hit(id, rule, now));
        if (opensAt === 0) continue;
        if (!rule.backoff) full.set(id, opensAt);
        return { rule, opensAt, news: true };
      }
      return undefined;
    },
    forgive: (each, subject) => forEachRule(each, subject, (store, id) => store.forgive(id)),
    forget: (each, subject) => forEachRule(each, subject, (store, id) => store.forget(id)),
    async purge() {
      const where = { resetsAt: { [Op.lte]: clock.now() } };
      await purge((limit) => db.Limit.destroy({ where, limit }));
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
