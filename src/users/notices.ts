import type { User } from '#models/index';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';

/** Whoever has an address hears of a new password, in case it was not they who chose it. */
export async function tellPasswordChanged({ email, name }: User): Promise<void> {
  if (email) await queueMail(email, 'password-changed', { name, at: new Date(), link: linkTo('/forgot-password') });
}

/** Whoever has proved an address hears of a new way in, in case it was not they who made it. */
export async function tellIdentityLinked({ email, emailVerifiedAt, name }: User, provider: string): Promise<void> {
  if (email && emailVerifiedAt)
    await queueMail(email, 'identity-linked', { name, provider, at: new Date(), link: linkTo('/forgot-password') });
}
