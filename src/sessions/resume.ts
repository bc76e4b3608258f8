import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import type { Claims } from '#src/sessions/access-tokens';
import { isLive } from '#src/sessions/find-session';
import { noteUse } from '#src/sessions/last-seen';
import { readSession } from '#src/sessions/session-cache';
import type { Principal } from '#src/users/principal';

/**
 * The user of the live session that an access token belongs to. Every request with an access token passes here. It
 * costs one query, or none while the cache is current. Requests may share the principal.
 * @throws {Problem} 401 `session_ended`, `user_disabled`
 */
export async function resumeSession(ctx: Context, { sid, sub, gen }: Claims): Promise<Principal> {
  const found = await readSession(ctx, sid, gen);
  if (!found || found.session.userId !== sub) throw new Problem('session_ended');
  if (found.user.disabledAt) throw new Problem('user_disabled');
  if (!isLive(found.session, ctx.clock.now())) throw new Problem('session_ended');
  await noteUse(ctx, found.session, gen);
  return found.principal;
}
