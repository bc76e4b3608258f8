import { User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import { emit } from '#src/core/events';
import { endSessions } from '#src/sessions/end';

/** Switches a user off: no way in, and every session ends for good, from the next request on. Throws `last_admin`. */
export async function disableUser(id: string): Promise<void> {
  await keepAnAdmin(async () => {
    await User.update({ disabledAt: new Date() }, { where: { id, disabledAt: null } });
    await endSessions({ userId: id }, 'user_disabled');
  });
  emit('user.disabled', { userId: id });
}

export async function enableUser(id: string): Promise<void> {
  await User.update({ disabledAt: null }, { where: { id } });
  emit('user.enabled', { userId: id });
}
