import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { digestOf, isFirstUse } from '#src/one-time-tokens/one-time-tokens';
import { unsealJson } from '#src/platform/crypto/secrets';
import type { StrategyStore } from '#src/strategy-kit/strategy-store';

const PURPOSE = 'strategy store';
/** Encrypted and in base64 it must fit into a column of 65,535 bytes. */
const LONGEST_JSON = 48_000;

/**
 * The storage of one strategy, in the table of one-time tokens. What was stored under an APP_SECRET that is gone is not
 * there any more.
 */
export function strategyStore(ctx: Context, strategyName: string): StrategyStore {
  const { db, clock, secrets } = ctx;
  const { OneTimeToken } = db;
  const sealPurpose = `${PURPOSE} ${strategyName}`;
  const digestFor = (key: string) => digestOf(PURPOSE, JSON.stringify([strategyName, key]));

  const where = (digest: string) => ({
    digest,
    purpose: PURPOSE,
    expiresAt: { [Op.gt]: clock.date() },
  });

  return {
    async put(key, value, ttlSeconds) {
      const json = JSON.stringify(value) as string | undefined;
      if (json === undefined || Buffer.byteLength(json) > LONGEST_JSON)
        throw new TypeError(`A strategy can store JSON of up to ${LONGEST_JSON} bytes`);
      const row = {
        digest: digestFor(key),
        purpose: PURPOSE,
        data: secrets.seal(sealPurpose, json),
        expiresAt: clock.date(ttlSeconds * 1000),
      };
      // One statement: INSERT … ON DUPLICATE KEY UPDATE, or ON CONFLICT.
      await OneTimeToken.upsert(row);
    },

    take: <T>(key: string) =>
      db.transaction(async () => {
        const digest = digestFor(key);
        // Locked, and then deleted: no `put` comes between reading a value and deleting it, on any node.
        const found = await OneTimeToken.findOne({ where: where(digest), lock: true });
        if (!found?.data || (await OneTimeToken.destroy({ where: { digest } })) === 0)
          return undefined;
        return unsealJson(secrets, sealPurpose, found.data) as T | undefined;
      }),

    once: (key, seconds) =>
      isFirstUse(ctx, PURPOSE, JSON.stringify([strategyName, 'once', key]), seconds),

    async read<T>(key: string) {
      const found = await OneTimeToken.findOne({ where: where(digestFor(key)) });
      return found?.data
        ? (unsealJson(secrets, sealPurpose, found.data) as T | undefined)
        : undefined;
    },
  };
}
