import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { Role, UserRole, type User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import { emit } from '#src/core/events';

/** One spelling for each role: no guard ever wonders whether `Admin` is `admin`. */
export const RoleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._:-]{0,63}$/, 'A role is named with small letters, digits and . _ : -, at most 64')
  .meta({ example: 'editor' });

/** Makes a role. Makes nothing and answers false if it is there. */
export async function createRole(name: string): Promise<boolean> {
  try {
    await Role.create({ id: uuid(), name });
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
  emit('role.created', { role: name });
  return true;
}

/** Binds on the user's next request. Answers false if they had it. */
export async function grantRole(user: User, role: Role): Promise<boolean> {
  try {
    await UserRole.create({ userId: user.id, roleId: role.id });
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
  emit('role.granted', { userId: user.id, role: role.name });
  return true;
}

/** Binds on the user's next request. Answers false if they did not have it. Throws 409 `last_admin`. */
export async function revokeRole(user: User, role: Role): Promise<boolean> {
  const removed = await keepAnAdmin(() => UserRole.destroy({ where: { userId: user.id, roleId: role.id } }));
  if (removed > 0) emit('role.revoked', { userId: user.id, role: role.name });
  return removed > 0;
}
