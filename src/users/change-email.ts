import { Op } from 'sequelize';
import { ApiKey, Identity, transaction, User } from '#models/index';
import { isFresh } from '#models/session';
import { emit } from '#src/core/events';
import { issueToken, spendToken, voidTokens } from '#src/core/one-time-tokens';
import { passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';
import { endSessions } from '#src/sessions/end';
import { FRESH } from '#src/sessions/lifetimes';
import { stillSignedIn } from '#src/sessions/still-signed-in';
import type { Identifier } from '#src/users/identifiers';
import { RESTORE, voidMails } from '#src/users/mail-tokens';
import { forgotPassword } from '#src/users/reset-password';
import { refuseTaken } from '#src/users/taken';
import { prepareMove } from '#src/users/verify-email';

/** How long the owner of the old address may take it back, in seconds. */
const UNDO = 72 * 3600;

interface Old {
  address: Identifier;
  verifiedAt: string;
}

/**
 * Asks the owner of another address to confirm it; until then nothing changes. The old address is told, and can undo it. Nobody learns
 * whether the new one is known here: its owner gets another mail. Throws 401 `invalid_credentials`, `session_ended`;
 * 403 `step_up_required` for a user without a password; 400 `invalid_request` for the address that they have.
 */
export async function requestEmailChange(user: User, address: Identifier, currentPassword: string | undefined): Promise<void> {
  const before = await User.findByPk(user.id);
  if (!before) throw new Problem('session_ended');
  await requireOwner(user, before, currentPassword);
  if (address.canonical === before.emailCanonical) throw unchanged();
  if (!(await mayMail(address.canonical))) return;
  const done = await transaction(async () => {
    const current = await stillSignedIn(user);
    if (current.passwordHash !== before.passwordHash) return false;
    const owner = await User.findOne({ where: { emailCanonical: address.canonical } });
    const token = await prepareMove(user.id, { from: current.emailCanonical, to: address });
    if (owner) await queueMail(owner.email, 'already-registered', { link: linkTo('/forgot-password') });
    else await queueMail(address.display, 'email-change-confirm', { link: linkTo('/confirm-email', { token }) });
    await tellOldAddress(current);
    return true;
  });
  // Gone, or the hash is another one by now: a new password makes void what the old one asked for. Look again.
  if (!done) await requestEmailChange(user, address, currentPassword);
}

const unchanged = () =>
  new Problem('invalid_request', {
    members: { errors: [{ pointer: '/email', code: 'unchanged', message: 'This is the address you have' }] },
  });

async function requireOwner(user: User, { passwordHash }: User, password: string | undefined): Promise<void> {
  if (passwordHash === null && !isFresh(user.session, FRESH)) throw new Problem('step_up_required');
  if (passwordHash !== null && !(await passwordMatches(password ?? '', passwordHash))) throw new Problem('invalid_credentials');
}

/** Only an address that was proved: a mistyped one belongs to a stranger, who must not get a way in. */
async function tellOldAddress({ id, email, emailCanonical, emailVerifiedAt, name }: User): Promise<void> {
  if (!email || !emailCanonical || !emailVerifiedAt) return;
  const old: Old = { address: { display: email, canonical: emailCanonical }, verifiedAt: emailVerifiedAt.toISOString() };
  const token = await issueToken(RESTORE, UNDO, { userId: id, data: old });
  await queueMail(email, 'email-change-notice', { name, at: new Date(), link: linkTo('/restore-email', { token }) });
}

/**
 * Whoever took an address since and never proved it loses it to its owner, who has just read a mail there: nobody can block the way
 * back by signing up with it. A user who was nothing but this address is gone, or keeps it if they have more rights than everybody.
 */
async function displace(emailCanonical: string, userId: string): Promise<void> {
  const where = { emailCanonical, emailVerifiedAt: null, id: { [Op.ne]: userId } };
  const locked = await User.findOne({ attributes: ['id'], where, lock: true });
  const holder = locked && (await User.findByPk(locked.id, { include: ['roles'] }));
  if (!holder) return;
  if (holder.usernameCanonical !== null || (await Identity.count({ where: { userId: holder.id } })) > 0)
    await holder.update({ email: null, emailCanonical: null });
  else if (!holder.isMoreThanUser) {
    await holder.destroy();
    emit('user.deleted', { userId: holder.id });
  }
}

/**
 * Gives a user their old address back. Whoever changed it knew the password, so that goes, with every session and what was set up
 * since; a mail to the old address lets its owner choose another. Throws 400 `invalid_code`, 409 `email_taken`.
 */
export async function restoreEmail(token: string): Promise<void> {
  const address = await refuseTaken(() =>
    transaction(async () => {
      const grant = await spendToken<Old>(RESTORE, token);
      if (!grant?.userId) throw new Problem('invalid_code');
      const { userId, data, createdAt } = grant;
      const restored = { email: data.address.display, emailCanonical: data.address.canonical, emailVerifiedAt: new Date(data.verifiedAt) };
      await displace(data.address.canonical, userId);
      await User.update({ ...restored, passwordHash: null }, { where: { id: userId } });
      const since = { userId, createdAt: { [Op.gte]: createdAt } };
      await Identity.destroy({ where: since });
      await ApiKey.destroy({ where: since });
      await voidMails(userId);
      await voidTokens([RESTORE], userId);
      await endSessions({ userId }, 'email_restored');
      emit('user.email_restored', { userId });
      return data.address;
    }),
  );
  await forgotPassword(address);
}
