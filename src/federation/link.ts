import { Op, UniqueConstraintError } from 'sequelize';
import type { Identity, User } from '#models/index';
import type { Context } from '#src/context';
import { addIdentity, notifyIdentityLinked } from '#src/federation/identities';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { deleteIdentities, keepGrant } from '#src/provider-grants/provider-grants';
import { requireLiveSession } from '#src/sessions/require-live-session';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { voidPending } from '#src/user-mail/void-pending';
import type { Principal } from '#src/users/principal';

/**
 * Links what a provider says of somebody to the signed-in user. Answers the identity that exists if
 * it was linked before.
 * @throws {Problem} 401 `session_ended`; 409 `already_linked` if another user has it
 */
export async function linkIdentity(
  ctx: Context,
  principal: Principal,
  profile: ProviderProfile,
): Promise<Identity> {
  try {
    return await ctx.db.transaction(async () => {
      const user = await requireLiveSession(ctx, principal);
      const own = await ownIdentity(ctx, user, profile);
      if (own) await keepGrant(ctx, profile);
      return own ?? (await linkNew(ctx, user, profile));
    });
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem('already_linked', { cause: error });
  }
}

const ownIdentity = (
  { db }: Context,
  { id: userId }: User,
  { provider, subject }: ProviderProfile,
) => db.Identity.findOne({ where: { userId, provider, subject } });

async function linkNew(ctx: Context, user: User, profile: ProviderProfile): Promise<Identity> {
  const identity = await addIdentity(ctx, user.id, profile);
  await notifyIdentityLinked(ctx, user, profile.provider);
  return identity;
}

/**
 * Unlinks an identity. `providers` are those that users can sign in with now. It takes the turn
 * of the user: of two requests that unlink the last two identities at once, one is refused.
 * @throws {Problem} 404 `not_found`; 409 `last_way_in`
 */
export const unlinkIdentity = (
  ctx: Context,
  userId: string,
  id: string,
  providers: readonly string[],
): Promise<void> =>
  ctx.db.transaction(async () => {
    const { db, events } = ctx;
    await takeTurn(db.User, { id: userId });
    const user = await db.User.findByPk(userId, {
      attributes: ['id', 'passwordHash', 'usernameCanonical', 'emailCanonical'],
    });
    const identity = user && (await db.Identity.findOne({ where: { id, userId } }));
    if (!identity) throw new Problem('not_found');
    const others = await db.Identity.count({
      where: { userId, id: { [Op.ne]: id }, provider: [...providers] },
    });
    const hasPassword =
      user.passwordHash !== null && (user.usernameCanonical ?? user.emailCanonical) !== null;
    if (others === 0 && !hasPassword) throw new Problem('last_way_in');
    await deleteIdentities(ctx, { id });
    await voidPending(ctx, userId);
    events.emit('identity.unlinked', { userId, provider: identity.provider });
  });
