import { UniqueConstraintError } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { sendEmailChallenge } from '#src/email/email-challenge';
import { addIdentity, emailOf, notifyIdentityLinked } from '#src/federation/identities';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { PlainText } from '#src/platform/text';
import { endSessions } from '#src/sessions/end-sessions';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { createUser } from '#src/users/create-user';
import { isUsernameTaken } from '#src/users/find';
import { isReserved, username } from '#src/users/identifiers';

const MAX_ATTEMPTS = 3;

/**
 * The user of a provider profile, loaded with roles. The provider's subject finds it. Without such
 * an identity, the profile is linked to the user who has the address, or else a user is created. Of
 * many concurrent first sign-ins, all get the same user.
 *
 * An address links only if the provider has verified it. If the user has confirmed it here too,
 * both are one person. If not, the user may have been made by somebody else, who waits for the
 * owner of the address to come: see `takeOver`.
 *
 * @throws {Problem} 401 `user_disabled`; 403 `forbidden` for a new user while SIGNUP is closed; 409
 *   `already_linked` for an address that cannot be linked
 */
export async function resolveUser(ctx: Context, profile: ProviderProfile): Promise<User> {
  for (let attempt = 1; ; attempt++) {
    const known = await findByIdentity(ctx, profile);
    if (known) return requireActive(known);
    try {
      return await ctx.db.transaction(
        async () => (await linkByEmail(ctx, profile)) ?? createFrom(ctx, profile),
      );
    } catch (error) {
      if (!(error instanceof UniqueConstraintError) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function findByIdentity(
  { db }: Context,
  { provider, subject }: ProviderProfile,
): Promise<User | undefined> {
  const identity = await db.Identity.findOne({
    where: { provider, subject },
    include: [{ association: 'user', include: ['roles'] }],
  });
  return identity?.user;
}

function requireActive(user: User): User {
  if (user.disabledAt) throw new Problem('user_disabled');
  return user;
}

async function linkByEmail(ctx: Context, profile: ProviderProfile): Promise<User | null> {
  const { User } = ctx.db;
  const address = emailOf(profile);
  const locked =
    address && (await User.findOne({ where: { emailCanonical: address.canonical }, lock: true }));
  if (!locked) return null;
  if (!profile.emailVerified) throw new Problem('already_linked');
  const user = requireActive((await User.findByPk(locked.id, { include: ['roles'] }))!);
  if (!user.emailVerifiedAt) await takeOver(ctx, user, profile);
  await addIdentity(ctx, user.id, profile);
  await notifyIdentityLinked(ctx, user, profile.provider);
  return user;
}

/**
 * Gives a user whose address was never confirmed to the owner of the address. A stranger may have
 * made the user before, so this deletes every credential set until now: password, identities, API
 * keys, one-time tokens, sessions; and takes the name from the provider. The username stays. It
 * opens nothing by itself, its owner may have signed up with their own address, and it can be
 * changed. A user with more roles than `user` is never given away for an address.
 */
async function takeOver(ctx: Context, user: User, profile: ProviderProfile): Promise<void> {
  const { db, clock, events } = ctx;
  if (user.isMoreThanUser) throw new Problem('already_linked');
  const userId = user.id;
  await user.update({
    passwordHash: null,
    emailVerifiedAt: clock.date(),
    name: nameOf(profile) ?? null,
  });
  await db.Identity.destroy({ where: { userId } });
  await db.ApiKey.destroy({ where: { userId } });
  await db.OneTimeToken.destroy({ where: { userId } });
  await endSessions(ctx, { userId }, 'taken_over');
  events.emit('user.taken_over', { userId, provider: profile.provider });
}

async function createFrom(ctx: Context, profile: ProviderProfile): Promise<User> {
  const { settings, clock } = ctx;
  if (settings.signup === 'closed') throw new Problem('forbidden', { members: { required: [] } });
  const address = emailOf(profile);
  const user = await createUser(ctx, {
    username: await freeUsername(ctx, profile.username),
    email: address,
    name: nameOf(profile),
    emailVerifiedAt: address && profile.emailVerified ? clock.date() : null,
  });
  await addIdentity(ctx, user.id, profile);
  if (settings.emailVerification !== 'off') await sendEmailChallenge(ctx, user);
  return user;
}

const nameOf = ({ name }: ProviderProfile) => PlainText.max(100).safeParse(name).data;

/** The username of a profile, if it is valid here and free. */
async function freeUsername(
  ctx: Context,
  given: string | undefined,
): Promise<Identifier | undefined> {
  const found = given === undefined ? undefined : username(given);
  if (!found || !('canonical' in found) || isReserved(found)) return undefined;
  return (await isUsernameTaken(ctx, found.canonical)) ? undefined : found;
}
