// As a whole: older versions of Node have no such name to import.
import crypto from 'node:crypto';
import {
  BASE64,
  bytesOf,
  isDigest,
  isSame,
  type Reader,
} from '#src/platform/crypto/hashes/foreign';

/** How many passes over 1 KiB cost one round of bcrypt. */
const PER_ROUND = 64;
const FORM = new RegExp(
  `^\\$argon2(id|i|d)\\$v=19\\$m=(\\d{1,9}),t=(\\d{1,6}),p=(\\d{1,3})\\$(${BASE64})\\$(${BASE64})$`,
);

/** Argon2 (RFC 9106) of version 1.3: `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<digest>`. */
export const readArgon2: Reader = (text) => {
  const form = FORM.exec(text);
  if (!form) return undefined;
  const [memory, passes, parallelism] = form.slice(2, 5).map(Number) as [number, number, number];
  const [nonce, digest] = [bytesOf(form[5]!), bytesOf(form[6]!)];
  if (passes < 1 || parallelism < 1 || memory < 8 * parallelism) return undefined;
  if (nonce.length < 8 || !isDigest(digest)) return undefined;
  const kind = `argon2${form[1] as 'id' | 'i' | 'd'}` as const;
  const parameters = { nonce, memory, passes, parallelism, tagLength: digest.length };
  return {
    rounds: (memory * passes) / PER_ROUND,
    memory: memory * 1024,
    parameters: `${kind} ${memory} ${passes} ${parallelism}`,
    missing: 'argon2' in crypto ? undefined : 'argon2 needs Node.js 24.7 or newer',
    matches: async (message) => isSame(await derive(kind, { ...parameters, message }), digest),
  };
};

const derive = (kind: crypto.Argon2Algorithm, parameters: crypto.Argon2Parameters) =>
  new Promise<Buffer>((resolve, reject) => {
    crypto.argon2(kind, parameters, (error, key) => (error ? reject(error) : resolve(key)));
  });
