import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { MINUTE_MS } from '#src/lifetimes';
import { atMost } from '#src/platform/at-most';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import type { StoredSession } from '#src/sessions/find-session';

/**
 * Writes of the last seconds, done or under way. Of requests that arrive together one writes. A write that failed is
 * not repeated by every request.
 */
export type LastSeenWrites = LRUCache<string, Promise<void>>;

export const createLastSeenWrites = (): LastSeenWrites =>
  new LRUCache({ ...atMost(10_000), ttl: 5000 });

/** A request waits this long for the write, in milliseconds. It is less than a lock may take, or a strategy. */
const MAX_WAIT_MS = 1000;

/**
 * Records that a session is in use, once a minute at most. The first use of a generation is recorded at once: from then
 * on the previous refresh token is a replay. A request that only reads is answered also when the write fails or takes
 * too long.
 */
export function noteUse(
  ctx: Context,
  session: StoredSession,
  generation: number,
): Promise<void> | undefined {
  const { clock, lastSeenWrites } = ctx;
  const now = clock.now();
  const first = !session.acknowledged && generation === session.generation;
  if (!first && now - (session.lastSeenAt ?? session.createdAt).getTime() < MINUTE_MS) return;
  const key = `${session.id} ${first ? generation : ''} ${Math.floor(now / MINUTE_MS)}`;
  let writing = lastSeenWrites.get(key);
  if (!writing) {
    writing = inTime(write(ctx, session, first, new Date(now)));
    lastSeenWrites.set(key, writing);
  }
  return writing;
}

async function inTime(writing: Promise<void>): Promise<void> {
  const timer = new AbortController();
  const timedOut = sleep(MAX_WAIT_MS, undefined, { signal: timer.signal, ref: false });
  timedOut.catch(() => {}); // aborted
  await Promise.race([writing, timedOut]);
  timer.abort();
}

async function write(
  { db, log }: Context,
  session: StoredSession,
  first: boolean,
  now: Date,
): Promise<void> {
  const { id, generation } = session;
  const seen = { lastSeenAt: now, ...(first && { acknowledged: true }) };
  const minuteAgo = new Date(now.getTime() - MINUTE_MS);
  const due = first
    ? { generation, acknowledged: false }
    : { lastSeenAt: { [Op.or]: [null, { [Op.lt]: minuteAgo }] } };
  try {
    await db.Session.update(seen, { where: { id, ...due }, ...skipCacheInvalidation });
    Object.assign(session, seen); // the cached row, which this write does not invalidate
  } catch (error) {
    log.warn({ err: error, sessionId: id }, 'the use of a session could not be noted');
  }
}
