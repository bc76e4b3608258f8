import { Op } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import {
  alreadyRegisteredMail,
  emailChangeConfirmMail,
  emailChangeNoticeMail,
} from '#src/email/mails';
import { lifetimes } from '#src/lifetimes';
import {
  issueToken,
  replaceToken,
  spendToken,
  voidTokens,
} from '#src/one-time-tokens/one-time-tokens';
import { forgotPassword } from '#src/passwords/reset-password';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { endSessions } from '#src/sessions/end-sessions';
import { requireLiveSession } from '#src/sessions/require-live-session';
import { mayMail } from '#src/user-mail/mail-limit';
import { CHANGE, RESTORE, voidMailTokens } from '#src/user-mail/mail-tokens';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import { isFresh, type Principal } from '#src/users/principal';

/** What the token that confirms a new address holds. */
interface EmailChange {
  /** The canonical address that is replaced. */
  from: string | null;
  to: Identifier;
}

/** What the token that restores an old address holds. */
interface OldEmail {
  address: Identifier;
  verifiedAt: string;
}

/**
 * Asks the owner of another address to confirm it. Nothing changes before. The old address gets a
 * notice with a link that undoes the change. If the new address belongs to a user, its owner gets a
 * different mail, and nobody is told that it is known.
 * @throws {Problem} 401 `invalid_credentials`, `session_ended`; 403 `step_up_required` for a user
 *   without a password; 400 `invalid_request` for the address that they have; 503 `busy`
 */
export async function requestEmailChange(
  ctx: Context,
  principal: Principal,
  address: Identifier,
  currentPassword: string | undefined,
): Promise<void> {
  const { db, settings } = ctx;
  const before = await db.User.findByPk(principal.id);
  if (!before) throw new Problem('session_ended');
  await requireOwner(ctx, principal, before, currentPassword);
  if (address.canonical === before.emailCanonical) throw unchanged();
  if (!(await mayMail(ctx, address.canonical))) return;
  const isDone = await db.transaction(async () => {
    const current = await requireLiveSession(ctx, principal);
    if (current.passwordHash !== before.passwordHash) return false;
    const owner = await db.User.findOne({ where: { emailCanonical: address.canonical } });
    const change: EmailChange = { from: current.emailCanonical, to: address };
    const token = await replaceToken(ctx, CHANGE, lifetimes.emailChallengeSeconds, {
      userId: principal.id,
      data: change,
    });
    if (owner) {
      const link = linkTo(settings, '/forgot-password');
      await queueMail(ctx, owner.email, alreadyRegisteredMail({ link }));
    } else {
      const link = linkTo(settings, '/confirm-email', { token });
      await queueMail(ctx, address.display, emailChangeConfirmMail({ link }));
    }
    await notifyOldAddress(ctx, current);
    return true;
  });
  // The hash is a different one by now, so what the old password asked for is void. Start again.
  if (!isDone) await requestEmailChange(ctx, principal, address, currentPassword);
}

const unchanged = () =>
  new Problem('invalid_request', {
    members: {
      errors: [{ pointer: '/email', code: 'unchanged', message: 'This is the address you have' }],
    },
  });

/** A user gives the password. A user without one must have signed in a short time ago. */
async function requireOwner(
  { clock, passwords }: Context,
  principal: Principal,
  { passwordHash }: User,
  password: string | undefined,
): Promise<void> {
  if (passwordHash === null) {
    if (!isFresh(principal, clock, lifetimes.freshSignInMinutes))
      throw new Problem('step_up_required');
  } else if (!(await passwords.matches(password ?? '', passwordHash)))
    throw new Problem('invalid_credentials');
}

