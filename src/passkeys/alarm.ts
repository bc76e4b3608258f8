import type { Passkey } from '#models/index';
import type { Context } from '#src/context';
import { passkeyCopiedMail } from '#src/passkeys/mails';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { greetingName, mayNotify } from '#src/user-mail/recipients';

/** Tells the owner of a passkey that somebody has a copy of it. */
export async function alarm(ctx: Context, { factor, factorId }: Passkey): Promise<void> {
  const { clock, db, events, settings } = ctx;
  const { userId, createdAt: madeAt } = factor!;
  const user = await db.User.findByPk(userId);
  const notify = user !== null && (await mayNotify(ctx, user));
  await db.transaction(async () => {
    events.emit('passkey.copied', { userId, factorId });
    if (!notify || !user.email) return;
    const link = linkTo(settings, '/forgot-password');
    const mail = passkeyCopiedMail({ name: greetingName(user), madeAt, at: clock.date(), link });
    await queueMail(ctx, user.email, mail, user);
  });
}
