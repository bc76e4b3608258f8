import type { Role } from '#models/index';
import type { Context } from '#src/context';
import { grants } from '#src/users/permissions';
import { permissionsOf } from '#src/users/principal';
import { findWithRoles } from '#src/users/with-roles';

/** The roles with these names, or null if one of them does not exist. */
export async function rolesNamed(
  { db }: Context,
  names: readonly string[],
): Promise<Role[] | null> {
  const roles = await db.Role.findAll({ where: { name: [...names] } });
  return roles.length < names.length ? null : roles;
}

/**
 * The permissions that somebody lacks to invite with these roles now: `users:write`, and for more than `user` also
 * `roles:assign` and what the roles allow. Asked again when the invitation is accepted: what was taken from them meanwhile
 * must not be given by them. Null is an operator or the app, who may give every role.
 */
export async function lackedToInvite(
  { db }: Context,
  inviterId: string | null,
  roles: readonly Role[],
): Promise<string[]> {
  if (inviterId === null) return [];
  const inviter = await findWithRoles(db, { id: inviterId });
  const held = inviter && !inviter.disabledAt ? permissionsOf(inviter.roles!) : [];
  const more = roles.filter(({ name }) => name !== 'user');
  const needed = [
    'users:write',
    ...(more.length > 0 ? ['roles:assign'] : []),
    ...permissionsOf(more),
  ];
  return needed.filter((each) => !grants(held, each));
}
