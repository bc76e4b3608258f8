import { randomBytes } from 'node:crypto';

/** Without letters and digits of which a setting that looks like an example would be made, and be refused. */
export const testSecret = () =>
  randomBytes(32)
    .toString('base64url')
    .replaceAll(/[aeiou1-]/gi, 'x');
