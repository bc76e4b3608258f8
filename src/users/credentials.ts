import { User } from '#models/index';
import { hashPassword, isStale, passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import { identifierOf } from '#src/users/identifiers';
import { refuseUnconfirmed } from '#src/users/sign-up';

/**
 * The user whom a username or e-mail address and a password belong to, loaded with roles; or null.
 * Unknown, wrong and disabled are one answer and take the same time. A hash of yesterday's cost is renewed.
 * Throws 403 `email_unverified` for whoever has signed up and not confirmed their address.
 */
export async function verifyCredentials(identifier: string, password: string): Promise<User | null> {
  const where = identifierOf(identifier);
  const user = where && (await User.findOne({ where, include: ['roles'] }));
  const matches = await passwordMatches(password, user?.passwordHash);
  if (!user || !matches || user.disabledAt) return refuseUnconfirmed(where, password);
  if (!isStale(user.passwordHash!) || (await renewHash(user, password))) return user;
  return verifyCredentials(identifier, password);
}

/**
 * Only replaces the hash that was just compared, and answers false if it is there no more: a password changed meanwhile stays
 * changed. A busy server renews next time.
 */
async function renewHash(user: User, password: string): Promise<boolean> {
  try {
    const renewed = await hashPassword(password);
    const [changed] = await User.update({ passwordHash: renewed }, { where: { id: user.id, passwordHash: user.passwordHash } });
    user.set({ passwordHash: renewed });
    return changed === 1;
  } catch (error) {
    if (error instanceof Problem && error.code === 'busy') return true;
    throw error;
  }
}
