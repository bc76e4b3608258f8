import { readArgon2 } from '#src/core/hashes/argon2';
import type { Foreign, Reader } from '#src/core/hashes/foreign';
import { readPbkdf2 } from '#src/core/hashes/pbkdf2';
import { readSaltedSha } from '#src/core/hashes/salted-sha';
import { readScrypt } from '#src/core/hashes/scrypt';
import { readShaCrypt } from '#src/core/hashes/sha-crypt';

/** Every kind of hash that other systems bring along, besides bcrypt. */
const readers: readonly Reader[] = [readArgon2, readPbkdf2, readScrypt, readShaCrypt, readSaltedSha];

/** What one comparison may cost: 0.4 s, as twice today's bcrypt. Whoever does not exist costs as much, see `passwordMatches`. */
const DEAREST = 2 ** 13;
/** 128 MiB and a little, in bytes: scrypt with N = 2^17 and r = 8. As many at once as bcrypt may run. */
const LARGEST = 130 * 1024 * 1024;

const read = (text: string): Foreign | undefined => {
  for (const reader of readers) {
    const found = reader(text);
    if (found) return found;
  }
  return undefined;
};

/** A sentence why a hash of another system cannot be taken over, or undefined. */
export function refusalOf(text: string): string | undefined {
  const found = read(text);
  if (!found) return 'its hash is of no kind that is known here, or is damaged';
  if (found.memory > LARGEST) return 'its hash takes more than 128 MiB to compare with';
  if (found.rounds > DEAREST) return 'its hash takes more than 0.4 seconds to compare with';
  return found.missing;
}

/** The hash of another system, if a password may be compared with it. */
export const foreignHash = (text: string): Foreign | undefined => (refusalOf(text) === undefined ? read(text) : undefined);
