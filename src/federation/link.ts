import { Op, UniqueConstraintError } from 'sequelize';
import type { Identity, User } from '#models/index';
import type { Context } from '#src/context';
import { addIdentity, notifyIdentityLinked } from '#src/federation/identities';
import { Problem } from '#src/platform/http/problem';
import { requireLiveSession } from '#src/sessions/require-live-session';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';
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
      return (await ownIdentity(ctx, user, profile)) ?? (await linkNew(ctx, user, profile));
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
 * Unlinks an identity. `providers` are those that users can sign in with now. The row of the user
 * is locked: of two requests that unlink the last two identities at once, one is refused.
 * @throws {Problem} 404 `not_found`; 409 `last_way_in`
 */
export const unlinkIdentity = (
  { db, events }: Context,
  userId: string,
  id: string,
  providers: readonly string[],
): Promise<void> =>
  db.transaction(async () => {
    const user = await db.User.findByPk(userId, {
      attributes: ['id', 'passwordHash', 'usernameCanonical', 'emailCanonical'],
      lock: true,
    });
    const identity = user && (await db.Identity.findOne({ where: { id, userId } }));
    if (!identity) throw new Problem('not_found');
    const others = await db.Identity.count({
      where: { userId, id: { [Op.ne]: id }, provider: [...providers] },
    });
    const hasPassword =
      user.passwordHash !== null && (user.usernameCanonical ?? user.emailCanonical) !== null;
    if (others === 0 && !hasPassword) throw new Problem('last_way_in');
    await identity.destroy();
    events.emit('identity.unlinked', { userId, provider: identity.provider });
  });
