import type { User } from '#models/index';
import type { Context } from '#src/context';
import { mayMail } from '#src/user-mail/mail-limit';

/**
 * The name by which a mail greets a user. Null while the address is unconfirmed: people choose
 * their name when they sign up, maybe with the address of somebody else.
 */
export const greetingName = ({ name, emailVerifiedAt }: User): string | null =>
  emailVerifiedAt ? name : null;

/**
 * True if a notice may go to a user. An unconfirmed address may be a stranger's, who gets no more
 * mails than anybody can ask for. It counts a mail, so ask before a transaction.
 */
export const mayNotify = async (ctx: Context, user: User): Promise<boolean> =>
  user.emailCanonical !== null &&
  (user.emailVerifiedAt !== null || (await mayMail(ctx, user.emailCanonical)));
