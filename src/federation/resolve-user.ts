import type { User } from '#models/index';
import type { Context } from '#src/context';
import { sendEmailChallenge } from '#src/email/email-challenge';
import { takeOver } from '#src/email/take-over';
import { joinInvited } from '#src/invitations/accept';
import { addIdentity, emailOf, notifyIdentityLinked } from '#src/federation/identities';
import type { Identifier } from '#src/platform/email-address';
import { repeatOnDuplicate } from '#src/platform/database/repeat';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { PlainText } from '#src/platform/text';
import { keepGrant } from '#src/provider-grants/provider-grants';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { createUser } from '#src/users/create-user';
import { isUsernameTaken } from '#src/users/find';
import { isReserved, username } from '#src/users/identifiers';
import { findWithRoles } from '#src/users/with-roles';

/**
 * The user of a provider profile, loaded with roles. The provider's subject finds it. Without such
 * an identity, the profile is linked to the user who has the address, or else a user is created. Of
 * many concurrent first sign-ins, all get the same user.
 *
 * An address links only if the provider has verified it. If the user has confirmed it here too,
 * both are one person. If not, the user may have been made by somebody else, who waits for the
 * owner of the address to come: see `takeOver`.
 *
 * @throws {Problem} 401 `user_disabled`; 403 `signup_closed` for a new user; 409 `already_linked` for an address that cannot be linked
 */
export const resolveUser = (ctx: Context, profile: ProviderProfile): Promise<User> =>
  repeatOnDuplicate(async () => {
    const known = await findByIdentity(ctx, profile);
    if (known) {
      await keepGrant(ctx, profile);
      return requireActive(known);
    }
    return ctx.db.transaction(
      async () => (await linkByEmail(ctx, profile)) ?? createFrom(ctx, profile),
    );
  });

async function findByIdentity(
  { db }: Context,
  { provider, subject }: ProviderProfile,
): Promise<User | undefined> {
  const identity = await db.Identity.findOne({ where: { provider, subject } });
  return (identity && (await findWithRoles(db, { id: identity.userId }))) ?? undefined;
}

function requireActive(user: User): User {
  if (user.disabledAt) throw new Problem('user_disabled');
  return user;
}

async function linkByEmail(ctx: Context, profile: ProviderProfile): Promise<User | null> {
  const { User } = ctx.db;
  const address = emailOf(profile);
  const where = address && { emailCanonical: address.canonical };
  if (!where || !(await takeTurn(User, where))) return null;
  if (!profile.emailVerified) throw new Problem('already_linked');
  const user = requireActive((await findWithRoles(ctx.db, where))!);
  if (!user.emailVerifiedAt)
    await takeOver(ctx, user, { provider: profile.provider, name: nameOf(profile) ?? null });
  await addIdentity(ctx, user.id, profile);
  await notifyIdentityLinked(ctx, user, profile.provider);
  return user;
}

async function createFrom(ctx: Context, profile: ProviderProfile): Promise<User> {
  const { settings, clock } = ctx;
  const address = emailOf(profile);
  const names = { username: await freeUsername(ctx, profile.username), name: nameOf(profile) };
  const proven = address && profile.emailVerified ? address : undefined;
  const invited = proven && (await joinInvited(ctx, proven, names));
  if (!invited && settings.signup === 'closed') throw new Problem('signup_closed');
  const user =
    invited ??
    (await createUser(ctx, {
      ...names,
      email: address,
      emailVerifiedAt: proven ? clock.date() : null,
    }));
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
