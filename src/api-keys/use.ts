import { Op } from 'sequelize';
import type { ApiKey } from '#models/index';
import { digestOf, isKey } from '#src/api-keys/key';
import type { Context } from '#src/context';
import { MINUTE_MS } from '#src/lifetimes';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { Problem } from '#src/platform/http/problem';
import { principalOf, type Principal } from '#src/users/principal';

/**
 * The owner of a key, with the roles that the key may use and without a session. Costs one query, and at most one write a
 * minute.
 * @throws {Problem} 401 `token_invalid`, `token_expired`, `user_disabled`
 */
export async function resumeApiKey(ctx: Context, text: string): Promise<Principal> {
  if (!isKey(text)) throw new Problem('token_invalid');
  const key = await ctx.db.ApiKey.findOne({
    where: { digest: digestOf(text) },
    include: [{ association: 'user', include: ['roles'] }],
  });
  if (!key?.user) throw new Problem('token_invalid');
  if (!key.isLive(ctx.clock.now())) throw new Problem('token_expired');
  if (key.user.disabledAt) throw new Problem('user_disabled');
  await noteUse(ctx, key);
  return principalOf(key.user, { scopes: key.scopes.split(' ') });
}

/** A request that only reads is answered even if this cannot be written. */
async function noteUse(ctx: Context, { id, lastUsedAt }: ApiKey): Promise<void> {
  const { db, clock, log } = ctx;
  const before = clock.date(-MINUTE_MS);
  if (lastUsedAt && lastUsedAt > before) return;
  const due = { id, lastUsedAt: { [Op.or]: [null, { [Op.lt]: before }] } };
  try {
    await db.ApiKey.update({ lastUsedAt: clock.date() }, { where: due, ...skipCacheInvalidation });
  } catch (error) {
    log.warn({ err: error, apiKeyId: id }, 'the use of an API key could not be noted');
  }
}
