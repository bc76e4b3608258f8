import type { Session, User } from '#models/index';
import type { Context } from '#src/context';
import { notifyPasswordChanged } from '#src/passwords/notify-password-changed';
import { requireStrong } from '#src/passwords/password-policy';
import { Problem } from '#src/platform/http/problem';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end-sessions';
import { requireLiveSession } from '#src/sessions/require-live-session';
import { voidPending } from '#src/user-mail/void-pending';
import { mayNotify } from '#src/user-mail/recipients';
import type { Principal } from '#src/users/principal';
import { findWithRoles } from '#src/users/with-roles';

export interface PasswordChanged {
  /** The user with the new hash, loaded with roles. */
  user: User;
  /** The device of the session that ended. Sign the user in on it. */
  device: Device;
}

/**
 * Changes the password and ends every session, this one too, so that everybody who holds a token of
 * the user is signed out. Of two changes at once, one wins.
 *
 * @param device what the connection shows; what the session knows of the device is added
 * @throws {Problem} 401 `invalid_credentials`, `session_ended`; 422 `weak_password`; 503 `busy`
 */
export async function changePassword(
  ctx: Context,
  principal: Principal,
  current: string,
  wanted: string,
  device: Device,
): Promise<PasswordChanged> {
  const { db, passwords } = ctx;
  const before = await db.User.findByPk(principal.id);
  if (!before) throw new Problem('session_ended');
  if (before.disabledAt || !(await passwords.matches(current, before.passwordHash)))
    throw new Problem('invalid_credentials');
  const pointer = '/newPassword';
  if (current.normalize('NFC') === wanted.normalize('NFC')) throw unchanged(pointer);
  await requireStrong(ctx, wanted, before, pointer);
  const passwordHash = await passwords.hash(wanted);
  const notify = await mayNotify(ctx, before);
  const session = principal.session && (await db.Session.findByPk(principal.session.id));
  const user = await db.transaction(async () => {
    await requireLiveSession(ctx, principal);
    const where = { id: principal.id, passwordHash: before.passwordHash, disabledAt: null };
    const [rows] = await db.User.update({ passwordHash }, { where });
    if (rows === 0) return null;
    await endSessions(ctx, { userId: principal.id }, 'password_changed');
    await voidPending(ctx, principal.id);
    if (notify) await notifyPasswordChanged(ctx, before);
    ctx.events.emit('user.password_changed', { userId: principal.id });
    return findWithRoles(db, { id: principal.id });
  });
  // The hash is a different one by now. It was changed, or a sign-in renewed it. Start again.
  if (!user) return changePassword(ctx, principal, current, wanted, device);
  return { user, device: { ...deviceOfSession(session), ...device } };
}

const unchanged = (pointer: string) =>
  new Problem('weak_password', {
    members: {
      errors: [{ pointer, code: 'unchanged', message: 'This is the password you have' }],
    },
  });

const deviceOfSession = (session: Session | null): Device => ({
  kind: session?.deviceKind,
  name: session?.deviceName,
  platform: session?.devicePlatform,
});
