import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { Role, User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import type { Context } from '#src/context';
import { voidPending } from '#src/user-mail/void-pending';

/** A role has one spelling, so guards compare names as they are. */
export const RoleName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._:-]{0,63}$/,
    'A role is named with small letters, digits and . _ : -, at most 64',
  )
  .meta({ example: 'editor' });

/** Creates a role. Answers false if it exists. */
export async function createRole({ db, events }: Context, name: string): Promise<boolean> {
  try {
    await db.transaction(async () => {
      await db.Role.create({ id: uuid(), name });
      events.emit('role.created', { role: name });
    });
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
  return true;
}

/** Takes effect on the user's next request. Answers false if the user had the role. */
export async function grantRole(
  ctx: Context,
  user: Pick<User, 'id'>,
  role: Pick<Role, 'id' | 'name'>,
): Promise<boolean> {
  const { db, events } = ctx;
  try {
    await db.transaction(async () => {
      await db.UserRole.create({ userId: user.id, roleId: role.id });
      await voidPending(ctx, user.id);
      events.emit('role.granted', { userId: user.id, role: role.name });
    });
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
  return true;
}

/**
 * Takes effect on the user's next request. Answers false if the user did not have the role.
 * @throws {Problem} 409 `last_admin`
 */
export async function revokeRole(
  ctx: Context,
  user: Pick<User, 'id'>,
  role: Pick<Role, 'id' | 'name'>,
): Promise<boolean> {
  const { db, events } = ctx;
  return keepAnAdmin(ctx, async () => {
    const rows = await db.UserRole.destroy({ where: { userId: user.id, roleId: role.id } });
    if (rows === 0) return false;
    await voidPending(ctx, user.id);
    events.emit('role.revoked', { userId: user.id, role: role.name });
    return true;
  });
}
