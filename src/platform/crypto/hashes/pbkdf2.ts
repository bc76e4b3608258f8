import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import {
  BASE64,
  bytesOf,
  isDigest,
  isSame,
  type Reader,
  type StoredHash,
} from '#src/platform/crypto/hashes/foreign';

/** Bytes of the digest, and how many iterations cost one round of bcrypt. */
const DIGESTS = { sha1: [20, 390], sha256: [32, 390], sha512: [64, 128] } as const;
type Digest = keyof typeof DIGESTS;

/** Django: `pbkdf2_sha256$<iterations>$<salt, as text>$<base64>`. */
const DJANGO = new RegExp(
  `^pbkdf2_(sha1|sha256|sha512)\\$(\\d{1,9})\\$([^$]{1,64})\\$(${BASE64})$`,
);
/** Werkzeug (Flask): `pbkdf2:sha256:<iterations>$<salt, as text>$<hexadecimal>`. */
const WERKZEUG = /^pbkdf2:(sha1|sha256|sha512):(\d{1,9})\$([^$]{1,64})\$([0-9a-f]+)$/;
/**
 * passlib: `$pbkdf2-sha256$<iterations>$<salt>$<digest>`.
 * Keycloak's, and PHC's: `$pbkdf2-sha256$i=<iterations>[,l=<bytes>]$<salt>$<digest>`.
 */
const MODULAR = new RegExp(
  `^\\$pbkdf2(?:-(sha1|sha256|sha512))?\\$(?:i=)?(\\d{1,9})(?:,l=\\d{1,3})?\\$(${BASE64})\\$(${BASE64})$`,
);
/** ASP.NET Identity: base64 of 45 bytes or more. */
const ASP_NET = /^[A-Za-z0-9+/]{58,160}={0,2}$/;

const derive = promisify(pbkdf2);

/** PBKDF2 (RFC 8018 §5.2) with HMAC-SHA-1, -256 and -512. */
export const readPbkdf2: Reader = (text) => {
  const asText = DJANGO.exec(text) ?? WERKZEUG.exec(text);
  if (asText) {
    const [, digest, iterations, salt, hash] = asText as string[];
    const bytes = text.startsWith('pbkdf2:') ? Buffer.from(hash!, 'hex') : bytesOf(hash!);
    return hashOf(digest as Digest, Number(iterations), Buffer.from(salt!), bytes);
  }
  const modular = MODULAR.exec(text);
  if (!modular) return ASP_NET.test(text) ? aspNetHash(Buffer.from(text, 'base64')) : undefined;
  const [, digest = 'sha1', iterations, salt, hash] = modular;
  return hashOf(digest as Digest, Number(iterations), bytesOf(salt!), bytesOf(hash!));
};

const ASP_NET_DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha512'];

/**
 * ASP.NET Identity as it is stored. Version 2: a zero, 16 bytes of salt, 32 of digest; SHA-1, 1000 iterations.
 * Version 3: a one, then digest, iterations and bytes of salt as 32-bit numbers, salt, digest
 * (Microsoft.AspNetCore.Identity, PasswordHasher.cs).
 */
function aspNetHash(bytes: Buffer): StoredHash | undefined {
  if (bytes[0] === 0 && bytes.length === 49)
    return hashOf('sha1', 1000, bytes.subarray(1, 17), bytes.subarray(17));
  if (bytes[0] !== 1 || bytes.length < 13 + 16 + 16) return undefined;
  const [digest, iterations, length] = [1, 5, 9].map((at) => bytes.readUInt32BE(at));
  const name = ASP_NET_DIGESTS[digest!];
  if (!name || length! < 16 || 13 + length! >= bytes.length) return undefined;
  return hashOf(name, iterations!, bytes.subarray(13, 13 + length!), bytes.subarray(13 + length!));
}

function hashOf(
  digest: Digest,
  iterations: number,
  salt: Buffer,
  hash: Buffer,
): StoredHash | undefined {
  if (iterations < 1 || !isDigest(hash)) return undefined;
  const [bytes, perRound] = DIGESTS[digest];
  // Each block is derived separately and costs the same again (Keycloak keeps two or three). The first one is enough.
  const block = hash.subarray(0, bytes);
  return {
    rounds: iterations / perRound,
    memory: 0,
    parameters: `pbkdf2 ${digest} ${iterations}`,
    matches: async (password) =>
      isSame(await derive(password, salt, iterations, block.length, digest), block),
  };
}
