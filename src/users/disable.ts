import { User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import { emit } from '#src/core/events';

/** Switches a user off: no way in, and tokens already given out are refused from the next request on. Throws `last_admin`. */
export async function disableUser(id: string): Promise<void> {
  await keepAnAdmin(() => User.update({ disabledAt: new Date() }, { where: { id, disabledAt: null } }));
  emit('user.disabled', { userId: id });
}

export async function enableUser(id: string): Promise<void> {
  await User.update({ disabledAt: null }, { where: { id } });
  emit('user.enabled', { userId: id });
}
