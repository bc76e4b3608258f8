import type { User } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { readToken, replaceToken, spendToken } from '#src/one-time-tokens/one-time-tokens';
import { resetPasswordMail } from '#src/passwords/mails';
import { notifyPasswordChanged } from '#src/passwords/notify-password-changed';
import { requireStrong } from '#src/passwords/password-policy';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo, type Onward } from '#src/platform/mail/template';
import { deleteIdentities } from '#src/provider-grants/provider-grants';
import { endSessions } from '#src/sessions/end-sessions';
import { mayMail } from '#src/user-mail/mail-limit';
import { RESET } from '#src/user-mail/mail-tokens';
import { voidPending } from '#src/user-mail/void-pending';
import { greetingName } from '#src/user-mail/recipients';
import { forgetLoginFailures } from '#src/users/throttle-subject';

/**
 * Mails a link that sets a new password. It replaces any earlier link. For an unknown address the
 * same statements run, with a mail to nobody, so neither the answer nor its time tells if the user
 * exists.
 */
export async function forgotPassword(
  ctx: Context,
  { canonical }: Identifier,
  onward?: Onward,
): Promise<void> {
  const { db } = ctx;
  if (!(await mayMail(ctx, canonical))) return;
  await db.transaction(async () => {
    const user = await db.User.findOne({ where: { emailCanonical: canonical, disabledAt: null } });
    await mailPasswordReset(ctx, user, canonical, onward);
  });
}

/** The same mail, to a user whose canonical address this is; or to nobody, with as many statements. */
export async function mailPasswordReset(
  ctx: Context,
  user: User | null,
  canonical: string,
  onward?: Onward,
): Promise<void> {
  const token = await replaceToken(ctx, RESET, lifetimes.passwordResetSeconds, {
    userId: user?.id ?? null,
    data: canonical,
  });
  const mail = resetPasswordMail({
    name: user && greetingName(user),
    link: linkTo(ctx.settings, '/reset-password', { token }, onward),
  });
  await queueMail(ctx, user?.email ?? null, mail, user);
}

/**
 * Sets a new password by the token of such a mail, and ends every session and API key. Nobody is
 * signed in. Who reads the mails of an address has proved that it is theirs. If it was unconfirmed
 * until now, somebody else may have linked the providers, so they are deleted. It stays unconfirmed
 * if the user has a second factor: mail does not remove factors, and a stranger who enrolled one
 * could go on with an address that counts as theirs.
 * @throws {Problem} 400 `invalid_code`; 422 `weak_password`; 503 `busy`
 */
export async function resetPassword(ctx: Context, token: string, password: string): Promise<void> {
  const { db, clock } = ctx;
  const grant = await readToken<string>(ctx, RESET, token);
  const user = grant?.userId ? await db.User.findByPk(grant.userId) : null;
  if (!grant || !user || user.disabledAt) throw new Problem('invalid_code');
  await requireStrong(ctx, password, user);
  const passwordHash = await ctx.passwords.hash(password);
  await db.transaction(async () => {
    const { id, factors } = user;
    const where = { id, factors, emailCanonical: grant.data, disabledAt: null };
    const confirmedAt = factors > 0 ? null : clock.date();
    const changes = { passwordHash, emailVerifiedAt: user.emailVerifiedAt ?? confirmedAt };
    if (!(await spendToken(ctx, RESET, token))) throw new Problem('invalid_code');
    if ((await db.User.update(changes, { where }))[0] === 0) throw new Problem('invalid_code');
    if (!user.emailVerifiedAt) await deleteIdentities(ctx, { userId: user.id });
    await db.ApiKey.destroy({ where: { userId: user.id } });
    await voidPending(ctx, user.id);
    await endSessions(ctx, { userId: user.id }, 'password_reset');
    ctx.events.emit('user.password_changed', { userId: user.id });
    await notifyPasswordChanged(ctx, user);
  });
  await letIn(ctx, user.id);
}

/** Whoever guessed at the old password keeps nobody out who has just chosen a new one. It is reset whatever happens here. */
async function letIn(ctx: Context, userId: string): Promise<void> {
  try {
    await forgetLoginFailures(ctx, userId);
  } catch (error) {
    ctx.log.warn(
      { err: error, userId },
      'failed sign-ins before a new password could not be forgotten',
    );
  }
}
