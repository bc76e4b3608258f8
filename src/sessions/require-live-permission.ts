import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { requireLiveSession } from '#src/sessions/require-live-session';
import { covers } from '#src/users/permissions';
import { permissionsOf, type Principal } from '#src/users/principal';
import { findWithRoles } from '#src/users/with-roles';

/** Runs first in the transaction of a change, and may refuse it. */
export type Before = () => Promise<unknown>;
export const unchecked: Before = async () => {};

/** What a route gives a change, so that its user is looked at again: see `requireLivePermission`. */
export const stillMay =
  (ctx: Context, permission: string) =>
  (user: Principal): Before =>
  () =>
    requireLivePermission(ctx, user, permission);

/**
 * Whoever acts on others has these permissions now. Answers all that they have. Call it first in the transaction of the
 * change: guards ran before the body arrived, and the role may be gone. It takes turns as `requireLiveSession` does.
 * @throws {Problem} 401 `session_ended`, 403 `forbidden`
 */
export async function requireLivePermission(
  ctx: Context,
  principal: Principal,
  ...wanted: [string, ...string[]]
): Promise<readonly string[]> {
  const { id } = await requireLiveSession(ctx, principal);
  const { scopes } = principal;
  const user = await findWithRoles(ctx.db, { id });
  const roles = (user?.roles ?? []).filter(({ name }) => scopes?.includes(name) ?? true);
  const held = permissionsOf(roles);
  if (!covers(held, wanted)) throw new Problem('forbidden', { members: { required: wanted } });
  return held;
}
