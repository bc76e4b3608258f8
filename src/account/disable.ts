import { keepAnAdmin } from '#src/access/last-admin';
import type { Context } from '#src/context';
import { endSessions } from '#src/sessions/end-sessions';

/**
 * Disables a user: they cannot sign in, and every session ends for good, from the next request on.
 * @throws {Problem} 409 `last_admin`
 */
export async function disableUser(ctx: Context, id: string): Promise<void> {
  const { db, clock, events } = ctx;
  await keepAnAdmin(ctx, async () => {
    await db.User.update({ disabledAt: clock.date() }, { where: { id, disabledAt: null } });
    await endSessions(ctx, { userId: id }, 'user_disabled');
  });
  events.emit('user.disabled', { userId: id });
}

/** Sessions that ended stay ended. */
export async function enableUser({ db, events }: Context, id: string): Promise<void> {
  await db.User.update({ disabledAt: null }, { where: { id } });
  events.emit('user.enabled', { userId: id });
}
