import type { User } from '#models/index';
import type { Context } from '#src/context';
import { recoveryCodeUsedMail } from '#src/factors/mails';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo, type Mail } from '#src/platform/mail/template';
import { greetingName } from '#src/user-mail/recipients';

/** What every notice says. */
export const noticeFor = (ctx: Context, user: User) => ({
  name: greetingName(user),
  at: ctx.clock.date(),
  link: linkTo(ctx.settings, '/forgot-password'),
});

/** Tells a user of a change of how they sign in, in case somebody else did it. */
export async function notifyOwner(ctx: Context, user: User, mail: Mail): Promise<void> {
  if (user.email) await queueMail(ctx, user.email, mail, user);
}

/** Only a confirmed address is told: this is part of a sign-in, in which no mail is counted. */
export async function notifyRecoveryCodeUsed(
  ctx: Context,
  userId: string,
  left: number,
): Promise<void> {
  const user = await ctx.db.User.findByPk(userId);
  if (user?.emailVerifiedAt)
    await notifyOwner(ctx, user, recoveryCodeUsedMail({ ...noticeFor(ctx, user), left }));
}
