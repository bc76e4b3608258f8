import { createRole, RoleName } from '#src/access/roles';
import type { Context } from '#src/context';
import { invalidFields } from '#src/platform/http/parse';
import { assignRole, withdrawRole } from '#src/roles/assign-role';
import { deleteRole, setRole } from '#src/roles/change-role';
import { listedRole, RoleChanges } from '#src/roles/role';
import { named } from '#src/server-api/credentials';

type Role = ReturnType<typeof listedRole>;

export const rolesApi = (ctx: Context) => ({
  async list(): Promise<string[]> {
    const roles = await ctx.db.Role.findAll({ order: [['name', 'ASC']] });
    return roles.map(({ name }) => name);
  },
  /** A role with its permissions, or null. */
  async find(role: string): Promise<Role | null> {
    const found = await ctx.db.Role.findOne({ where: { name: role } });
    return found && listedRole(found);
  },
  /** Creates a role without permissions. Answers false if it existed. @throws {Problem} 400 `invalid_request` */
  create: async (role: string): Promise<boolean> => createRole(ctx, nameIn(role)),
  /**
   * Creates a role or changes it, for everybody who has it. What is not given stays. `permissions`: all that it has then,
   * such as `['invoices:read']`.
   * @throws {Problem} 400 `invalid_request`, 409 `protected_role` for `admin`, `conflict` for too many roles
   */
  async set(
    role: string,
    changes: { description?: string; permissions?: readonly string[] },
  ): Promise<Role> {
    const { data, error } = RoleChanges.safeParse(changes);
    if (error) throw invalidFields(error);
    return listedRole(await setRole(ctx, nameIn(role), data));
  },
  /**
   * Deletes a role, and takes it from everybody.
   * @throws {Problem} 404 `not_found`, 409 `protected_role` for `user`, `moderator` and `admin`
   */
  delete: (role: string): Promise<void> => deleteRole(ctx, role),
  /** Answers false if the user had the role. @throws {Problem} 404 `not_found` */
  grant: async (user: string, role: string): Promise<boolean> =>
    assignRole(ctx, (await named(ctx, user)).id, role),
  /** Answers false if the user did not have the role. @throws {Problem} 404 `not_found`, 409 `last_admin` */
  revoke: async (user: string, role: string): Promise<boolean> =>
    withdrawRole(ctx, (await named(ctx, user)).id, role),
});

function nameIn(role: string): string {
  const { data, error } = RoleName.safeParse(role);
  if (error) throw invalidFields(error);
  return data;
}
