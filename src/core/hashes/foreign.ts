import { timingSafeEqual } from 'node:crypto';

/** A password hash that another system made. */
export interface Foreign {
  /** What one comparison costs, in rounds of bcrypt (cost c has 2^c), as measured with Node 24 on x86-64: 50 µs each. */
  rounds: number;
  /** What one comparison needs, in bytes of memory. */
  memory: number;
  /** A sentence why it cannot be compared with here, if it cannot. */
  missing?: string | undefined;
  matches(password: Buffer): Promise<boolean>;
}

/** Knows one family of hashes: undefined for what is of another, or damaged. */
export type Reader = (text: string) => Foreign | undefined;

/** Shortest digest that counts, in bytes: one that is cut short, or empty, would fit many passwords. */
const SHORTEST_DIGEST = 16;
const LONGEST = 64;

/** Base64 in each of its alphabets (RFC 4648 §4 and §5, and passlib's with `.` for `+`), with or without `=`. */
export const BASE64 = '[A-Za-z0-9+/_.-]+={0,2}';
export const bytesOf = (base64: string): Buffer => Buffer.from(base64.replaceAll('.', '+'), 'base64');

export const isDigest = ({ length }: Buffer): boolean => length >= SHORTEST_DIGEST && length <= LONGEST;
export const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);
