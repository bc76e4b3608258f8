import { readArgon2 } from '#src/platform/crypto/hashes/argon2';
import { HIGHEST_COST, LOWEST_COST, readBcrypt } from '#src/platform/crypto/hashes/bcrypt';
import type { Reader, StoredHash } from '#src/platform/crypto/hashes/foreign';
import { looksLike } from '#src/platform/crypto/hashes/kinds';
import { readPbkdf2 } from '#src/platform/crypto/hashes/pbkdf2';
import { readPhpass } from '#src/platform/crypto/hashes/phpass';
import { readSaltedSha } from '#src/platform/crypto/hashes/salted-sha';
import { readScrypt } from '#src/platform/crypto/hashes/scrypt';
import { readShaCrypt } from '#src/platform/crypto/hashes/sha-crypt';

/** Every family of hashes of other systems, besides bcrypt. */
const readers: readonly Reader[] = [
  readArgon2,
  readPbkdf2,
  readScrypt,
  readPhpass,
  readShaCrypt,
  readSaltedSha,
];

/** Most rounds of one comparison: twice bcrypt with cost 12. Unknown users cost the same, see `PasswordHasher.matches`. */
export const MOST_ROUNDS = 2 ** 13;
export const TOO_SLOW =
  'its hash takes more than twice as long to compare with as bcrypt with cost 12';
/** 128 MiB and a little, in bytes: scrypt with N = 2^17 and r = 8. As many run at once as bcrypt may. */
const MOST_MEMORY = 130 * 1024 * 1024;

/** @param pepper DEVISE_PEPPER */
function read(text: string, pepper: string): StoredHash | undefined {
  for (const reader of [(each: string) => readBcrypt(each, pepper), ...readers]) {
    const found = reader(text);
    if (found) return found;
  }
  return undefined;
}

/** A sentence why a hash cannot be used, or undefined. Nothing is measured. */
export function refusalOf(text: string, pepper = ''): string | undefined {
  const cost = readBcrypt(text)?.cost;
  if (cost !== undefined && (cost < LOWEST_COST || cost > HIGHEST_COST))
    return `its bcrypt hash does not have a cost of ${LOWEST_COST} to ${HIGHEST_COST}`;
  const found = read(text, pepper);
  if (!found)
    return `its hash is of no kind that is accepted here: it looks like ${looksLike(text)}`;
  if (found.memory > MOST_MEMORY) return 'its hash takes more than 128 MiB to compare with';
  if (cost === undefined && found.rounds > MOST_ROUNDS) return TOO_SLOW;
  return found.missing;
}

/** The stored hash, if a password may be compared with it. */
export const storedHash = (text: string, pepper = ''): StoredHash | undefined =>
  refusalOf(text, pepper) === undefined ? read(text, pepper) : undefined;
