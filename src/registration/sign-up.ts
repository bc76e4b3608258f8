import { v7 as uuid } from 'uuid';
import type { Context } from '#src/context';
import { createEmailChallenge } from '#src/email/email-challenge';
import { alreadyRegisteredMail, verifyEmailMail } from '#src/email/mails';
import { requireStrong } from '#src/passwords/password-policy';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo, type Onward } from '#src/platform/mail/template';
import { signUpExpiry } from '#src/sign-ups/sign-ups';
import { mayMail } from '#src/user-mail/mail-limit';
import { isUsernameTaken } from '#src/users/find';
import { namesAsColumns } from '#src/users/identifiers';
import type { NewUser } from '#src/users/schemas';

/**
 * Stores a sign-up that becomes a user when its address is confirmed. Nobody learns if the address
 * is known, neither here nor by signing in: the same is stored, and a user who has the address gets
 * a different mail.
 * @throws {Problem} 400 `invalid_request` without an address; 409 `username_taken`; 422
 *   `weak_password`; 503 `busy`
 */
export async function signUp(
  ctx: Context,
  { username, email, password, name }: NewUser,
  onward?: Onward,
): Promise<void> {
  const { db, settings } = ctx;
  if (!email) throw emailMissing();
  const owner = { username: username?.canonical, email: email.canonical, name };
  await requireStrong(ctx, password, owner);
  const refuseTaken = async () => {
    if (username && (await isUsernameTaken(ctx, username.canonical)))
      throw new Problem('username_taken');
  };
  await refuseTaken();
  const passwordHash = await ctx.passwords.hash(password);
  if (!(await mayMail(ctx, email.canonical))) return;
  await db.transaction(async () => {
    await refuseTaken();
    const user = await db.User.findOne({ where: { emailCanonical: email.canonical } });
    const { id } = await db.SignUp.create({
      id: uuid(),
      ...namesAsColumns({ username }),
      email: email.display,
      emailCanonical: email.canonical,
      name: name ?? null,
      passwordHash,
      expiresAt: signUpExpiry(ctx.clock),
    });
    const challenge = await createEmailChallenge(ctx, { signUpId: id }, email.canonical, onward);
    if (user) {
      const mail = alreadyRegisteredMail({
        link: linkTo(settings, '/forgot-password', {}, onward),
      });
      await queueMail(ctx, user.disabledAt ? null : user.email, mail, user);
    } else await queueMail(ctx, email.display, verifyEmailMail(challenge));
  });
}

const emailMissing = () =>
  new Problem('invalid_request', {
    members: {
      errors: [{ pointer: '/email', code: 'required', message: 'Give an e-mail address' }],
    },
  });
