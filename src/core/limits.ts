import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Op } from 'sequelize';
import { sharedTime } from '#models/clock';
import { Limit } from '#models/index';
import type { Rule } from '#models/limit';
import { purge } from '#src/core/purge';
import { hasRedis, redisLimit } from '#src/core/redis';
import { keysFor } from '#src/core/secrets';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export interface LimitRule extends Rule {
  /** Whose hits are counted together: of a network, of everybody, or of what the route says. */
  by: 'network' | 'everybody' | 'account' | 'user' | 'session';
}

/** Everything that may only be done so often, and how often. Name a class at a route: `limit('sign-up')`. */
export const limits = {
  'sign-in': [
    { by: 'network', max: 30, window: MINUTE },
    { by: 'network', max: 300, window: HOUR },
    { by: 'everybody', max: 3000, window: MINUTE },
  ],
  /** Failures to sign in. Not a class for routes: `authenticate('local')` counts them. */
  account: [{ by: 'account', max: 10, window: 15 * MINUTE, backoff: { from: SECOND, to: 15 * MINUTE, forget: 12 * HOUR } }],
  'sign-up': [
    { by: 'network', max: 10, window: HOUR },
    { by: 'everybody', max: 5000, window: HOUR },
  ],
  refresh: [{ by: 'session', max: 30, window: MINUTE }],
  /** Guesses at the own password by somebody who holds a token. */
  password: [{ by: 'user', max: 10, window: 15 * MINUTE }],
  /** Asking for mail. */
  forgot: [{ by: 'network', max: 20, window: HOUR }],
  /** Mail to one address. Not a class for routes, which may not tell: who sends asks `hit`, and sends nothing when it is full. */
  mail: [{ by: 'account', max: 5, window: HOUR }],
  /** Tokens and codes that came by mail or by a redirect. */
  code: [
    { by: 'network', max: 30, window: MINUTE },
    { by: 'network', max: 300, window: HOUR },
  ],
} as const satisfies Record<string, readonly LimitRule[]>;
export type LimitName = keyof typeof limits;

/** A counter that is full: of which rule, and from when on it counts again. `news`: nobody was told since it is full. */
export interface Full {
  rule: LimitRule;
  opensAt: number;
  news: boolean;
}

/** Which counters are full, so that a flood does not reach the store. They fill up again only when they open. */
const full = new LRUCache<string, number>({ max: 10_000 });

/**
 * Counts a hit by each rule of a class, and answers the first that is full. `whose` names who is counted; undefined is not counted
 * by that rule. One statement for each rule, or one message to Redis; none for what is known to be full.
 */
export async function hit(name: LimitName, whose: (by: LimitRule['by']) => string | undefined): Promise<Full | undefined> {
  for (const [i, rule] of (limits[name] as readonly LimitRule[]).entries()) {
    const subject = whose(rule.by);
    if (subject === undefined) continue;
    const id = counterOf(name, i, subject);
    const now = sharedTime().getTime();
    const known = full.get(id) ?? 0;
    if (known > now) return { rule, opensAt: known, news: false };
    const opensAt = await inStore((store) => store.hit(id, rule, now));
    if (opensAt === 0) continue;
    if (!rule.backoff) full.set(id, opensAt);
    return { rule, opensAt, news: true };
  }
  return undefined;
}

/** What was counted last for this subject was no failure of theirs. */
export const forgiveAccount = (subject: string): Promise<void> => inStore((store) => store.forgive(counterOf('account', 0, subject)));
/** They have proved who they are. */
export const forgetAccount = (subject: string): Promise<void> => inStore((store) => store.forget(counterOf('account', 0, subject)));

/** Who was counted cannot be read from a counter, nor found by trying names, without APP_SECRET. */
const counterOf = (name: LimitName, rule: number, subject: string): string =>
  createHmac('sha256', keysFor('limits')[0]!).update(`${name} ${rule} ${subject}`).digest('hex').slice(0, 32);

type Store = Pick<typeof Limit, 'hit' | 'forgive' | 'forget'>;

/** Redis if there is one and it answers, else the database: nodes that share it go on sharing their counters, which begin anew. */
async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  if (hasRedis())
    try {
      return await work(redisLimit);
    } catch {
      // It was logged there.
    }
  return work(Limit);
}

/** Forgets counters that count for nothing any more. */
export async function purgeLimits(): Promise<void> {
  const where = { resetsAt: { [Op.lte]: sharedTime().getTime() } };
  await purge((limit) => Limit.destroy({ where, limit }));
}
