import type { Context } from '#src/context';
import { notifyPasswordChanged } from '#src/passwords/notify-password-changed';
import { requireStrong } from '#src/passwords/password-policy';
import { Problem } from '#src/platform/http/problem';
import { endSessions } from '#src/sessions/end-sessions';
import { voidPending } from '#src/user-mail/void-pending';
import { mayNotify } from '#src/user-mail/recipients';

/**
 * Gives a user another password, in the name of an operator. As after a forgotten password, every session and API key
 * ends, and what was mailed is void. The user is told.
 * @throws {Problem} 404 `not_found`; 422 `weak_password`; 503 `busy`
 */
export async function setPassword(ctx: Context, userId: string, password: string): Promise<void> {
  const { db, events, passwords } = ctx;
  const user = await db.User.findByPk(userId);
  if (!user) throw new Problem('not_found');
  await requireStrong(ctx, password, user);
  const passwordHash = await passwords.hash(password);
  const notify = await mayNotify(ctx, user);
  await db.transaction(async () => {
    const [rows] = await db.User.update({ passwordHash }, { where: { id: userId } });
    if (rows === 0) throw new Problem('not_found');
    await db.ApiKey.destroy({ where: { userId } });
    await voidPending(ctx, userId);
    await endSessions(ctx, { userId }, 'password_reset');
    events.emit('user.password_changed', { userId });
    if (notify) await notifyPasswordChanged(ctx, user);
  });
}
