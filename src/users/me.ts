import { User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import { emit } from '#src/core/events';
import { passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import type { Identifier } from '#src/users/identifiers';
import { refuseTaken } from '#src/users/register';

interface Changes {
  username?: Identifier | undefined;
  name?: string | null | undefined;
}

/** The user with these changes, loaded with roles. Throws `username_taken`. */
export async function updateUser(id: string, { username, name }: Changes): Promise<User> {
  const values = {
    ...(name !== undefined && { name }),
    ...(username && { username: username.display, usernameCanonical: username.canonical }),
  };
  await refuseTaken(() => User.update(values, { where: { id } }));
  const user = await User.findByPk(id, { include: ['roles'] });
  if (!user) throw new Problem('session_ended');
  emit('user.updated', { userId: id });
  return user;
}

/** Ends the user for good, with sessions and roles. Throws `invalid_credentials`, `last_admin`, `busy`. */
export async function deleteUser(id: string, password: string): Promise<void> {
  const user = await User.findByPk(id, { attributes: ['passwordHash'] });
  if (!(await passwordMatches(password, user?.passwordHash))) throw new Problem('invalid_credentials');
  await keepAnAdmin(() => User.destroy({ where: { id } }));
  emit('user.deleted', { userId: id });
}
