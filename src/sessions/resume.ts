import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { isExpired, verifiedBefore, type Claims } from '#src/sessions/access-tokens';
import { endSessions } from '#src/sessions/end-sessions';
import { isLive } from '#src/sessions/find-session';
import { noteUse } from '#src/sessions/last-seen';
import {
  currentSession,
  readSession,
  readStored,
  type ReadSession,
} from '#src/sessions/session-cache';
import { mayImpersonate } from '#src/users/impersonation';
import { permissionsOf, type Principal } from '#src/users/principal';

const UNPROVED =
  'This token is bound to a key: send it with the scheme DPoP and a proof, and any other without';

/**
 * The user of the live session that an access token belongs to. Every request with an access token passes here, or by
 * `recallSession`. It costs one query, or none while the cache is current. Requests may share the principal. `provenKey`:
 * see `provenKeyOf`. A token that is bound to a key is good with that key only.
 * @throws {Problem} 401 `session_ended`, `user_disabled`, `invalid_dpop_proof`
 */
export async function resumeSession(
  ctx: Context,
  claims: Claims,
  provenKey?: string,
): Promise<Principal> {
  const { sid, gen, act_sid, cnf } = claims;
  if (cnf?.jkt !== provenKey)
    throw new Problem('invalid_dpop_proof', { members: { detail: UNPROVED } });
  return (await resume(ctx, claims, await readSession(ctx, sid, gen, act_sid))).principal;
}

/**
 * The same as it stands in the database, whatever this node has cached: for others, who keep what they are told.
 * @throws {Problem} 401 `session_ended`, `user_disabled`
 */
export const resumeStored = async (ctx: Context, claims: Claims): Promise<ReadSession> =>
  resume(ctx, claims, await readStored(ctx, claims.sid, claims.gen, claims.act_sid));

async function resume(
  ctx: Context,
  claims: Claims,
  found: ReadSession | null,
): Promise<ReadSession> {
  const refusal = refusalOf(ctx, found, claims);
  if (refusal === ACTOR_GONE)
    await endSessions(ctx, { id: claims.sid }, 'actor_gone', { kind: 'server' });
  if (!found || refusal) throw new Problem(refusal === 'user_disabled' ? refusal : 'session_ended');
  await noteUse(ctx, found.session, claims.gen);
  return found;
}

/**
 * The same for an access token, without waiting: if its signature was checked before, its session is in memory and
 * current, and there is nothing to write. Undefined says nothing about the token. A promise costs each request as much as
 * these checks do.
 */
export function recallSession(ctx: Context, token: string): Principal | undefined {
  const claims = verifiedBefore(ctx, token);
  if (!claims || claims.cnf || isExpired(ctx, claims)) return undefined;
  const found = currentSession(ctx, claims.sid, claims.gen);
  if (!found || refusalOf(ctx, found, claims)) return undefined;
  if (noteUse(ctx, found.session, claims.gen)) return undefined;
  ctx.metrics?.sessionRead(true);
  return found.principal;
}

const ACTOR_GONE = 'actor gone';

/** Why a session lets nobody in. */
function refusalOf(ctx: Context, found: ReadSession | null, claims: Claims) {
  if (!found || found.session.userId !== claims.sub) return 'session_ended';
  if (found.user.disabledAt) return 'user_disabled';
  if (!isLive(found.session, ctx.clock.now())) return 'session_ended';
  if (found.session.actorSessionId === null) return claims.act && 'session_ended';
  return mayGoOn(ctx, found, claims) ? undefined : ACTOR_GONE;
}

/**
 * True while whoever acts for the user is signed in, and may act for them. The permissions of both are those that this
 * request has read.
 */
function mayGoOn(
  ctx: Context,
  { session, principal, actor }: ReadSession,
  claims: Claims,
): boolean {
  if (!actor || session.actorSessionId !== claims.act_sid) return false;
  if (actor.user.id !== claims.act?.sub || actor.user.disabledAt) return false;
  const held = permissionsOf(actor.user.roles);
  return isLive(actor.session, ctx.clock.now()) && mayImpersonate(held, principal.permissions);
}
