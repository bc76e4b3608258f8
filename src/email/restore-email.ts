import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { spendToken, voidTokens } from '#src/one-time-tokens/one-time-tokens';
import { forgotPassword } from '#src/passwords/reset-password';
import type { Identifier } from '#src/platform/email-address';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { deleteIdentities } from '#src/provider-grants/provider-grants';
import { endSessions } from '#src/sessions/end-sessions';
import { RESTORE } from '#src/user-mail/mail-tokens';
import { voidPending } from '#src/user-mail/void-pending';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import { findWithRoles } from '#src/users/with-roles';

/** What the token that restores an old address holds. */
export interface OldEmail {
  address: Identifier;
  verifiedAt: string;
}

/**
 * Gives a user their old address back, and nothing else of what opened the account: the password,
 * all sessions, identities and API keys are deleted. Whoever changed the address may have been in for
 * long, so nobody knows which of them are the owner's own. A mail to the old address lets the owner
 * set a new password; a provider that has verified this address is linked again by signing in.
 * @throws {Problem} 400 `invalid_code`; 409 `email_taken`
 */
export async function restoreEmail(ctx: Context, token: string): Promise<void> {
  const { db, events } = ctx;
  const address = await mapUniqueViolation(() =>
    db.transaction(async () => {
      const grant = await spendToken<OldEmail>(ctx, RESTORE, token);
      if (!grant?.userId) throw new Problem('invalid_code');
      const { userId } = grant;
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
      await deleteIdentities(ctx, { userId });
      await db.ApiKey.destroy({ where: { userId } });
      await voidTokens(ctx, userId);
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
async function freeAddress(ctx: Context, emailCanonical: string, userId: string): Promise<void> {
  const { db, events } = ctx;
  const where = { emailCanonical, emailVerifiedAt: null, id: { [Op.ne]: userId } };
  if (!(await takeTurn(db.User, where))) return;
  const holder = (await findWithRoles(db, { emailCanonical }))!;
  const hasOtherName =
    holder.usernameCanonical !== null ||
    (await db.Identity.count({ where: { userId: holder.id } })) > 0;
  if (hasOtherName) {
    await holder.update({ email: null, emailCanonical: null });
    await voidPending(ctx, holder.id);
    events.emit('user.email_changed', { userId: holder.id }, { actor: userId });
  } else if (!holder.isMoreThanUser) {
    await holder.destroy();
    events.emit('user.deleted', { userId: holder.id }, { actor: userId });
  }
}
