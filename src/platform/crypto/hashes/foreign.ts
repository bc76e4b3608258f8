import { timingSafeEqual } from 'node:crypto';

/** A stored password hash, of bcrypt or of another system. */
export interface StoredHash {
  /**
   * Estimated cost of one comparison, in rounds of bcrypt (cost c has 2^c). The estimates were measured with Node 24 on
   * x86-64, at 50 µs a round. `HashCosts` corrects them by what it sees.
   */
  rounds: number;
  /** Memory of one comparison, in bytes. */
  memory: number;
  /** Two hashes with the same family and parameters cost the same. */
  parameters: string;
  /** A sentence why this process cannot compare with it, if it cannot. */
  missing?: string | undefined;
  matches(password: Buffer): Promise<boolean>;
}

/** Reads one family of hashes. Undefined for hashes of another family, and for damaged ones. */
export type Reader = (text: string) => StoredHash | undefined;

/** In bytes. A digest that is shorter, or empty, would match many passwords. */
const SHORTEST_DIGEST = 16;
const LONGEST_DIGEST = 64;

/** Base64 in each of its alphabets (RFC 4648 §4 and §5, and passlib's with `.` for `+`), with or without `=`. */
export const BASE64 = '[A-Za-z0-9+/_.-]+={0,2}';
export const bytesOf = (base64: string): Buffer =>
  Buffer.from(base64.replaceAll('.', '+'), 'base64');

export const isDigest = ({ length }: Buffer): boolean =>
  length >= SHORTEST_DIGEST && length <= LONGEST_DIGEST;
export const isSame = (a: Buffer, b: Buffer): boolean =>
  a.length === b.length && timingSafeEqual(a, b);
