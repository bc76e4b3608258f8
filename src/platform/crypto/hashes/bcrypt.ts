import { createHash, createHmac } from 'node:crypto';
import bcrypt from 'bcrypt';
import type { StoredHash } from '#src/platform/crypto/hashes/foreign';

export const LOWEST_COST = 4;
export const HIGHEST_COST = 15;
/** bcrypt looks at so many bytes of a password. */
const BCRYPT_BYTES = 72;

/** 22 characters of salt and 31 of digest. No password is known for it, yet comparing costs what its prefix says. */
const NO_PASSWORD = '.'.repeat(53);

interface Family {
  form: RegExp;
  /** What bcrypt is given in place of the password. */
  input: (password: Buffer, salt: string, pepper: string) => string | Buffer;
}

/** Cost, salt and digest of bcrypt. */
const CLASSIC = '\\$2[aby]\\$(\\d{2})\\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$';

/**
 * `plain`: ours, for passwords of less than 72 bytes, and most others'. They let bcrypt cut a longer one.
 * `prehashed`: ours for longer passwords, and passlib's bcrypt_sha256 of version 2: HMAC-SHA-256 with the salt.
 * `django`: its BCryptSHA256PasswordHasher. `wordpress`: since 6.8. `devise`: with its pepper behind the password.
 */
const families = {
  plain: { form: new RegExp(`^${CLASSIC}`), input: (password) => cut(password) },
  prehashed: {
    form: /^\$bcrypt-sha256\$v=2,t=2b,r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/,
    input: (password, salt) => prehash(password, salt),
  },
  django: {
    form: new RegExp(`^bcrypt_sha256\\$${CLASSIC}`),
    input: (password) => createHash('sha256').update(password).digest('hex'),
  },
  wordpress: {
    form: new RegExp(`^\\$wp${CLASSIC}`),
    input: (password) =>
      createHmac('sha384', 'wp-sha384').update(phpTrim(password.toString())).digest('base64'),
  },
  devise: {
    form: new RegExp(`^devise\\$${CLASSIC}`),
    input: (password, _salt, pepper) => cut(Buffer.concat([password, Buffer.from(pepper)])),
  },
} satisfies Record<string, Family>;

interface BcryptHash extends StoredHash {
  family: keyof typeof families;
  cost: number;
  /** True if only the first 72 bytes of a password count. */
  cuts: boolean;
}

/** Reads a stored bcrypt hash of any family, whatever its cost. `$2y$` is PHP's name for `$2b$`. The broken `$2x$` is refused. */
export function readBcrypt(text: string, pepper = ''): BcryptHash | undefined {
  for (const [family, { form, input }] of Object.entries(families) as [
    keyof typeof families,
    Family,
  ][]) {
    const [found, number, salt, digest] = form.exec(text) ?? [];
    if (found === undefined) continue;
    const version = /\$2a\$/.test(text) ? '2a' : '2b';
    const hash = `$${version}$${number!.padStart(2, '0')}$${salt}${digest}`;
    const cost = Number(number);
    return {
      family,
      cost,
      cuts: family === 'plain' || family === 'devise',
      rounds: 2 ** cost,
      memory: 0,
      parameters: `bcrypt ${cost}`,
      missing:
        family === 'devise' && !pepper ? 'its hash needs the setting DEVISE_PEPPER' : undefined,
      async matches(password) {
        const isMatch = await bcrypt.compare(input(password, salt!, pepper), hash);
        return isMatch && (family === 'prehashed' || !password.includes(0));
      },
    };
  }
  return undefined;
}

/** WordPress trims passwords with PHP's trim(). */
const phpTrim = (text: string) => text.replace(/^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g, '');
const cut = (password: Buffer) => password.subarray(0, BCRYPT_BYTES);

/**
 * True for what bcrypt would not see whole. It cuts long input: a password of exactly 72 bytes is hashed in this way,
 * too, so that it differs from a longer one. It also repeats the password and a NUL, so `a` and `a\0a` are the same to
 * it.
 */
export const needsPrehash = (password: Buffer): boolean =>
  password.length >= BCRYPT_BYTES || password.includes(0);
const prehash = (password: Buffer, salt: string) =>
  createHmac('sha256', salt).update(password).digest('base64');

/** Hashes as new passwords are hashed. */
export async function hashWithBcrypt(password: Buffer, cost: number): Promise<string> {
  if (!needsPrehash(password)) return bcrypt.hash(password, cost);
  const salt = await bcrypt.genSalt(cost);
  const hash = await bcrypt.hash(prehash(password, salt.slice(7)), salt);
  return `$bcrypt-sha256$v=2,t=2b,r=${cost}$${hash.slice(7, 29)}$${hash.slice(29)}`;
}

/** Compares with a hash that no password is known for. Takes as long as any comparison of this cost. */
export async function compareInVain(cost: number, password: Buffer | '' = ''): Promise<void> {
  await bcrypt.compare(password, `$2b$${String(cost).padStart(2, '0')}$${NO_PASSWORD}`);
}
