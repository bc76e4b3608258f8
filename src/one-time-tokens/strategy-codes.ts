import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { ForeignKeyConstraintError, literal, Op } from 'sequelize';
import type { Context } from '#src/context';
import { digestOf } from '#src/one-time-tokens/one-time-tokens';
import { unsealJson } from '#src/platform/crypto/secrets';
import type { NewCode, SentCode, StrategyCodes } from '#src/strategy-kit/strategy-codes';

const PURPOSE = 'strategy code';
/** How many wrong guesses end a request. */
const MAX_GUESSES = 5;
const SECRET_BYTES = 16;
const ROW_BYTES = 32;

/** What is stored of a code, encrypted. Token, link and digits are keyed digests. */
interface Stored extends SentCode<unknown> {
  request: string;
  link: string;
  code: string;
}
type Kind = 'request' | 'link' | 'code';
interface Found {
  stored: Stored;
  /** Its row, as long as it is the one that was read. */
  row: { digest: string; data: string };
}

/**
 * The codes of one strategy, in the table of one-time tokens. A recipient has one row. The two tokens name the row and
 * hold a secret: who knows the address alone can neither find the code nor use up its guesses.
 */
export function strategyCodes(
  { db, clock, secrets }: Context,
  strategyName: string,
): StrategyCodes {
  const { OneTimeToken } = db;
  const purpose = `${PURPOSE} ${strategyName}`;

  /** Under the current APP_SECRET, then under the previous one. */
  const digestsOf = (kind: Kind, text: string) =>
    secrets
      .keysFor(purpose)
      .map((key) => createHmac('sha256', key).update(`${kind}:${text}`).digest());
  const digest = (kind: Kind, text: string) => digestsOf(kind, text)[0]!.toString('base64');
  const isDigest = (stored: string, kind: Kind, text: string) =>
    digestsOf(kind, text).some((each) => timingSafeEqual(each, Buffer.from(stored, 'base64')));

  async function find(kind: 'request' | 'link', token: string): Promise<Found | undefined> {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== SECRET_BYTES + ROW_BYTES) return undefined;
    const where = {
      digest: bytes.subarray(SECRET_BYTES).toString('hex'),
      purpose: PURPOSE,
      attempts: { [Op.lt]: MAX_GUESSES },
      expiresAt: { [Op.gt]: clock.date() },
    };
    const data = (await OneTimeToken.findOne({ where }))?.data;
    // Undefined for what another strategy stored.
    const stored = data && (unsealJson(secrets, purpose, data) as Stored | undefined);
    if (!data || !stored || !isDigest(stored[kind], kind, token)) return undefined;
    return { stored, row: { digest: where.digest, data } };
  }

  /** False if somebody else has taken it, or it was replaced. */
  const spend = async ({ row }: Found) => (await OneTimeToken.destroy({ where: row })) > 0;

  /** Counts a guess before it is compared. False if there were five. */
  async function count({ row }: Found): Promise<boolean> {
    const where = { ...row, attempts: { [Op.lt]: MAX_GUESSES } };
    const [counted] = await OneTimeToken.update({ attempts: literal('tries + 1') }, { where }); // the column
    return counted === 1;
  }

  const decoy = () => randomBytes(SECRET_BYTES + ROW_BYTES).toString('base64url');
  /** Callers say what they stored. */
  const sentIn = ({ stored: { recipient, data } }: Found) => ({ recipient, data: data as never });

  return {
    decoy,
    async issue({ recipient, userId, data, ttlSeconds }: NewCode) {
      const row = digestOf(PURPOSE, JSON.stringify([strategyName, recipient]));
      const [requestToken, linkToken] = [tokenFor(row), tokenFor(row)];
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      const stored: Stored = {
        recipient,
        data,
        request: digest('request', requestToken),
        link: digest('link', linkToken),
        code: digest('code', `${requestToken}:${code}`),
      };
      try {
        // One statement: INSERT … ON DUPLICATE KEY UPDATE, or ON CONFLICT.
        await OneTimeToken.upsert({
          digest: row,
          purpose: PURPOSE,
          userId: userId ?? null,
          data: secrets.seal(purpose, JSON.stringify(stored)),
          attempts: 0,
          expiresAt: clock.date(ttlSeconds * 1000),
        });
      } catch (error) {
        if (!(error instanceof ForeignKeyConstraintError)) throw error; // the user was deleted meanwhile
      }
      return { requestToken, linkToken, code };
    },

    async find(requestToken: string) {
      const found = await find('request', requestToken);
      return found && sentIn(found);
    },

    async redeem(requestToken: string, code: string) {
      const found = await find('request', requestToken);
      if (!found || !(await count(found))) return undefined;
      const isRight = isDigest(found.stored.code, 'code', `${requestToken}:${code}`);
      return isRight && (await spend(found)) ? sentIn(found) : undefined;
    },

    async findLink(linkToken: string) {
      const found = await find('link', linkToken);
      return found && sentIn(found);
    },

    async redeemLink(linkToken: string) {
      const found = await find('link', linkToken);
      return found && (await spend(found)) ? sentIn(found) : undefined;
    },
  };
}

/** A secret, and then the row that it opens. */
const tokenFor = (row: string): string =>
  Buffer.concat([randomBytes(SECRET_BYTES), Buffer.from(row, 'hex')]).toString('base64url');
