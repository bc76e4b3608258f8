import { User } from '#models/index';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';
import { register } from '#src/users/register';
import type { NewUser } from '#src/users/schemas';

/**
 * Registers somebody who must confirm their address before they can sign in. Nobody learns whether the address was known: its owner,
 * if there is one, gets a mail. Throws `weak_password`, `username_taken`, `busy`, 400 `invalid_request` without an address.
 */
export async function signUp(newUser: NewUser): Promise<void> {
  const { username, email } = newUser;
  if (!email)
    throw new Problem('invalid_request', {
      members: { errors: [{ pointer: '/email', code: 'required', message: 'Give an e-mail address' }] },
    });
  try {
    await register(newUser);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'email_taken') throw error;
    // With both taken, engines differ in which index they name first. Usernames are no secret.
    if (username && (await User.count({ where: { usernameCanonical: username.canonical } })) > 0) throw new Problem('username_taken');
    await tellOwner(email.canonical);
  }
}

async function tellOwner(emailCanonical: string): Promise<void> {
  const owner = await User.findOne({ where: { emailCanonical, disabledAt: null } });
  if (owner && (await mayMail(emailCanonical))) await queueMail(owner.email, 'already-registered', { link: linkTo('/forgot-password') });
}

/** Whether whoever signs up has to confirm their address first. */
export const isVerificationRequired = (): boolean => config.EMAIL_VERIFICATION === 'required';
