import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { CRYPT64, crypt64, numberOf } from '#src/platform/crypto/hashes/crypt64';
import { isSame, type Reader } from '#src/platform/crypto/hashes/foreign';

/** How many rounds cost one of bcrypt. */
const PER_ROUND = 44;
/** Rounds in a row: other requests wait for a millisecond at most. */
const SLICE = 500;
/** In bytes. Each round hashes the whole password. phpass and Drupal refuse longer ones, too. */
const LONGEST_PASSWORD = 512;

/**
 * phpass (https://www.openwall.com/phpass/): `$P$<log2 of the rounds: 1 letter><salt: 8><digest>`. phpBB writes `$H$`.
 * Both use MD5. Drupal 7 writes `$S$` and uses SHA-512, cut to 43 letters. With `U` before it, Drupal had an MD5 of the
 * password, in hexadecimal, from an older version.
 */
const FORM = new RegExp(
  `^(U?)\\$(?:[PH]\\$(${CRYPT64})(${CRYPT64}{8})(${CRYPT64}{22})|S\\$(${CRYPT64})(${CRYPT64}{8})(${CRYPT64}{43}))$`,
);

export const readPhpass: Reader = (text) => {
  const form = FORM.exec(text);
  if (!form) return undefined;
  const name = form[2] ? 'md5' : 'sha512';
  const [letter, salt, digest] = form.slice(form[2] ? 2 : 5).slice(0, 3) as [
    string,
    string,
    string,
  ];
  const log2 = numberOf(letter);
  if (log2 < 7 || log2 > 30) return undefined;
  const wasMd5 = form[1] === 'U';
  return {
    rounds: 2 ** log2 / PER_ROUND,
    memory: 0,
    parameters: `phpass ${name} ${log2}`,
    async matches(password) {
      const cut = password.subarray(0, LONGEST_PASSWORD);
      const input = wasMd5 ? Buffer.from(createHash('md5').update(cut).digest('hex')) : cut;
      const made = crypt64(await stretched(name, input, Buffer.from(salt), 2 ** log2));
      const isMatch = isSame(Buffer.from(made.slice(0, digest.length)), Buffer.from(digest));
      return isMatch && password.length <= LONGEST_PASSWORD;
    },
  };
};

async function stretched(
  name: 'md5' | 'sha512',
  password: Buffer,
  salt: Buffer,
  rounds: number,
): Promise<Buffer> {
  let digest = createHash(name).update(salt).update(password).digest();
  for (let i = 0; i < rounds; i++) {
    digest = createHash(name).update(digest).update(password).digest();
    if (i % SLICE === 0) await setImmediate();
  }
  return digest;
}
