import type { Request } from 'express';

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
