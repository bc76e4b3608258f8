import { v7 as uuid } from 'uuid';
import type { ApiKey } from '#models/index';
import { digestOf, newKey } from '#src/api-keys/key';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { requireLiveSession } from '#src/sessions/require-live-session';
import type { Principal } from '#src/users/principal';

/** How many keys a user may have at once. */
const MAX_KEYS = 50;

interface WantedKey {
  name: string;
  /** Roles. */
  scopes: readonly string[];
  /** Seconds from now. Undefined: the key never expires. */
  expiresIn?: number | undefined;
}

/**
 * Makes a key and answers it, this once: only its digest is stored. A key may use no role that its owner does not have.
 * @throws {Problem} 400 `invalid_request`, 401 `session_ended`, 409 `conflict` if the user has 50 keys
 */
export async function makeKey(
  ctx: Context,
  principal: Principal,
  { name, scopes, expiresIn }: WantedKey,
): Promise<{ key: string; made: ApiKey }> {
  const { db, clock, events } = ctx;
  refuseForeignScope(principal, scopes);
  const userId = principal.id;
  const key = newKey();
  const made = await db.transaction(async () => {
    // It locks the row of the user, so requests that arrive together are counted one after the other.
    await requireLiveSession(ctx, principal);
    if ((await db.ApiKey.count({ where: { userId } })) >= MAX_KEYS) throw new Problem('conflict');
    const apiKey = await db.ApiKey.create({
      id: uuid(),
      userId,
      name,
      digest: digestOf(key),
      last4: key.slice(-4),
      scopes: [...new Set(scopes)].join(' '),
      expiresAt: expiresIn === undefined ? null : clock.date(expiresIn * 1000),
      createdAt: clock.date(),
    });
    events.emit('api_key.made', { userId, apiKeyId: apiKey.id });
    return apiKey;
  });
  return { key, made };
}

function refuseForeignScope({ roles }: Principal, scopes: readonly string[]): void {
  const index = scopes.findIndex((scope) => !roles.includes(scope));
  if (index < 0) return;
  const message = 'A key may use no role that you do not have';
  const error = { pointer: `/scopes/${index}`, code: 'not_yours', message };
  throw new Problem('invalid_request', { members: { errors: [error] } });
}

/**
 * Takes effect on the next request.
 * @throws {Problem} 404 `not_found` for a key that this user does not have
 */
export const deleteKey = ({ db, events }: Context, userId: string, id: string): Promise<void> =>
  db.transaction(async () => {
    if ((await db.ApiKey.destroy({ where: { userId, id } })) === 0) throw new Problem('not_found');
    events.emit('api_key.deleted', { userId, apiKeyId: id });
  });

interface ListedKey extends Pick<ApiKey, 'id' | 'name' | 'last4'> {
  scopes: string[];
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** A key as its owner and administrators see it. */
export const listedKey = (key: ApiKey): ListedKey => ({
  id: key.id,
  name: key.name,
  scopes: key.scopes.split(' '),
  last4: key.last4,
  expiresAt: key.expiresAt ?? null,
  lastUsedAt: key.lastUsedAt ?? null,
  createdAt: key.createdAt,
});
