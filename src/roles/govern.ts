import { keepAnAdmin } from '#src/access/last-admin';
import type { Context } from '#src/context';
import { endLostImpersonations } from '#src/roles/end-lost-impersonations';
import { requireLivePermission } from '#src/sessions/require-live-permission';
import type { Principal } from '#src/users/principal';

/** Who asks for a change: the user of a request, or undefined for an operator or the app, who may do everything. */
export type By = Principal | undefined;

/**
 * Runs a change of roles, or of who has them. `change` gets the permissions that whoever asks has now. Such changes run one
 * after the other, on all nodes: of a change that takes a permission from somebody, and one that they make with it, one
 * comes first. A role that is granted is covered by the permissions that somebody has at that moment.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 409 `last_admin`
 */
export const governRoles = <T>(
  ctx: Context,
  by: By,
  permission: string,
  change: (held: readonly string[]) => Promise<T>,
): Promise<T> =>
  keepAnAdmin(ctx, async () => {
    const result = await change(by ? await requireLivePermission(ctx, by, permission) : ['*']);
    await endLostImpersonations(ctx);
    return result;
  });
