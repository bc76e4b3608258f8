import { User } from '#models/index';
import { hashPassword, isStale, passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import { identifierOf } from '#src/users/identifiers';

/**
 * The user whom a username or e-mail address and a password belong to, loaded with roles; or null.
 * Unknown, wrong and disabled are one answer and take the same time. A hash of yesterday's cost is renewed.
 */
export async function verifyCredentials(identifier: string, password: string): Promise<User | null> {
  const where = identifierOf(identifier);
  const user = where && (await User.findOne({ where, include: ['roles'] }));
  const matches = await passwordMatches(password, user?.passwordHash);
  if (!user || !matches || user.disabledAt) return null;
  if (isStale(user.passwordHash!)) await renewHash(user, password);
  return user;
}

/** Only replaces the hash that was just compared: a password changed meanwhile stays changed. A busy server renews next time. */
async function renewHash({ id, passwordHash }: User, password: string): Promise<void> {
  try {
    await User.update({ passwordHash: await hashPassword(password) }, { where: { id, passwordHash } });
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'busy')) throw error;
  }
}
