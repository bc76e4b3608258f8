import type { ApiKey, Identity, User } from '#models/index';
import { deleteKey } from '#src/api-keys/own-keys';
import { resumeApiKey } from '#src/api-keys/use';
import type { Context } from '#src/context';
import { unlinkIdentity } from '#src/federation/link';
import { signInOptions, userOfPasskey, type SignedChallenge } from '#src/passkeys/sign-in';
import { Problem } from '#src/platform/http/problem';
import { providerOf } from '#src/strategy-kit/contract';
import { findUser } from '#src/users/find';
import type { Principal } from '#src/users/principal';

/** @throws {Problem} 404 `not_found` */
export async function named(ctx: Context, user: string): Promise<User> {
  const found = await findUser(ctx, user);
  if (!found) throw new Problem('not_found');
  return found;
}

export const apiKeysApi = (ctx: Context) => ({
  /** The keys of a user, newest first. @throws {Problem} 404 `not_found` */
  async list(user: string): Promise<ApiKey[]> {
    const where = { userId: (await named(ctx, user)).id };
    return ctx.db.ApiKey.findAll({ where, order: [['id', 'DESC']] });
  },
  /** Deletes a key by its id. @throws {Problem} 404 `not_found` */
  revoke: async (user: string, id: string): Promise<void> =>
    deleteKey(ctx, (await named(ctx, user)).id, id),
  /** @throws {Problem} 401 `token_invalid`, `token_expired`, `user_disabled` */
  resume: (key: string): Promise<Principal> => resumeApiKey(ctx, key),
});

export const identitiesApi = (ctx: Context) => ({
  /** What providers know a user as. @throws {Problem} 404 `not_found` */
  async list(user: string): Promise<Identity[]> {
    const where = { userId: (await named(ctx, user)).id };
    return ctx.db.Identity.findAll({ where, order: ['id'] });
  },
  /** By the id of the identity. @throws {Problem} 404 `not_found`, 409 `last_way_in` */
  unlink: async (user: string, id: string): Promise<void> =>
    unlinkIdentity(ctx, (await named(ctx, user)).id, id, providersOf(ctx)),
});

export const passkeysApi = (ctx: Context) => ({
  /** A challenge for a sign-in with any passkey of this site, as `navigator.credentials.get()` takes it. */
  options: () => signInOptions(ctx),
  /**
   * The user whose passkey signed a challenge, loaded with roles. It starts no session. Each challenge is good once.
   * @throws {Problem} 401 `invalid_credentials`
   */
  authenticate: (answer: SignedChallenge): Promise<User> => userOfPasskey(ctx, answer),
});

const providersOf = ({ strategies }: Context) => [...strategies.providers].map(providerOf);
