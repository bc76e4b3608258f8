import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { isExpired, verifiedBefore, type Claims } from '#src/sessions/access-tokens';
import { isLive, type FoundSession } from '#src/sessions/find-session';
import { noteUse } from '#src/sessions/last-seen';
import { currentSession, readSession } from '#src/sessions/session-cache';
import type { Principal } from '#src/users/principal';

/**
 * The user of the live session that an access token belongs to. Every request with an access token passes here, or by
 * `recallSession`. It costs one query, or none while the cache is current. Requests may share the principal.
 * @throws {Problem} 401 `session_ended`, `user_disabled`
 */
export async function resumeSession(ctx: Context, claims: Claims): Promise<Principal> {
  const found = await readSession(ctx, claims.sid, claims.gen);
  const refusal = refusalOf(ctx, found, claims);
  if (!found || refusal) throw new Problem(refusal ?? 'session_ended');
  await noteUse(ctx, found.session, claims.gen);
  return found.principal;
}

/**
 * The same for an access token, without waiting: if its signature was checked before, its session is in memory and
 * current, and there is nothing to write. Undefined says nothing about the token. A promise costs each request as much as
 * these checks do.
 */
export function recallSession(ctx: Context, token: string): Principal | undefined {
  const claims = verifiedBefore(ctx, token);
  if (!claims || isExpired(ctx, claims)) return undefined;
  const found = currentSession(ctx, claims.sid, claims.gen);
  if (!found || refusalOf(ctx, found, claims)) return undefined;
  if (noteUse(ctx, found.session, claims.gen)) return undefined;
  ctx.metrics?.sessionRead(true);
  return found.principal;
}

/** Why a session lets nobody in. */
function refusalOf(ctx: Context, found: FoundSession | null, { sub }: Claims) {
  if (!found || found.session.userId !== sub) return 'session_ended';
  if (found.user.disabledAt) return 'user_disabled';
  return isLive(found.session, ctx.clock.now()) ? undefined : 'session_ended';
}
