import { Op } from 'sequelize';
import type { Db } from '#models/index';
import { digestOf, isKey } from '#src/api-keys/key';
import type { Context } from '#src/context';
import { MINUTE_MS } from '#src/lifetimes';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { LookUps } from '#src/platform/database/look-ups';
import { Problem } from '#src/platform/http/problem';
import { principalFrom, type Principal } from '#src/users/principal';
import {
  joinUser,
  timeOf,
  USER_COLUMNS,
  userOfRows,
  type Time,
  type UserRow,
} from '#src/users/user-rows';

const FIND = `SELECT k.digest, k.id, k.user_id, k.scopes, k.expires_at, k.last_used_at, ${USER_COLUMNS} FROM api_keys k ${joinUser('k.user_id')} WHERE k.digest IN`;

interface Row extends UserRow {
  digest: string;
  id: string;
  scopes: string;
  expires_at: Time | null;
  last_used_at: Time | null;
}

/** Reads of API keys, those of one turn of the event loop together. */
export type ApiKeyLookUps = LookUps<Row>;

export const createApiKeyLookUps = (db: Db): ApiKeyLookUps =>
  new LookUps<Row>(db, { text: (list) => `${FIND} (${list})`, keyOf: ({ digest }) => digest });

/**
 * The owner of a key, with the roles that the key may use and without a session. Costs one query, which requests that
 * arrive together share, and at most one write a minute.
 * @throws {Problem} 401 `token_invalid`, `token_expired`, `user_disabled`
 */
export async function resumeApiKey(ctx: Context, text: string): Promise<Principal> {
  if (!isKey(text)) throw new Problem('token_invalid');
  const [row, ...more] = await ctx.apiKeyLookUps.find(digestOf(text));
  if (!row) throw new Problem('token_invalid');
  const expiresAt = timeOf(row.expires_at);
  if (expiresAt && expiresAt.getTime() <= ctx.clock.now()) throw new Problem('token_expired');
  if (row.disabled_at) throw new Problem('user_disabled');
  await noteUse(ctx, row.id, timeOf(row.last_used_at));
  return principalFrom(userOfRows([row, ...more]), { scopes: row.scopes.split(' ') });
}

/** A request that only reads is answered even if this cannot be written. */
async function noteUse(ctx: Context, id: string, lastUsedAt: Date | null): Promise<void> {
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
