import type { User } from '#models/index';
import type { Context } from '#src/context';
import { notifyOldAddress } from '#src/email/change-email';
import { createEmailChallenge } from '#src/email/email-challenge';
import { emailSetMail } from '#src/email/mails';
import type { Identifier } from '#src/platform/email-address';
import { queueMail } from '#src/platform/mail/outbox';
import { voidPending } from '#src/user-mail/void-pending';

/**
 * Gives a user another address, or none, in the name of an administrator. It is unconfirmed until its owner opens the link of
 * a mail. With `tellOld` the old address gets a notice, and a link that undoes the change if it was confirmed. Call it with the
 * turn of the user.
 * @throws {UniqueConstraintError} if another user has it: see `mapUniqueViolation`
 */
export async function setEmail(
  ctx: Context,
  user: User,
  to: Identifier | null,
  { tellOld }: { tellOld: boolean },
): Promise<void> {
  const { id: userId } = user;
  const [email, emailCanonical] = [to?.display ?? null, to?.canonical ?? null];
  if (emailCanonical === user.emailCanonical) {
    await user.update({ email });
    return;
  }
  if (tellOld) await notifyOldAddress(ctx, user, { byAdmin: to ? 'replaced' : 'removed' });
  await user.update({ email, emailCanonical, emailVerifiedAt: null });
  await voidPending(ctx, userId);
  if (to) {
    const challenge = await createEmailChallenge(ctx, { userId }, to.canonical);
    await queueMail(ctx, to.display, emailSetMail(challenge), user);
  }
  ctx.events.emit('user.email_changed', { userId });
}
