import { v7 as uuid } from 'uuid';
import { ApiKey, transaction, type User } from '#models/index';
import { digestOf, newKey } from '#src/api-keys/key';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import { stillSignedIn } from '#src/sessions/still-signed-in';

/** How many keys a user may have at once. */
const AT_ONCE = 50;

interface Wanted {
  name: string;
  scopes: string[];
  /** Seconds from now; never, if it is missing. */
  expiresIn?: number | undefined;
}

/**
 * Makes a key, and answers it this once: only its digest is kept. `user` is loaded with roles: a key may use none that its owner
 * does not have. Throws 400 `invalid_request`, 401 `session_ended`, 409 `conflict` when there are 50 already.
 */
export async function makeKey(user: User, { name, scopes, expiresIn }: Wanted): Promise<{ key: string; made: ApiKey }> {
  const lacking = scopes.findIndex((scope) => !user.hasRole(scope));
  if (lacking >= 0) {
    const error = { pointer: `/scopes/${lacking}`, code: 'not_yours', message: 'A key may use no role that you do not have' };
    throw new Problem('invalid_request', { members: { errors: [error] } });
  }
  const key = newKey();
  const made = await transaction(async () => {
    await stillSignedIn(user); // which locks the row: of many at once, none is overlooked
    if ((await ApiKey.count({ where: { userId: user.id } })) >= AT_ONCE) throw new Problem('conflict');
    const expiresAt = expiresIn === undefined ? null : new Date(Date.now() + expiresIn * 1000);
    const fields = { name, digest: digestOf(key), ending: key.slice(-4), scopes: [...new Set(scopes)].join(' '), expiresAt };
    return ApiKey.create({ id: uuid(), userId: user.id, ...fields });
  });
  emit('api_key.made', { userId: user.id, apiKeyId: made.id });
  return { key, made };
}

/** Binds on the next request. Throws 404 `not_found`. */
export async function deleteKey(userId: string, id: string): Promise<void> {
  if ((await ApiKey.destroy({ where: { userId, id } })) === 0) throw new Problem('not_found');
  emit('api_key.deleted', { userId, apiKeyId: id });
}
