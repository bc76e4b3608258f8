import { v7 as uuid } from 'uuid';
import { Role, transaction, User, UserRole } from '#models/index';
import { config } from '#src/config';
import { emit } from '#src/core/events';
import { hashPassword } from '#src/core/passwords';
import { mayMail } from '#src/mail/limit';
import { namesAsColumns, type Identifier } from '#src/users/identifiers';
import { requireStrong } from '#src/users/password-policy';
import { askToVerify } from '#src/users/proofs';
import type { NewUser } from '#src/users/schemas';
import { refuseTaken } from '#src/users/taken';

/**
 * A new user with a password and these roles, loaded with them. Of several at once with one name, one wins. An address that has got too
 * many mails gets none now: whoever signs up and deletes themselves again and again sends a stranger no more than others can.
 * Throws `weak_password`, `username_taken`, `email_taken`, `busy`.
 */
export async function register({ username, email, password, name }: NewUser, roleNames = ['user']): Promise<User> {
  await requireStrong(password, { username: username?.canonical, email: email?.canonical, name });
  const passwordHash = await hashPassword(password); // before the transaction: hashing is slow, locks are dear
  const mayAsk = config.EMAIL_VERIFICATION !== 'off' && email !== undefined && (await mayMail(email.canonical));
  return refuseTaken(() =>
    transaction(async () => {
      const user = await createUser({ username, email, name, passwordHash }, roleNames);
      if (mayAsk) await askToVerify(user);
      return user;
    }),
  );
}

interface Fields {
  username?: Identifier | undefined;
  email?: Identifier | undefined;
  name?: string | undefined;
  passwordHash?: string;
  emailVerifiedAt?: Date | null;
}

/** A new user as every way in makes them, loaded with these roles. The unique indexes have the last word. */
export const createUser = ({ username, email, name, passwordHash, emailVerifiedAt = null }: Fields, roleNames = ['user']): Promise<User> =>
  transaction(async () => {
    const roles = await Role.findAll({ where: { name: roleNames } });
    if (roles.length < new Set(roleNames).size) throw new Error('A role is missing that new users are to have.');
    const user = await User.create({
      id: uuid(),
      ...namesAsColumns({ username, email }),
      passwordHash: passwordHash ?? null,
      name: name ?? null,
      emailVerifiedAt,
      disabledAt: null,
    });
    for (const role of roles) await UserRole.create({ userId: user.id, roleId: role.id });
    user.roles = roles;
    emit('user.registered', { userId: user.id });
    return user;
  });
