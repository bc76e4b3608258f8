import { ApiKey, Identity, transaction, User } from '#models/index';
import { emit } from '#src/core/events';
import { readToken, replaceToken, spendToken } from '#src/core/one-time-tokens';
import { hashPassword } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';
import { endSessions } from '#src/sessions/end';
import type { Identifier } from '#src/users/identifiers';
import { RESET, voidMails } from '#src/users/mail-tokens';
import { greeted, tellPasswordChanged } from '#src/users/notices';
import { requireStrong } from '#src/users/password-policy';

/** How long somebody may take to open the mail, in seconds. */
const LIFE = 15 * 60;

/**
 * Mails a link to choose a new password, in place of any before. Nobody is told whether there is such a user, by the time it takes
 * neither: for an address that nobody has the same statements run, and the mail goes to nobody.
 */
export async function forgotPassword({ canonical }: Identifier): Promise<void> {
  if (!(await mayMail(canonical))) return;
  await transaction(async () => {
    const user = await User.findOne({ where: { emailCanonical: canonical, disabledAt: null } });
    const token = await replaceToken(RESET, LIFE, { userId: user?.id ?? null, data: canonical });
    await queueMail(user?.email ?? null, 'reset-password', { name: user && greeted(user), link: linkTo('/reset-password', { token }) });
  });
}

/**
 * Sets a new password by the token of such a mail, ends every session and API key, and signs nobody in. Whoever reads the mails of an address has
 * proved it: if nobody had before, providers that others linked to it are gone. Throws 400 `invalid_code`, `weak_password`, `busy`.
 */
export async function resetPassword(token: string, password: string): Promise<void> {
  const grant = await readToken<string>(RESET, token);
  const user = grant?.userId ? await User.findByPk(grant.userId) : null;
  if (!grant || !user || user.disabledAt) throw new Problem('invalid_code');
  await requireStrong(password, user);
  const passwordHash = await hashPassword(password);
  await transaction(async () => {
    const where = { id: user.id, emailCanonical: grant.data, disabledAt: null };
    const set = { passwordHash, emailVerifiedAt: user.emailVerifiedAt ?? new Date() };
    if (!(await spendToken(RESET, token)) || (await User.update(set, { where }))[0] === 0) throw new Problem('invalid_code');
    if (!user.emailVerifiedAt) await Identity.destroy({ where: { userId: user.id } });
    await ApiKey.destroy({ where: { userId: user.id } });
    await voidMails(user.id);
    await endSessions({ userId: user.id }, 'password_reset');
    emit('user.password_changed', { userId: user.id });
    await tellPasswordChanged(user);
  });
}
