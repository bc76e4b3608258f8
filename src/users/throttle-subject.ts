import { NOBODY } from '#models/user';
import type { Context } from '#src/context';
import { networkOf } from '#src/platform/http/network';
import { identifierOf } from '#src/users/identifiers';

/** The networks of a user are those of at most so many sessions, the newest first. */
const SESSIONS_CONSIDERED = 100;

export interface ThrottleSubject {
  /** Whose failures are counted together. */
  id: string;
  /** Networks from which the user has signed in or refreshed, as long as the session is kept. */
  networks: string[];
}

/**
 * Who is counted for a typed name. All names of one user are one subject. All spellings of an
 * unknown name are one, too. An unknown name takes as many queries as a known one, so time does not
 * tell which names exist.
 */
export async function throttleSubject({ db }: Context, name: string): Promise<ThrottleSubject> {
  const where = identifierOf(name);
  if (!where) return { id: 'name', networks: [] };
  const user = await db.User.findOne({ attributes: ['id'], where });
  const sessions = await db.Session.findAll({
    attributes: ['ip'],
    where: { userId: user?.id ?? NOBODY },
    order: [['id', 'DESC']],
    limit: SESSIONS_CONSIDERED,
    raw: true,
  });
  return {
    id: user ? `user ${user.id}` : `name ${Object.values(where).join('')}`,
    networks: sessions.flatMap(({ ip }) => (ip ? [networkOf({ ip })] : [])),
  };
}
