import type { Request } from 'express';

/** Algorithms of proofs. Asymmetric ones only (RFC 9449 §4.3). */
export const PROOF_ALGORITHMS: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'RS256',
];

const KEY: unique symbol = Symbol('the key that a request has proved to hold');
interface Proved {
  [KEY]?: string;
}

/**
 * Thumbprint of the key that the sender of a request has proved to hold (RFC 9449). Undefined: they have proved none. With
 * an access token, the proof is for that token.
 */
export const provenKeyOf = (req: object): string | undefined => (req as Proved)[KEY];

export const setProvenKey = (req: Request, key: string): void => void ((req as Proved)[KEY] = key);
