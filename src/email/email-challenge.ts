import { randomInt } from 'node:crypto';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { verifyEmailMail } from '#src/email/mails';
import { lifetimes } from '#src/lifetimes';
import { replaceToken, type Owner } from '#src/one-time-tokens/one-time-tokens';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo, type Link, type Onward } from '#src/platform/mail/template';
import { VERIFY } from '#src/user-mail/mail-tokens';

/** What the token of a challenge holds. */
export interface EmailChallenge {
  /** The canonical address that the mail goes to. */
  email: string;
  /** Six digits. */
  code: string;
}

/**
 * A link and a code that confirm an address. The page of a sign-up asks for its password. They
 * replace what the owner got before. For an owner
 * who does not exist the same statements run.
 */
export async function createEmailChallenge(
  ctx: Context,
  owner: Owner,
  email: string,
  onward?: Onward,
): Promise<{ link: Link; code: string }> {
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  const data: EmailChallenge = { email, code };
  const grant = { ...owner, data };
  const token = await replaceToken(ctx, VERIFY, lifetimes.emailChallengeSeconds, grant);
  const page = owner.signUpId ? '/confirm-sign-up' : '/confirm-email';
  return { link: linkTo(ctx.settings, page, { token }, onward), code };
}

/** Mails a challenge to a user whose address is unconfirmed. Does nothing for any other user. */
export async function sendEmailChallenge(ctx: Context, user: User, onward?: Onward): Promise<void> {
  const { id, email, emailCanonical, emailVerifiedAt } = user;
  if (emailCanonical === null || emailVerifiedAt) return;
  const challenge = await createEmailChallenge(ctx, { userId: id }, emailCanonical, onward);
  await queueMail(ctx, email, verifyEmailMail(challenge), user);
}
