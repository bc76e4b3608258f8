import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import {
  BASE64,
  bytesOf,
  isDigest,
  isSame,
  type ForeignHash,
  type Reader,
} from '#src/platform/crypto/hashes/foreign';

/** Bytes of the digest, and how many iterations cost one round of bcrypt. */
const DIGESTS = { sha1: [20, 390], sha256: [32, 390], sha512: [64, 128] } as const;
type Digest = keyof typeof DIGESTS;

/** Django: `pbkdf2_sha256$<iterations>$<salt, as text>$<base64>`. */
const DJANGO = new RegExp(
  `^pbkdf2_(sha1|sha256|sha512)\\$(\\d{1,9})\\$([^$]{1,64})\\$(${BASE64})$`,
);
/**
 * passlib: `$pbkdf2-sha256$<iterations>$<salt>$<digest>`.
 * Keycloak's, and PHC's: `$pbkdf2-sha256$i=<iterations>[,l=<bytes>]$<salt>$<digest>`.
 */
const MODULAR = new RegExp(
  `^\\$pbkdf2(?:-(sha1|sha256|sha512))?\\$(?:i=)?(\\d{1,9})(?:,l=\\d{1,3})?\\$(${BASE64})\\$(${BASE64})$`,
);

const derive = promisify(pbkdf2);

/** PBKDF2 (RFC 8018 §5.2) with HMAC-SHA-1, -256 and -512. */
export const readPbkdf2: Reader = (text) => {
  const django = DJANGO.exec(text);
  if (django) {
    const [, digest, iterations, salt, hash] = django as string[];
    return hashOf(digest as Digest, Number(iterations), Buffer.from(salt!), bytesOf(hash!));
  }
  const modular = MODULAR.exec(text);
  if (!modular) return undefined;
  const [, digest = 'sha1', iterations, salt, hash] = modular;
  return hashOf(digest as Digest, Number(iterations), bytesOf(salt!), bytesOf(hash!));
};

function hashOf(
  digest: Digest,
  iterations: number,
  salt: Buffer,
  hash: Buffer,
): ForeignHash | undefined {
  if (iterations < 1 || !isDigest(hash)) return undefined;
  const [bytes, perRound] = DIGESTS[digest];
  // Each block is derived separately and costs the same again (Keycloak keeps two or three). The first one is enough.
  const block = hash.subarray(0, bytes);
  return {
    rounds: iterations / perRound,
    memory: 0,
    matches: async (password) =>
      isSame(await derive(password, salt, iterations, block.length, digest), block),
  };
}
