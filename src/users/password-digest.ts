import { createHash } from 'node:crypto';

/** Says whether a user still has the password that they had, without telling anything about it. It is made of the hash. */
export const passwordDigest = (passwordHash: string | null): string =>
  createHash('sha256')
    .update(passwordHash ?? '')
    .digest('base64url');
