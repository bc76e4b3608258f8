import type { Role, User } from '#models/index';
import { grantRole, revokeRole } from '#src/access/roles';
import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { governRoles, type By } from '#src/roles/govern';
import { roleNamed } from '#src/roles/role';
import { grants, permissionsIn, requireCover } from '#src/users/permissions';

/**
 * Gives a user a role, from their next request on. Answers false if they had it. Nobody gives a role that has a permission
 * which they lack. Only who has `*` gives a role to themselves.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 404 `not_found`
 */
export const assignRole = (
  ctx: Context,
  userId: string,
  roleName: string,
  by?: By,
): Promise<boolean> =>
  withUserAndRole(ctx, userId, roleName, by, (user, role, held) => {
    // Apps ask for names of roles, too. So a role without permissions is a gain.
    if (by?.id === user.id && !grants(held, '*'))
      throw new Problem('forbidden', { members: { required: ['*'] } });
    return grantRole(ctx, user, role);
  });

/**
 * Takes a role from a user, from their next request on. Answers false if they did not have it. Nobody takes a role that
 * has a permission which they lack.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 404 `not_found`; 409 `last_admin`
 */
export const withdrawRole = (
  ctx: Context,
  userId: string,
  roleName: string,
  by?: By,
): Promise<boolean> =>
  withUserAndRole(ctx, userId, roleName, by, (user, role) => revokeRole(ctx, user, role));

/** `change` gets the user, the role, and the permissions of who asks, which cover those of the role. */
const withUserAndRole = <T>(
  ctx: Context,
  userId: string,
  roleName: string,
  by: By,
  change: (user: User, role: Role, held: readonly string[]) => Promise<T>,
): Promise<T> =>
  governRoles(ctx, by, 'roles:assign', async (held) => {
    const user = await userWithTurn(ctx, userId);
    const role = await roleNamed(ctx, roleName);
    requireCover(held, permissionsIn(role.permissions));
    return change(user, role, held);
  });

/** With their turn: what they do with their permissions at this moment comes before the change, or after it. */
async function userWithTurn({ db: { User } }: Context, id: string): Promise<User> {
  const user = (await takeTurn(User, { id })) && (await User.findByPk(id));
  if (!user) throw new Problem('not_found');
  return user;
}
