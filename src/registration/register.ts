import type { User } from '#models/index';
import type { Context } from '#src/context';
import { sendEmailChallenge } from '#src/email/email-challenge';
import { requireStrong } from '#src/passwords/password-policy';
import { mayMail } from '#src/user-mail/mail-limit';
import { createUser } from '#src/users/create-user';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import type { NewUser } from '#src/users/schemas';

/**
 * Makes a user with a password and these roles, and loads the roles. Of several at once with the
 * same name, one wins. An address that got too many mails gets none: otherwise a stranger could be
 * sent mails without end by somebody who registers and deletes themselves again and again.
 * @throws {Problem} 409 `username_taken`, `email_taken`; 422 `weak_password`; 503 `busy`
 */
export async function register(
  ctx: Context,
  { username, email, password, name }: NewUser,
  roleNames: readonly string[] = ['user'],
): Promise<User> {
  const owner = { username: username?.canonical, email: email?.canonical, name };
  await requireStrong(ctx, password, owner);
  // Before the transaction: hashing is slow, and locks must be short.
  const passwordHash = await ctx.passwords.hash(password);
  const mayAsk =
    ctx.settings.emailVerification !== 'off' &&
    email !== undefined &&
    (await mayMail(ctx, email.canonical));
  return mapUniqueViolation(() =>
    ctx.db.transaction(async () => {
      const user = await createUser(ctx, { username, email, name, passwordHash }, roleNames);
      if (mayAsk) await sendEmailChallenge(ctx, user);
      return user;
    }),
  );
}
