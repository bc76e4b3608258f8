import type { User } from '#models/index';
import type { Context } from '#src/context';
import { takeOver } from '#src/email/take-over';
import { joinInvited } from '#src/invitations/accept';
import { repeatOnDuplicate } from '#src/platform/database/repeat';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { forgetSignUps } from '#src/sign-ups/sign-ups';
import type { ProvenAddress } from '#src/strategy-kit/proven-address';
import { createUser } from '#src/users/create-user';
import { findWithRoles } from '#src/users/with-roles';

/**
 * The user of an address that somebody has just proved to be theirs, loaded with roles. If nobody
 * has it, a user is created. Of many at once, all get the same user. A user who had not confirmed
 * the address may have been made by a stranger: see `takeOver`. A disabled user stays as they are,
 * for the sign-in pipeline to refuse.
 * @throws {Problem} 403 `signup_closed` for a new user; 409 `already_linked` for a user with more
 *   roles than `user` who has not confirmed it
 */
export const resolveAddress = (ctx: Context, proven: ProvenAddress): Promise<User> =>
  repeatOnDuplicate(() =>
    ctx.db.transaction(async () => (await findOwner(ctx, proven)) ?? createOwner(ctx, proven)),
  );

async function findOwner(
  ctx: Context,
  { strategy, address }: ProvenAddress,
): Promise<User | undefined> {
  const { User } = ctx.db;
  const where = { emailCanonical: address.canonical };
  if (!(await takeTurn(User, where))) return undefined;
  const user = (await findWithRoles(ctx.db, where))!;
  if (!user.disabledAt && !user.emailVerifiedAt)
    await takeOver(ctx, user, { provider: strategy, name: null });
  return user;
}

/** Whoever signed up with the address meanwhile chose a password without owning it. */
async function createOwner(ctx: Context, { address }: ProvenAddress): Promise<User> {
  const { settings, clock } = ctx;
  const invited = await joinInvited(ctx, address);
  if (invited) return invited;
  if (settings.signup === 'closed') throw new Problem('signup_closed');
  const user = await createUser(ctx, { email: address, emailVerifiedAt: clock.date() });
  await forgetSignUps(ctx, address.canonical);
  return user;
}
