import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import type { Role } from '#models/index';
import type { Context } from '#src/context';
import { requireMatch } from '#src/platform/http/etag';
import { Problem } from '#src/platform/http/problem';
import { governRoles, type By } from '#src/roles/govern';
import { etagOfRole, roleNamed, type RoleChanges } from '#src/roles/role';
import { voidSentToHolders } from '#src/user-mail/void-pending';
import { grants, permissionsIn, requireCover, sortedPermissions } from '#src/users/permissions';

/** How many roles there may be. */
const MAX_ROLES = 1000;
/** It has every permission, always. Who keeps the last administrator asks for its name. */
const ADMIN = 'admin';
const SHIPPED = ['user', 'moderator', ADMIN];
/** From so many users a role is taken in one transaction. */
const USERS_AT_ONCE = 1000;

interface Condition {
  by?: By;
  /** The header of this name. */
  ifMatch?: string | undefined;
}

/**
 * Creates a role, or changes it for everybody who has it, on their next request. Nobody gives a role a permission that
 * they do not have, nor changes a role that has one. Only who has `*` changes a role of their own.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 409 `protected_role` for `admin`, `conflict` for too many
 * roles; 412 `precondition_failed`
 */
export const setRole = (
  ctx: Context,
  name: string,
  { description, permissions }: RoleChanges,
  { by, ifMatch }: Condition = {},
): Promise<Role> =>
  governRoles(ctx, by, 'roles:write', async (held) => {
    if (name === ADMIN) throw new Problem('protected_role');
    const role = await ctx.db.Role.findOne({ where: { name } });
    if (role) await requireNotOwn(ctx, role, held, by);
    requireCover(held, [...permissionsOfRole(role), ...(permissions ?? [])]);
    const values = {
      description: description ?? role?.description ?? '',
      permissions: permissions
        ? sortedPermissions(permissions).join(' ')
        : (role?.permissions ?? ''),
    };
    if (!role) {
      if (ifMatch !== undefined) throw new Problem('precondition_failed');
      return create(ctx, name, values);
    }
    requireMatch(ifMatch, etagOfRole(role));
    return change(ctx, role, values);
  });

const permissionsOfRole = (role: Role | null) => permissionsIn(role?.permissions ?? '');

/** Whoever changes a role that they have may keep by it what another role of theirs loses. */
async function requireNotOwn(
  { db }: Context,
  { id: roleId }: Role,
  held: readonly string[],
  by: By,
): Promise<void> {
  if (!by || grants(held, '*')) return;
  if ((await db.UserRole.count({ where: { userId: by.id, roleId } })) > 0)
    throw new Problem('forbidden', { members: { required: ['*'] } });
}

type Values = Pick<Role, 'description' | 'permissions'>;

async function create({ db, events }: Context, name: string, values: Values): Promise<Role> {
  if ((await db.Role.count()) >= MAX_ROLES) throw new Problem('conflict');
  try {
    const role = await db.Role.create({ id: uuid(), name, ...values });
    events.emit('role.created', { role: name });
    const added = permissionsOfRole(role);
    if (added.length > 0) events.emit('role.changed', { role: name, added, removed: [] });
    return role;
  } catch (error) {
    // An import made it meanwhile.
    if (error instanceof UniqueConstraintError) throw new Problem('conflict');
    throw error;
  }
}

async function change(ctx: Context, role: Role, values: Values): Promise<Role> {
  if (role.description === values.description && role.permissions === values.permissions)
    return role;
  const [before, after] = [permissionsOfRole(role), permissionsIn(values.permissions)];
  const added = after.filter((each) => !before.includes(each));
  await role.update(values);
  if (added.length > 0) await voidSentToHolders(ctx, role.id);
  ctx.events.emit('role.changed', {
    role: role.name,
    added,
    removed: before.filter((each) => !after.includes(each)),
  });
  return role;
}

/**
 * Deletes a role, and so takes it from everybody, on their next request. From more than 1000 users it is taken in steps:
 * if one fails, some have the role still. Then do it again.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 404 `not_found`; 409 `protected_role` for those that the server
 * needs; 412 `precondition_failed`
 */
export async function deleteRole(
  ctx: Context,
  name: string,
  { by, ifMatch }: Condition = {},
): Promise<void> {
  let users = 0;
  const step = () =>
    governRoles(ctx, by, 'roles:write', async (held) => {
      const { db, events } = ctx;
      if (SHIPPED.includes(name)) throw new Problem('protected_role');
      const role = await roleNamed(ctx, name);
      requireCover(held, permissionsOfRole(role));
      requireMatch(ifMatch, etagOfRole(role));
      const where = { roleId: role.id };
      const links = await db.UserRole.findAll({ where, limit: USERS_AT_ONCE });
      const userId = links.map((link) => link.userId);
      await db.UserRole.destroy({ where: { ...where, userId } });
      if (links.length === USERS_AT_ONCE) {
        // Other services keep what these users may do, and the last step may never come.
        events.emit('role.changed', { role: name, added: [], removed: [] });
        return { taken: links.length, isDone: false };
      }
      await role.destroy();
      events.emit('role.deleted', { role: name, users: users + links.length });
      return { taken: links.length, isDone: true };
    });
  for (let isDone = false; !isDone;) {
    const { taken, ...rest } = await step();
    users += taken;
    ({ isDone } = rest);
  }
}
