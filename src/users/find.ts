import { validate as isUuid } from 'uuid';
import { User } from '#models/index';
import { identifierOf } from '#src/users/identifiers';

/** The user whom a person means by a username, an e-mail address or an id, loaded with roles; or null. */
export function findUser(named: string): Promise<User | null> {
  const where = isUuid(named) ? { id: named.toLowerCase() } : identifierOf(named);
  return where ? User.findOne({ where, include: ['roles'] }) : Promise.resolve(null);
}
