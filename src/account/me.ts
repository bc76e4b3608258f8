import type { User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import type { Identifier } from '#src/platform/email-address';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import type { Locale } from '#src/platform/messages/locales';
import { queueRevocations } from '#src/provider-grants/provider-grants';
import { endActing } from '#src/sessions/end-sessions';
import { requireLiveSession } from '#src/sessions/require-live-session';
import { forgetSignUps } from '#src/sign-ups/sign-ups';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import type { Principal } from '#src/users/principal';
import { isFresh, stepUp } from '#src/users/step-up';
import { findWithRoles } from '#src/users/with-roles';

interface Changes {
  username?: Identifier | undefined;
  name?: string | null | undefined;
  locale?: Locale | null | undefined;
}

/**
 * Changes the names and the language of the signed-in user, and answers the changed row with its roles.
 * @throws {Problem} 401 `session_ended`; 409 `username_taken`
 */
export async function updateMe(
  ctx: Context,
  principal: Principal,
  { username, name, locale }: Changes,
): Promise<User> {
  const { db, events } = ctx;
  const values = {
    ...(name !== undefined && { name }),
    ...(locale !== undefined && { locale }),
    ...(username && { username: username.display, usernameCanonical: username.canonical }),
  };
  await mapUniqueViolation(() =>
    db.transaction(async () => {
      const user = await requireLiveSession(ctx, principal);
      await user.update(values);
      events.emit('user.updated', { userId: principal.id });
    }),
  );
  const changed = await findWithRoles(db, { id: principal.id });
  if (!changed) throw new Problem('session_ended');
  return changed;
}

/**
 * Deletes the signed-in user for good, with all their data. Needs the password, or a recent
 * sign-in.
 * @throws {Problem} 401 `invalid_credentials`, `session_ended`; 403 `step_up_required`; 409
 *   `last_admin`; 503 `busy`
 */
export async function deleteMe(
  ctx: Context,
  principal: Principal,
  password: string | undefined,
): Promise<void> {
  const { db, clock, passwords } = ctx;
  if (password === undefined && !isFresh(principal, clock, lifetimes.freshSignInMinutes))
    throw stepUp({ minutes: lifetimes.freshSignInMinutes });
  const compared = await db.User.findByPk(principal.id, { attributes: ['passwordHash'] });
  const hash = compared?.passwordHash;
  if (password !== undefined && !(await passwords.matches(password, hash)))
    throw new Problem('invalid_credentials');
  const isDone = await keepAnAdmin(ctx, async () => {
    const user = await requireLiveSession(ctx, principal);
    if (password !== undefined && user.passwordHash !== hash) return false;
    await destroyUser(ctx, user);
    return true;
  });
  // The hash is a different one by now. It was changed, or a sign-in renewed it. Start again.
  if (!isDone) await deleteMe(ctx, principal, password);
}

/**
 * Deletes a user for good, with all their data.
 * @throws {Problem} 404 `not_found`; 409 `last_admin`
 */
export const removeUser = (ctx: Context, id: string): Promise<void> =>
  keepAnAdmin(ctx, async () => {
    const user = (await takeTurn(ctx.db.User, { id })) && (await ctx.db.User.findByPk(id));
    if (!user) throw new Problem('not_found');
    await destroyUser(ctx, user);
  });

/** The rows of everything else that belongs to the user go with it. Providers are told. Events keep the id. */
async function destroyUser(ctx: Context, user: User): Promise<void> {
  await queueRevocations(ctx, { userId: user.id });
  await endActing(ctx, { actorId: user.id });
  await user.destroy();
  const { emailCanonical } = user;
  if (emailCanonical) {
    await forgetSignUps(ctx, emailCanonical);
    await ctx.db.Invitation.destroy({ where: { emailCanonical } });
  }
  ctx.events.emit('user.deleted', { userId: user.id });
}
