import type { User } from '#models/index';
import type { Context } from '#src/context';
import { userRow, type UserFields } from '#src/users/user-row';

/**
 * Makes a user with these roles and loads them. The unique indexes have the last word about names.
 * @throws {UniqueConstraintError} if a name is taken: see `mapUniqueViolation`
 */
export const createUser = (
  { db, events }: Context,
  fields: UserFields,
  roleNames: readonly string[] = ['user'],
): Promise<User> =>
  db.transaction(async () => {
    const roles = await db.Role.findAll({ where: { name: [...roleNames] } });
    if (roles.length < new Set(roleNames).size)
      throw new Error('A role is missing that new users are to have.');
    const user = await db.User.create(userRow(fields));
    for (const role of roles) await db.UserRole.create({ userId: user.id, roleId: role.id });
    user.roles = roles;
    user.knownSessions = { origins: [], excess: [] };
    events.emit('user.registered', { userId: user.id });
    return user;
  });
