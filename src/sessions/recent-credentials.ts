import { LRUCache } from 'lru-cache';
import { MINUTE_MS } from '#src/lifetimes';
import { atMost } from '#src/platform/at-most';
import type { Claimed } from '#src/platform/http/limit-everything';

/** Whom credentials without a session, such as API keys, have authenticated in the last minutes, by a digest. */
export type RecentCredentials = LRUCache<string, Claimed>;

export const createRecentCredentials = (): RecentCredentials =>
  new LRUCache({ ...atMost(10_000), ttl: 10 * MINUTE_MS });
