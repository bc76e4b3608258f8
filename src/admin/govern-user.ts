import { keepAnAdmin } from '#src/access/last-admin';
import { removeUser } from '#src/account/me';
import { changeUser, type By } from '#src/admin/change-user';
import type { Context } from '#src/context';
import { mailPasswordReset } from '#src/passwords/reset-password';
import { Problem } from '#src/platform/http/problem';
import { endSessions } from '#src/sessions/end-sessions';
import { endSession } from '#src/sessions/own-sessions';
import { countAdminMail } from '#src/user-mail/admin-mail-limit';
import { forgetLoginFailures } from '#src/users/throttle-subject';

/*
 * What operators and administrators do to a user besides editing them. All of it binds on the user's next request. Each
 * throws 404 `not_found`, and what `changeUser` throws about `by`.
 */

/** Deletes a user for good, with all their data. @throws {Problem} 409 `last_admin` */
export const deleteUser = (ctx: Context, id: string, by?: By): Promise<void> =>
  keepAnAdmin(ctx, () =>
    changeUser(ctx, id, { by, permission: 'users:write' }, () => removeUser(ctx, id)),
  );

/** Ends every session of a user. Answers how many. */
export const endUserSessions = (ctx: Context, id: string, by?: By): Promise<number> =>
  changeUser(ctx, id, { by, permission: 'sessions:end' }, () =>
    endSessions(ctx, { userId: id }, 'signed_out'),
  );

/** Ends one session of a user. @throws {Problem} 404 `not_found` for one of somebody else, or one that has ended */
export const endUserSession = (ctx: Context, id: string, sessionId: string, by?: By) =>
  changeUser(ctx, id, { by, permission: 'sessions:end' }, () => endSession(ctx, id, sessionId));

/** Forgets the failed sign-ins of a user, who is let in at once. */
export const unlockUser = (ctx: Context, id: string, by?: By): Promise<void> =>
  changeUser(ctx, id, { by, permission: 'users:write' }, async () => {
    await forgetLoginFailures(ctx, id, { secondFactors: true });
    ctx.events.emit('user.unlocked', { userId: id });
  });

/**
 * Mails a user the link that sets a new password. With `signOut` every session ends at once.
 * @throws {Problem} 409 `conflict` for a user who has no address, or is disabled; 429 `rate_limited`
 */
export async function sendPasswordReset(
  ctx: Context,
  id: string,
  { by, signOut = false }: { by?: By; signOut?: boolean | undefined } = {},
): Promise<void> {
  const before = by && (await ctx.db.User.findByPk(id));
  if (before) await countAdminMail(ctx, by, before.emailCanonical);
  await changeUser(ctx, id, { by, permission: 'users:write' }, async (user) => {
    if (user.emailCanonical === null || user.disabledAt) throw new Problem('conflict');
    await mailPasswordReset(ctx, user, user.emailCanonical);
    if (signOut) await endSessions(ctx, { userId: id }, 'signed_out');
    ctx.events.emit('user.password_reset_sent', { userId: id });
  });
}
