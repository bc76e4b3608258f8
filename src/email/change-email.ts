import type { User } from '#models/index';
import type { Context } from '#src/context';
import {
  alreadyRegisteredMail,
  emailChangeConfirmMail,
  emailChangeNoticeMail,
  type EmailChangeNotice,
} from '#src/email/mails';
import type { OldEmail } from '#src/email/restore-email';
import { lifetimes } from '#src/lifetimes';
import {
  issueToken,
  readOwn,
  replaceToken,
  spendToken,
} from '#src/one-time-tokens/one-time-tokens';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo, type Link } from '#src/platform/mail/template';
import { requireLiveSession } from '#src/sessions/require-live-session';
import { mayMail } from '#src/user-mail/mail-limit';
import { CHANGE, RESTORE } from '#src/user-mail/mail-tokens';
import { greetingName, mayNotify } from '#src/user-mail/recipients';
import { voidPending } from '#src/user-mail/void-pending';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import type { Principal } from '#src/users/principal';
import { isFresh, stepUp } from '#src/users/step-up';

/** What the token that confirms a new address holds. */
interface EmailChange {
  /** The canonical address that is replaced. */
  from: string | null;
  to: Identifier;
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
  const notify = await mayNotify(ctx, before);
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
      await queueMail(ctx, owner.email, alreadyRegisteredMail({ link }), owner);
    } else {
      const link = linkTo(settings, '/confirm-email', { token });
      await queueMail(ctx, address.display, emailChangeConfirmMail({ link }), current);
    }
    if (notify) await notifyOldAddress(ctx, current);
    return true;
  });
  // The hash is a different one by now, so what the old password asked for is void. Start again.
  if (!isDone) await requestEmailChange(ctx, principal, address, currentPassword);
}

/** The address that the user has asked for, while its owner has not confirmed it. */
export const pendingEmail = async (ctx: Context, userId: string): Promise<string | null> =>
  (await readOwn<EmailChange>(ctx, CHANGE, { userId }))?.data.to.display ?? null;

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
      throw stepUp({ minutes: lifetimes.freshSignInMinutes });
  } else if (!(await passwords.matches(password ?? '', passwordHash)))
    throw new Problem('invalid_credentials');
}

/** Tells the old address of a change. The mail has a link that undoes it, if the address is confirmed. */
export async function notifyOldAddress(
  ctx: Context,
  user: User,
  { byAdmin }: Pick<EmailChangeNotice, 'byAdmin'> = {},
): Promise<void> {
  if (!user.email) return;
  const link = await restoringLink(ctx, user);
  const change = { name: greetingName(user), at: ctx.clock.date(), link };
  await queueMail(ctx, user.email, emailChangeNoticeMail({ ...change, byAdmin }), user);
}

/** Only for a confirmed address: a mistyped one belongs to a stranger, whom the link would let in. */
async function restoringLink(ctx: Context, user: User): Promise<Link | null> {
  const { id, email, emailCanonical, emailVerifiedAt } = user;
  if (!email || !emailCanonical || !emailVerifiedAt) return null;
  const data: OldEmail = {
    address: { display: email, canonical: emailCanonical },
    verifiedAt: emailVerifiedAt.toISOString(),
  };
  const grant = { userId: id, data };
  const token = await issueToken(ctx, RESTORE, lifetimes.emailRestoreSeconds, grant);
  return linkTo(ctx.settings, '/restore-email', { token });
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
      await voidPending(ctx, userId);
      ctx.events.emit('user.email_changed', { userId });
      return true;
    }),
  );
