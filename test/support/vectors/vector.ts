import type { KeyObject } from 'node:crypto';

export type Algorithm = 'ES256' | 'RS256' | 'HS256';

/** A token and the verdict of the RFCs. `may`: they leave it to the verifier, and a list in the test says what ours does. */
export interface Vector {
  name: string;
  token: string;
  verdict: 'valid' | 'invalid' | 'may';
  /** Checks it. Default: the key of the whole set. */
  verifyWith?: KeyObject;
}

/** What all vectors of an algorithm start from. */
export interface Source {
  algorithm: Algorithm;
  kid: string;
  signWith: KeyObject;
  verifyWith: KeyObject;
  /** A header and claims that are good. */
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  /** A genuine signature of the first two segments. */
  sign(input: string): Buffer;
}

export const text64 = (text: string): string => Buffer.from(text).toString('base64url');

/** The first two segments of a good token. `jti` makes it another one. */
export const inputOf = ({ header, claims }: Source, jti = claims['jti']): string =>
  `${text64(JSON.stringify(header))}.${text64(JSON.stringify({ ...claims, jti }))}`;

export const tokenOf = (input: string, signature: Buffer): string =>
  `${input}.${signature.toString('base64url')}`;

/** Signs what is new until the signature looks as wanted. */
export function until(
  source: Source,
  jtis: () => string,
  wanted: (signature: Buffer) => boolean,
): string {
  for (;;) {
    const input = inputOf(source, jtis());
    const signature = source.sign(input);
    if (wanted(signature)) return tokenOf(input, signature);
  }
}

export const named = (
  verdict: Vector['verdict'],
  entries: Record<string, string>,
  verifyWith?: KeyObject,
): Vector[] =>
  Object.entries(entries).map(([name, token]) => ({
    name,
    token,
    verdict,
    ...(verifyWith && { verifyWith }),
  }));
