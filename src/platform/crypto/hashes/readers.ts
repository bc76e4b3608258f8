import { readArgon2 } from '#src/platform/crypto/hashes/argon2';
import type { ForeignHash, Reader } from '#src/platform/crypto/hashes/foreign';
import { readPbkdf2 } from '#src/platform/crypto/hashes/pbkdf2';
import { readSaltedSha } from '#src/platform/crypto/hashes/salted-sha';
import { readScrypt } from '#src/platform/crypto/hashes/scrypt';
import { readShaCrypt } from '#src/platform/crypto/hashes/sha-crypt';

/** Every family of hashes of other systems, besides bcrypt. */
const readers: readonly Reader[] = [
  readArgon2,
  readPbkdf2,
  readScrypt,
  readShaCrypt,
  readSaltedSha,
];

/** Most rounds of one comparison: 0.4 s, twice today's bcrypt. Unknown users cost the same, see `PasswordHasher.matches`. */
const MOST_ROUNDS = 2 ** 13;
/** 128 MiB and a little, in bytes: scrypt with N = 2^17 and r = 8. As many run at once as bcrypt may. */
const MOST_MEMORY = 130 * 1024 * 1024;

const read = (text: string): ForeignHash | undefined => {
  for (const reader of readers) {
    const found = reader(text);
    if (found) return found;
  }
  return undefined;
};

/** A sentence why a hash of another system cannot be imported, or undefined. */
export function refusalOf(text: string): string | undefined {
  const found = read(text);
  if (!found) return 'its hash is of no kind that is known here, or is damaged';
  if (found.memory > MOST_MEMORY) return 'its hash takes more than 128 MiB to compare with';
  if (found.rounds > MOST_ROUNDS) return 'its hash takes more than 0.4 seconds to compare with';
  return found.missing;
}

/** The hash of another system, if a password may be compared with it. */
export const foreignHash = (text: string): ForeignHash | undefined =>
  refusalOf(text) === undefined ? read(text) : undefined;
