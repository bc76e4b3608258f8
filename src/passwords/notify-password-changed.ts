import type { User } from '#models/index';
import type { Context } from '#src/context';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { passwordChangedMail } from '#src/passwords/mails';
import { greetingName } from '#src/user-mail/recipients';

/** Tells a user that their password was changed, in case somebody else did it. */
export async function notifyPasswordChanged(ctx: Context, user: User): Promise<void> {
  if (!user.email) return;
  const mail = passwordChangedMail({
    name: greetingName(user),
    at: ctx.clock.date(),
    link: linkTo(ctx.settings, '/forgot-password'),
  });
  await queueMail(ctx, user.email, mail, user);
}
