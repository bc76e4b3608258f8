import { Session, User } from '#models/index';
import { NOBODY } from '#models/user';
import { networkOf } from '#src/core/network';
import { identifierOf } from '#src/users/identifiers';

/** Of somebody who signs in all the time, the last so many sessions tell where they do. */
const LOOKED_AT = 100;

/**
 * Whom a name means, for counting: all names of one user are one account, all spellings of an unknown name, too. And the networks from
 * which the user has signed in or refreshed, for as long as the session is kept. As many queries for a name that nobody has.
 */
export async function accountNamed(name: string): Promise<{ id: string; networks: string[] }> {
  const where = identifierOf(name);
  if (!where) return { id: 'name', networks: [] };
  const user = await User.findOne({ attributes: ['id'], where });
  const order: [string, string][] = [['id', 'DESC']];
  const sessions = await Session.findAll({ attributes: ['ip'], where: { userId: user?.id ?? NOBODY }, order, limit: LOOKED_AT, raw: true });
  return {
    id: user ? `user ${user.id}` : `name ${Object.values(where).join('')}`,
    networks: sessions.flatMap(({ ip }) => (ip ? [networkOf({ ip })] : [])),
  };
}
