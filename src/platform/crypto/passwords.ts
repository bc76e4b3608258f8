import { createHmac } from 'node:crypto';
import bcrypt from 'bcrypt';
import { createHashingQueue } from '#src/platform/crypto/hashing-queue';
import {
  dummyHash,
  HIGHEST_COST,
  isBcryptForm,
  LOWEST_COST,
  prehashedText,
  readBcrypt,
} from '#src/platform/crypto/hashes/bcrypt';
import { foreignHash, refusalOf } from '#src/platform/crypto/hashes/readers';
import type { RequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';

/** Longest input bcrypt looks at, in bytes. Longer passwords are hashed by HMAC first. They are never cut. */
const BCRYPT_BYTES = 72;
/** Width of the column in the table of users. */
const LONGEST_HASH = 255;

export interface PasswordHasher {
  /**
   * Hashes with BCRYPT_COST.
   *
   * @throws {Problem} 503 `busy`
   */
  hash(plain: string): Promise<string>;
  /**
   * Whether the password belongs to the hash, which may be ours or another system's. A "no" takes the same time with a
   * hash, without one, and with a cheaper one: that of today's cost, or of the most expensive hash seen so far. So the
   * time does not tell who has an account.
   *
   * @throws {Problem} 503 `busy`
   */
  matches(plain: string, hash: string | null | undefined): Promise<boolean>;
  /** True when `hash` would make another one today: the stored one is cheaper, or from another system. */
  isStale(hash: string): boolean;
}

export function createPasswordHasher(
  settings: Pick<Settings, 'bcryptCost' | 'uvThreadpoolSize'>,
  request: RequestContext,
): PasswordHasher {
  const cost = settings.bcryptCost;
  const inTurn = createHashingQueue(settings, request);
  /** What the most expensive hash seen so far costs, in rounds of bcrypt. */
  let dearest = 0;

  return {
    hash(plain) {
      const password = normalize(plain);
      return inTurn(async () => {
        if (!needsPrehash(password)) return bcrypt.hash(password, cost);
        const salt = await bcrypt.genSalt(cost);
        return prehashedText(cost, await bcrypt.hash(prehash(password, salt.slice(7)), salt));
      });
    },

    matches(plain, hash) {
      const password = normalize(plain);
      const known = hash ? readBcrypt(hash) : undefined;
      const foreign = hash && !known ? foreignHash(hash) : undefined;
      const rounds = foreign ? foreign.rounds : 2 ** (known?.cost ?? cost);
      dearest = Math.max(dearest, rounds, 2 ** cost);
      return inTurn(async () => {
        if (foreign) {
          // Most of them use HMAC, which takes `a` and `a\0` for the same key.
          const isMatch = await foreign.matches(Buffer.from(password));
          return (isMatch && !password.endsWith('\0')) || spend(dearest - rounds);
        }
        const input = known?.prehashed ? prehash(password, known.salt) : password;
        const isMatch = await bcrypt.compare(input, known?.bcrypt ?? dummyHash(cost));
        if (!isMatch) return spend(dearest - rounds);
        return known !== undefined && (known.prehashed || !needsPrehash(password));
      });
    },

    isStale(hash) {
      const known = readBcrypt(hash);
      return !known || known.cost < cost || !/^\$(2b|bcrypt-sha256)\$/.test(hash);
    },
  };
}

/** Both forms of "é" are one password (NIST SP 800-63B). Nothing else is changed, trimmed or cut. */
const normalize = (password: string) => password.normalize('NFC');

/**
 * True for what bcrypt would not see whole. It cuts long input. It also repeats the password and a NUL, so `a` and
 * `a\0a` are the same to it.
 */
const needsPrehash = (password: string) =>
  Buffer.byteLength(password) > BCRYPT_BYTES || password.includes('\0');
const prehash = (password: string, salt: string) =>
  createHmac('sha256', salt).update(password).digest('base64');

/**
 * Spends the time of so many rounds of bcrypt, and answers no. A cost of c takes 2^c rounds. Less than the lowest cost
 * takes no time.
 */
async function spend(rounds: number): Promise<false> {
  for (let cost = LOWEST_COST; 2 ** cost <= rounds; cost++)
    if ((rounds / 2 ** cost) % 2 >= 1) await bcrypt.compare('', dummyHash(cost));
  return false;
}

/** True for a hash of ours, or any other of bcrypt. */
export const isHash = (text: string): boolean => readBcrypt(text) !== undefined;

/** Removes what others write before a hash: LDAP's `{CRYPT}`, Django's names of bcrypt and Argon2. */
export const plainHash = (text: string): string =>
  text.replace(/^(\{CRYPT\}|bcrypt\$(?=\$)|argon2(?=\$))/i, '');

/**
 * A sentence why no user may have this hash, or undefined. Hashes that are expensive to compare with are refused: they
 * would keep the server busy for days.
 */
export function whyNotHash(written: string): string | undefined {
  const text = plainHash(written);
  if (text.length > LONGEST_HASH) return `its hash is longer than ${LONGEST_HASH} characters`;
  if (isHash(text)) return undefined;
  return isBcryptForm(text)
    ? `its bcrypt hash does not have a cost of ${LOWEST_COST} to ${HIGHEST_COST}`
    : refusalOf(text);
}
