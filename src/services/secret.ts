import { createHash, randomBytes } from 'node:crypto';

/** `sps_` and 256 random bits in base64url. Scanners for leaked secrets find ours by the prefix. */
const FORMAT = /^sps_[\w-]{43}$/;

export const newServiceSecret = (): string => `sps_${randomBytes(32).toString('base64url')}`;

/** False for what is no secret of ours. Costs no query. */
export const isServiceSecret = (text: string): boolean => FORMAT.test(text);

/** SHA-256 in hex. It is what the database keeps of a secret. */
export const serviceDigest = (secret: string): string =>
  createHash('sha256').update(secret).digest('hex');