/** Only a confirmed address: a mistyped one belongs to a stranger, whom the link would let in. */
async function notifyOldAddress(ctx: Context, user: User): Promise<void> {
  const { id, email, emailCanonical, emailVerifiedAt, name } = user;
  if (!email || !emailCanonical || !emailVerifiedAt) return;
  const data: OldEmail = {
    address: { display: email, canonical: emailCanonical },
    verifiedAt: emailVerifiedAt.toISOString(),
  };
  const grant = { userId: id, data };
  const token = await issueToken(ctx, RESTORE, lifetimes.emailRestoreSeconds, grant);
  const link = linkTo(ctx.settings, '/restore-email', { token });
  await queueMail(ctx, email, emailChangeNoticeMail({ name, at: ctx.clock.date(), link }));
}

/**
 * Replaces the address of a user by the one whose owner got this token. False if the token is not
 * good, or the user has a different address by now.
 * @throws {Problem} 409 `email_taken`
 */
export const applyEmailChange = (ctx: Context, token: string): Promise<boolean> =>
  mapUniqueViolation(() =>
    ctx.db.transaction(async () => {
      const grant = await spendToken<EmailChange>(ctx, CHANGE, token);
      if (!grant) return false;
      const userId = grant.userId!;
      const { from, to } = grant.data;
      const [rows] = await ctx.db.User.update(
        { email: to.display, emailCanonical: to.canonical, emailVerifiedAt: ctx.clock.date() },
        { where: { id: userId, emailCanonical: from, disabledAt: null } },
      );
      if (rows === 0) return false;
      await voidMailTokens(ctx, userId);
      ctx.events.emit('user.email_changed', { userId });
      return true;
    }),
  );

/**
 * Gives a user their old address back. Who changed it knew the password, so that is deleted, with
 * every session and with the identities and API keys that were added since. A mail to the old
 * address lets its owner set a new password.
 * @throws {Problem} 400 `invalid_code`; 409 `email_taken`
 */
export async function restoreEmail(ctx: Context, token: string): Promise<void> {
  const { db, events } = ctx;
  const address = await mapUniqueViolation(() =>
    db.transaction(async () => {
      const grant = await spendToken<OldEmail>(ctx, RESTORE, token);
      if (!grant?.userId) throw new Problem('invalid_code');
      const { userId, createdAt } = grant;
      const { address: old, verifiedAt } = grant.data;
      await freeAddress(ctx, old.canonical, userId);
      await db.User.update(
        {
          email: old.display,
          emailCanonical: old.canonical,
          emailVerifiedAt: new Date(verifiedAt),
          passwordHash: null,
        },
        { where: { id: userId } },
      );
      const since = { userId, createdAt: { [Op.gte]: createdAt } };
      await db.Identity.destroy({ where: since });
      await db.ApiKey.destroy({ where: since });
      await voidMailTokens(ctx, userId);
      await voidTokens(ctx, [RESTORE], userId);
      await endSessions(ctx, { userId }, 'email_restored');
      events.emit('user.email_restored', { userId });
      return old;
    }),
  );
  await forgotPassword(ctx, address);
}

/**
 * Takes an address from a user who got it meanwhile and did not confirm it. Otherwise anybody could
 * block the way back by signing up with it. A user with no other name and no identity is deleted,
 * except one with more roles than `user`, who keeps the address.
 */
async function freeAddress(
  { db, events }: Context,
  emailCanonical: string,
  userId: string,
): Promise<void> {
  const where = { emailCanonical, emailVerifiedAt: null, id: { [Op.ne]: userId } };
  const locked = await db.User.findOne({ attributes: ['id'], where, lock: true });
  const holder = locked && (await db.User.findByPk(locked.id, { include: ['roles'] }));
  if (!holder) return;
  const hasOtherName =
    holder.usernameCanonical !== null ||
    (await db.Identity.count({ where: { userId: holder.id } })) > 0;
  if (hasOtherName) await holder.update({ email: null, emailCanonical: null });
  else if (!holder.isMoreThanUser) {
    await holder.destroy();
    events.emit('user.deleted', { userId: holder.id });
  }
}
