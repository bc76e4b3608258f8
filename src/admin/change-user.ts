import type { User } from '#models/index';
import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { requireLivePermission } from '#src/sessions/require-live-permission';
import { requireCover } from '#src/users/permissions';
import { permissionsOf, type Principal } from '#src/users/principal';
import { findWithRoles } from '#src/users/with-roles';

/** Who asks for a change: the user of a request, or undefined for an operator or the app, who may do everything. */
export type By = Principal | undefined;

interface Acting {
  by: By;
  permission: string;
}

/**
 * Runs a change of a user by somebody else, with the turn of their row. Whoever asks is looked at again: guards ran before
 * the body arrived. `by` cannot change a user who has a permission that `by` lacks. `change` gets the user, loaded with roles.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 404 `not_found`; and what `change` throws
 */
export const changeUser = <T>(
  ctx: Context,
  id: string,
  { by, permission }: Acting,
  change: (user: User) => Promise<T>,
): Promise<T> =>
  ctx.db.transaction(async () => {
    const held = by && (await requireLivePermission(ctx, by, permission));
    const user = (await takeTurn(ctx.db.User, { id })) && (await findWithRoles(ctx.db, { id }));
    if (!user) throw new Problem('not_found');
    if (held) requireCover(held, permissionsOf(user.roles!));
    return change(user);
  });
