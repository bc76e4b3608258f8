import type { WhereOptions } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { sendEmailChallenge } from '#src/email/email-challenge';
import { requireStrong } from '#src/passwords/password-policy';
import { Problem } from '#src/platform/http/problem';
import type { Onward } from '#src/platform/mail/template';
import { mayMail } from '#src/user-mail/mail-limit';
import { createUser } from '#src/users/create-user';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import type { NewUser } from '#src/users/schemas';

/**
 * Makes a user with a password and these roles, and loads the roles. An address that nobody has
 * verified gets a mail, unless EMAIL_VERIFICATION is off. Of several at once with the
 * same name, one wins. An address that got too many mails gets none: otherwise a stranger could be
 * sent mails without end by somebody who registers and deletes themselves again and again.
 * @throws {Problem} 409 `username_taken`, `email_taken`; 422 `weak_password`; 503 `busy`
 */
export async function register(
  ctx: Context,
  { username, email, password, name, emailVerified = false }: NewUser,
  roleNames: readonly string[] = ['user'],
  onward?: Onward,
): Promise<User> {
  const owner = { username: username?.canonical, email: email?.canonical, name };
  await requireStrong(ctx, password, owner);
  await refuseTaken(ctx, { username, email });
  // Before the transaction: hashing is slow, and locks must be short.
  const passwordHash = await ctx.passwords.hash(password);
  const mayAsk =
    ctx.settings.emailVerification !== 'off' &&
    email !== undefined &&
    !emailVerified &&
    (await mayMail(ctx, email.canonical));
  return mapUniqueViolation(() =>
    ctx.db.transaction(async () => {
      const emailVerifiedAt = emailVerified ? ctx.clock.date() : null;
      const fields = { username, email, name, passwordHash, emailVerifiedAt };
      const user = await createUser(ctx, fields, roleNames);
      if (mayAsk) await sendEmailChallenge(ctx, user, onward);
      return user;
    }),
  );
}

/** Before a hash is spent on a name that nobody can have. The unique indexes decide afterwards. */
async function refuseTaken(
  { db }: Context,
  { username, email }: Pick<NewUser, 'username' | 'email'>,
) {
  const taken = (where: WhereOptions<User>) => db.User.count({ where });
  if (username && (await taken({ usernameCanonical: username.canonical })))
    throw new Problem('username_taken');
  if (email && (await taken({ emailCanonical: email.canonical }))) throw new Problem('email_taken');
}
