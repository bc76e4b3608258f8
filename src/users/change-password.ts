import { Session, transaction, User } from '#models/index';
import { emit } from '#src/core/events';
import { hashPassword, passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end';
import { startSession } from '#src/sessions/sessions';
import { stillSignedIn } from '#src/sessions/still-signed-in';
import { voidMails } from '#src/users/mail-tokens';
import { mayTell, tellPasswordChanged } from '#src/users/notices';
import { requireStrong } from '#src/users/password-policy';

/**
 * Changes the password and ends every session, this one too: whoever holds a token of the user is out. Answers a new session
 * for the same device, with its user. Of two changes at once, one wins. Throws `invalid_credentials`,
 * `session_ended`, `weak_password`, `busy`.
 */
export async function changePassword(user: User, current: string, wanted: string, device: Device): Promise<Session> {
  const before = await User.findByPk(user.id);
  if (!before) throw new Problem('session_ended');
  if (before.disabledAt || !(await passwordMatches(current, before.passwordHash))) throw new Problem('invalid_credentials');
  const pointer = '/newPassword';
  if (current.normalize('NFC') === wanted.normalize('NFC')) {
    const unchanged = { pointer, code: 'unchanged', message: 'This is the password you have' };
    throw new Problem('weak_password', { members: { errors: [unchanged] } });
  }
  await requireStrong(wanted, before, pointer);
  const passwordHash = await hashPassword(wanted);
  const mayHear = await mayTell(before);
  const here = user.session && (await Session.findByPk(user.session.id));
  const changed = await transaction(async () => {
    await stillSignedIn(user);
    const where = { id: user.id, passwordHash: before.passwordHash, disabledAt: null };
    const [rows] = await User.update({ passwordHash }, { where });
    if (rows === 0) return null;
    await endSessions({ userId: user.id }, 'password_changed');
    await voidMails(user.id);
    if (mayHear) await tellPasswordChanged(before);
    emit('user.password_changed', { userId: user.id });
    return startSession(before.set({ passwordHash }), { ...same(here), ...device }, 'local');
  });
  // The hash is another one by now: changed, or only renewed by a sign-in. Look again.
  return changed ?? changePassword(user, current, wanted, device);
}

const same = (session: Session | null | undefined): Device => ({
  kind: session?.deviceKind,
  name: session?.deviceName,
  platform: session?.devicePlatform,
});
