import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { Role, transaction, User, UserRole } from '#models/index';
import { emit } from '#src/core/events';
import { hashPassword } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import { namesAsColumns } from '#src/users/identifiers';
import { requireStrong } from '#src/users/password-policy';
import type { NewUser } from '#src/users/schemas';

/**
 * A new user with these roles, loaded with them. Of several at once with one name, one wins.
 * Throws `weak_password`, `username_taken`, `email_taken`, `busy`.
 */
export async function register({ username, email, password, name }: NewUser, roleNames = ['user']): Promise<User> {
  await requireStrong(password, { username: username?.canonical, email: email?.canonical, name });
  const passwordHash = await hashPassword(password); // before the transaction: hashing is slow, locks are dear
  const user = await refuseTaken(() =>
    transaction(async () => {
      const roles = await Role.findAll({ where: { name: roleNames } });
      if (roles.length < new Set(roleNames).size) throw new Error('A role is missing that new users are to have.');
      const created = await User.create({
        id: uuid(),
        ...namesAsColumns({ username, email }),
        passwordHash,
        name: name ?? null,
        emailVerifiedAt: null,
        disabledAt: null,
      });
      for (const role of roles) await UserRole.create({ userId: created.id, roleId: role.id });
      created.roles = roles;
      return created;
    }),
  );
  emit('user.registered', { userId: user.id });
  return user;
}

/** Runs a write that the unique indexes may refuse, and says which name it was. */
export async function refuseTaken<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem(JSON.stringify(error.fields).includes('username') ? 'username_taken' : 'email_taken', { cause: error });
  }
}
