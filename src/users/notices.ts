import type { User } from '#models/index';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';

/** A name is chosen by whoever signs up, maybe with somebody else's address: it greets only whoever has proved theirs. */
export const greeted = ({ name, emailVerifiedAt }: User): string | null => (emailVerifiedAt ? name : null);

/** An address that nobody has proved may be a stranger's, who gets no more mails than anybody can ask for. Counts: ask before a transaction. */
export const mayTell = async ({ emailCanonical, emailVerifiedAt }: User): Promise<boolean> =>
  emailCanonical !== null && (emailVerifiedAt !== null || (await mayMail(emailCanonical)));

/** Whoever has an address hears of a new password, in case it was not they who chose it. */
export async function tellPasswordChanged(user: User): Promise<void> {
  if (user.email)
    await queueMail(user.email, 'password-changed', { name: greeted(user), at: new Date(), link: linkTo('/forgot-password') });
}

/** Whoever has proved an address hears of a new way in, in case it was not they who made it. */
export async function tellIdentityLinked({ email, emailVerifiedAt, name }: User, provider: string): Promise<void> {
  if (email && emailVerifiedAt)
    await queueMail(email, 'identity-linked', { name, provider, at: new Date(), link: linkTo('/forgot-password') });
}
