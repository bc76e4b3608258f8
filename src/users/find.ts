import { validate as isUuid } from 'uuid';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { identifierOf } from '#src/users/identifiers';
import { findWithRoles } from '#src/users/with-roles';

/** The user with this username, e-mail address or id, loaded with roles; or null. */
export async function findUser({ db }: Context, named: string): Promise<User | null> {
  const where = isUuid(named) ? { id: named.toLowerCase() } : identifierOf(named);
  return where && findWithRoles(db, where);
}

/** Usernames are not secret, so anybody may learn that one is taken. */
export const isUsernameTaken = async (
  { db }: Context,
  usernameCanonical: string,
): Promise<boolean> => (await db.User.count({ where: { usernameCanonical } })) > 0;
