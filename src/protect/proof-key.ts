import { constants, createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { BoundedMap } from '#src/protect/bounded-map';

/** The key that a proof was signed with, and how (RFC 9449 §4.2). */
export interface ProofKey {
  /** SHA-256 thumbprint in base64url (RFC 7638). */
  readonly thumbprint: string;
  readonly isSigned: (input: string, signature: Buffer) => boolean;
}

/** Which keys an algorithm takes. Asymmetric ones only (RFC 9449 §4.3). */
interface Algorithm {
  readonly kty: 'EC' | 'OKP' | 'RSA';
  readonly crv?: string;
  readonly digest?: string;
  /** Length of a signature, in bytes. For RSA it is that of the key. */
  readonly bytes?: number;
  readonly isPss?: true;
}
const ED25519: Algorithm = { kty: 'OKP', crv: 'Ed25519', bytes: 64 };
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  ES256: { kty: 'EC', crv: 'P-256', digest: 'sha256', bytes: 64 },
  ES384: { kty: 'EC', crv: 'P-384', digest: 'sha384', bytes: 96 },
  ES512: { kty: 'EC', crv: 'P-521', digest: 'sha512', bytes: 132 },
  EdDSA: ED25519,
  Ed25519: ED25519,
  PS256: { kty: 'RSA', digest: 'sha256', isPss: true },
  RS256: { kty: 'RSA', digest: 'sha256' },
};
/** Those of the auth server. */
export const PROOF_ALGORITHMS: readonly string[] = Object.keys(ALGORITHMS);

/** What a thumbprint is made of, in this order (RFC 7638 §3.2, RFC 8037 §2). */
const MEMBERS = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] };
const SECRETS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** A key that was read costs nothing the next time. */
const MOST = 10_000;
const RSA_BITS = [2048, 8192] as const;

/** Reads the public keys in the headers of proofs. */
export class ProofKeys {
  readonly #known = new BoundedMap<string, KeyObject>(MOST);

  /** @throws {Error} that says what is wrong with the key */
  read(alg: unknown, jwk: unknown): ProofKey {
    if (typeof alg !== 'string' || !Object.hasOwn(ALGORITHMS, alg))
      throw new Error('Its algorithm is not among `algs`');
    const algorithm = ALGORITHMS[alg]!;
    const text = publicPartOf(jwk, algorithm);
    const thumbprint = createHash('sha256').update(text).digest('base64url');
    const key = this.#known.get(thumbprint) ?? publicKey(text);
    this.#known.set(thumbprint, key);
    return {
      thumbprint,
      isSigned: (input, signature) => isSigned(algorithm, key, Buffer.from(input), signature),
    };
  }
}

function publicPartOf(jwk: unknown, { kty, crv }: Algorithm): string {
  const given = (jwk ?? {}) as Record<string, unknown>;
  if (SECRETS.some((name) => given[name] !== undefined))
    throw new Error('Its `jwk` has a private part');
  const members = MEMBERS[kty].map((name) => [name, given[name]] as const);
  const isWhole = members.every(([, value]) => typeof value === 'string');
  if (!isWhole || given['kty'] !== kty || given['crv'] !== crv)
    throw new Error('Its `jwk` is no public key for its algorithm');
  return JSON.stringify(Object.fromEntries(members));
}

function publicKey(text: string): KeyObject {
  try {
    const key = createPublicKey({ key: JSON.parse(text), format: 'jwk' });
    const { modulusLength: bits, publicExponent: exponent } = key.asymmetricKeyDetails ?? {};
    const isSound =
      bits === undefined || (bits >= RSA_BITS[0] && bits <= RSA_BITS[1] && exponent! < 2n ** 33n);
    if (isSound) return key;
  } catch {
    // as below
  }
  throw new Error('Its `jwk` is no public key for its algorithm');
}

function isSigned(
  { digest, bytes, isPss }: Algorithm,
  key: KeyObject,
  input: Buffer,
  signature: Buffer,
): boolean {
  if (bytes !== undefined && signature.length !== bytes) return false;
  const padding = isPss && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return verify(digest, input, { key, dsaEncoding: 'ieee-p1363', ...padding }, signature);
}
