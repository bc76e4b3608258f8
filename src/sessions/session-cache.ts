import { LRUCache } from 'lru-cache';
import type { Context } from '#src/context';
import { atMost } from '#src/platform/at-most';
import { findSessionWithUser, type FoundSession } from '#src/sessions/find-session';
import { principalFrom, type Principal } from '#src/users/principal';

/** A session as it was read, and the principal that was made of it. */
export interface ReadSession extends FoundSession {
  readonly principal: Principal;
  /** Of an impersonated session: the administrator's own one, if it is there. */
  readonly actor?: FoundSession | null;
}
interface Cached {
  readonly read: ReadSession;
  /** The count of commits or writes when it was read. */
  readonly at: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Sessions that were read lately, by id. */
export type SessionCache = LRUCache<string, Cached>;

export const createSessionCache = (): SessionCache => new LRUCache(atMost(10_000));

/**
 * A session with its user and roles, from the cache while that is known to be current.
 * - An embedded database counts the commits of all processes: an entry is valid until the count changes.
 * - With a database server this instance knows only its own writes: an entry is valid until the next write, and for
 *   SESSION_CACHE_TTL at most.
 * The count is taken before reading, so a change during the reading makes the entry invalid. A token of a later
 * generation shows that another node refreshed the session: it is read again. `actorSessionId`: of an impersonated session.
 */
export async function readSession(
  ctx: Context,
  id: string,
  generation: number,
  actorSessionId: string | undefined,
): Promise<ReadSession | null> {
  const { db, clock, settings, sessionCache, metrics } = ctx;
  const at = countOf(ctx);
  // What a transaction reads may never be committed, so it is not for others.
  if (at === undefined || db.isInTransaction()) return read(ctx, id, actorSessionId);
  const known = currentSession(ctx, id, generation, at);
  metrics?.sessionRead(known !== undefined);
  if (known) return known;
  const found = await read(ctx, id, actorSessionId);
  const until =
    db.commits() === undefined ? clock.now() + settings.sessionCacheTtl * 1000 : Infinity;
  if (found) sessionCache.set(id, { read: found, at, until });
  return found;
}

/** The same as it is stored now. Only the cache of an embedded database knows that: others may be behind for SESSION_CACHE_TTL. */
export const readStored = (
  ctx: Context,
  id: string,
  generation: number,
  actorSessionId: string | undefined,
): Promise<ReadSession | null> =>
  ctx.db.commits() === undefined
    ? read(ctx, id, actorSessionId)
    : readSession(ctx, id, generation, actorSessionId);

/** The count of commits or writes. Undefined: nothing that was read may be used again. */
const countOf = ({ db, settings }: Context): number | undefined =>
  db.commits() ?? (settings.sessionCacheTtl > 0 ? db.writes() : undefined);

/** The same if it is in the cache and current. */
export function currentSession(
  ctx: Context,
  id: string,
  generation: number,
  at = countOf(ctx),
): ReadSession | undefined {
  if (at === undefined || ctx.db.isInTransaction()) return undefined;
  const known = ctx.sessionCache.get(id);
  const isCurrent =
    known?.at === at &&
    known.until > ctx.clock.now() &&
    known.read.session.generation >= generation;
  return isCurrent ? known.read : undefined;
}

async function read(
  ctx: Context,
  id: string,
  actorSessionId: string | undefined,
): Promise<ReadSession | null> {
  if (actorSessionId !== undefined) return readBoth(ctx, id, actorSessionId);
  const found = await findSessionWithUser(ctx, id);
  return found && { ...found, principal: principalFrom(found.user, found) };
}

/** Look-ups that are asked for together are one statement. */
async function readBoth(ctx: Context, id: string, actorSessionId: string) {
  const [found, actor] = await Promise.all([
    findSessionWithUser(ctx, id),
    findSessionWithUser(ctx, actorSessionId),
  ]);
  const { session } = found ?? {};
  return (
    found && {
      ...found,
      actor,
      principal: principalFrom(found.user, { session, actor: actor?.user }),
    }
  );
}
