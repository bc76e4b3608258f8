import type { User } from '#models/index';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { findSignUps } from '#src/sign-ups/sign-ups';
import { takeHanded } from '#src/users/handed-user';
import { identifierOf } from '#src/users/identifiers';
import { readForSignIn } from '#src/users/read-for-sign-in';

/**
 * The user with this username or e-mail address and this password, loaded with roles; or null. An
 * unknown name, a wrong password and a disabled user get the same answer in the same time. A hash
 * with an old cost, or from another system, is renewed.
 * @throws {Problem} 403 `email_unverified` for a sign-up whose address is not confirmed; 503 `busy`
 */
export async function verifyCredentials(
  ctx: Context,
  identifier: string,
  password: string,
): Promise<User | null> {
  const { passwords } = ctx;
  const where = identifierOf(identifier);
  const read = where && (takeHanded(ctx, identifier) ?? (await readForSignIn(ctx, where)));
  const user = read?.user;
  const matches = await passwords.matches(password, user?.passwordHash);
  if (!user || !matches || user.disabledAt) return refuseUnconfirmed(ctx, where, password);
  if (!passwords.isStale(user.passwordHash!, password) || (await renewHash(ctx, user, password)))
    return user;
  return verifyCredentials(ctx, identifier, password);
}

/**
 * Replaces the hash that was just compared. False if it is not there any more: a password that was
 * changed meanwhile stays changed. A busy server renews the hash at the next sign-in.
 */
async function renewHash({ db, passwords }: Context, user: User, password: string) {
  try {
    const renewed = await passwords.hash(password);
    const where = { id: user.id, passwordHash: user.passwordHash };
    const [changed] = await db.User.update({ passwordHash: renewed }, { where });
    user.set({ passwordHash: renewed });
    return changed === 1;
  } catch (error) {
    if (error instanceof Problem && error.code === 'busy') return true;
    throw error;
  }
}

/**
 * Somebody who signed up, and signs in with the password that they chose, is told to confirm their
 * address. It always costs one bcrypt, so a known address looks like an unknown one.
 */
async function refuseUnconfirmed(
  ctx: Context,
  where: ReturnType<typeof identifierOf>,
  password: string,
): Promise<null> {
  if (ctx.settings.emailVerification !== 'required') return null;
  const [newest] = where ? await findSignUps(ctx, where, 1) : [];
  if (await ctx.passwords.matches(password, newest?.passwordHash))
    throw new Problem('email_unverified');
  return null;
}
