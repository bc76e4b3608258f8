import { Op } from 'sequelize';
import { unnoticed } from '#models/commits';
import { ApiKey, type User } from '#models/index';
import { digestOf, isKey } from '#src/api-keys/key';
import { log } from '#src/core/log';
import { Problem } from '#src/core/problem';

const MINUTE = 60_000;

/**
 * The user a key acts for, loaded with the roles that the key may use. One query, and at most one write a minute.
 * Throws 401 `token_invalid`, `token_expired`, `user_disabled`.
 */
export async function userOfKey(text: string): Promise<User> {
  if (!isKey(text)) throw new Problem('token_invalid');
  const include = [{ association: 'user', include: ['roles'] }];
  const key = await ApiKey.findOne({ where: { digest: digestOf(text) }, include });
  if (!key?.user) throw new Problem('token_invalid');
  if (!key.isLive(Date.now())) throw new Problem('token_expired');
  if (key.user.disabledAt) throw new Problem('user_disabled');
  await noteUse(key);
  key.user.scopes = key.scopes.split(' ');
  return key.user;
}

/** A request that reads is answered also when this cannot be written. */
async function noteUse({ id, lastUsedAt }: ApiKey): Promise<void> {
  const before = new Date(Date.now() - MINUTE);
  if (lastUsedAt && lastUsedAt > before) return;
  const due = { id, lastUsedAt: { [Op.or]: [null, { [Op.lt]: before }] } };
  try {
    await ApiKey.update({ lastUsedAt: new Date() }, { where: due, ...unnoticed });
  } catch (error) {
    log.warn({ err: error, apiKeyId: id }, 'the use of an API key could not be noted');
  }
}
