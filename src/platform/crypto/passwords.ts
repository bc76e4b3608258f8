import {
  createHashingQueue,
  type HashingObserver,
  type HashingQueue,
} from '#src/platform/crypto/hashing-queue';
import { HashCosts } from '#src/platform/crypto/hash-costs';
import {
  compareInVain,
  hashWithBcrypt,
  LOWEST_COST,
  needsPrehash,
  readBcrypt,
} from '#src/platform/crypto/hashes/bcrypt';
import { MOST_ROUNDS, refusalOf, storedHash, TOO_SLOW } from '#src/platform/crypto/hashes/readers';
import type { RequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';

/** Width of the column in the table of users. */
const LONGEST_HASH = 255;

export interface PasswordHasher {
  /** Of the jobs below. */
  readonly queue: Pick<HashingQueue, 'waiting' | 'running'>;
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
  /**
   * True when a hash that the password belongs to should be replaced: it is cheaper than today's, or from another
   * system. A longer password than the other system looked at keeps its hash: whoever mistypes what was never looked at
   * must not be locked out by it.
   */
  isStale(hash: string, plain: string): boolean;
  /**
   * A sentence why no user may have this hash, or undefined. A hash of another system is tried once, to measure what it
   * costs on this machine: one that is too expensive would keep the server busy for days.
   */
  whyRefused(written: string): Promise<string | undefined>;
  /** Cost of a comparison, in rounds of bcrypt, as far as it is known. */
  roundsOf(hash: string): number;
  /** Refuses what would be refused anyway, before anything was read or counted. @throws {Problem} 503 `busy` */
  refuseIfBusy(): void;
}

type HashSettings = Pick<Settings, 'bcryptCost' | 'uvThreadpoolSize' | 'workers' | 'devisePepper'>;

export function createPasswordHasher(
  settings: HashSettings,
  request: RequestContext,
  observer?: HashingObserver,
): PasswordHasher {
  const { bcryptCost: cost, devisePepper: pepper } = settings;
  const inTurn = createHashingQueue(settings, request, observer);
  const costs = new HashCosts();

  return {
    queue: inTurn,
    async hash(plain) {
      if (!plain.isWellFormed()) throw new TypeError('A password must be well-formed Unicode');
      return inTurn(() => hashWithBcrypt(bytesOf(plain), cost));
    },

    matches(plain, hash) {
      const password = bytesOf(plain);
      // Encoded, half a character is U+FFFD: two passwords would be one. Nobody has such a password.
      const stored = hash && plain.isWellFormed() ? storedHash(hash, pepper) : undefined;
      const rounds = stored ? costs.roundsOf(stored) : 2 ** cost;
      return inTurn(async () => {
        if (stored) {
          // Most of the others use HMAC, which takes `a` and `a\0` for the same key.
          const isOurs = stored.parameters.startsWith('bcrypt');
          const isMatch = await costs.compare(stored, password);
          if (isMatch && (isOurs || password.at(-1) !== 0)) return true;
        } else await compareInVain(cost, password);
        return spend(Math.max(costs.dearest(), rounds, 2 ** cost) - rounds);
      });
    },

    isStale(hash, plain) {
      const known = readBcrypt(hash);
      if (known?.cuts && needsPrehash(bytesOf(plain))) return false;
      return !known || known.cost < cost || !/^\$(2b|bcrypt-sha256)\$/.test(hash);
    },

    async whyRefused(written) {
      const text = plainHash(written);
      if (text.length > LONGEST_HASH) return `its hash is longer than ${LONGEST_HASH} characters`;
      const refusal = refusalOf(text, pepper);
      if (refusal || readBcrypt(text)) return refusal;
      return (await costs.measure(storedHash(text)!)) > MOST_ROUNDS ? TOO_SLOW : undefined;
    },

    roundsOf(hash) {
      const stored = storedHash(hash, pepper);
      return stored ? costs.roundsOf(stored) : 2 ** cost;
    },

    refuseIfBusy: () => inTurn.refuseIfBusy(),
  };
}

/** Both forms of "é" are one password (NIST SP 800-63B). Nothing else is changed, trimmed or cut. */
const bytesOf = (password: string) => Buffer.from(password.normalize('NFC'));

/**
 * Spends the time of so many rounds of bcrypt, and answers no. A cost of c takes 2^c rounds. Less than the lowest cost
 * takes no time.
 */
async function spend(rounds: number): Promise<false> {
  for (let cost = LOWEST_COST; 2 ** cost <= rounds; cost++)
    if ((rounds / 2 ** cost) % 2 >= 1) await compareInVain(cost);
  return false;
}

/** Removes what others write before a hash: LDAP, Dovecot and Spring Security in braces, Django its names of bcrypt and Argon2. */
export const plainHash = (text: string): string =>
  text.replace(/^(\{[A-Z0-9-]+\}(?=\$)|bcrypt\$(?=\$)|argon2(?=\$))/i, '');
