import { keepAnAdmin } from '#src/access/last-admin';
import type { Context } from '#src/context';
import { endSessions } from '#src/sessions/end-sessions';
import { voidPending } from '#src/user-mail/void-pending';

/**
 * Disables a user: they cannot sign in, and every session ends for good, from the next request on.
 * @throws {Problem} 409 `last_admin`
 */
export async function disableUser(ctx: Context, id: string): Promise<void> {
  const { db, clock, events } = ctx;
  await keepAnAdmin(ctx, async () => {
    await db.User.update({ disabledAt: clock.date() }, { where: { id, disabledAt: null } });
    await voidPending(ctx, id);
    await endSessions(ctx, { userId: id }, 'user_disabled');
    events.emit('user.disabled', { userId: id });
  });
}

/** Sessions that ended stay ended, and links that were mailed before stay void. */
export async function enableUser(ctx: Context, id: string): Promise<void> {
  const { db, events } = ctx;
  await db.transaction(async () => {
    await db.User.update({ disabledAt: null }, { where: { id } });
    await voidPending(ctx, id);
    events.emit('user.enabled', { userId: id });
  });
}
