export const LOWEST_COST = 4;
export const HIGHEST_COST = 15;

const PLAIN = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$/;
/** passlib's bcrypt_sha256, version 2: `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`. */
const PREHASHED =
  /^\$bcrypt-sha256\$v=2,t=2b,r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/;
/** 22 characters of salt and 31 of digest. No password is known for it, yet comparing costs what its prefix says. */
const NO_PASSWORD = '.'.repeat(53);

interface BcryptHash {
  cost: number;
  /** The password is hashed by HMAC-SHA-256 with the salt before bcrypt sees it. */
  prehashed: boolean;
  /** Set for prehashed ones only. */
  salt: string;
  /** As the bcrypt library understands it. */
  bcrypt: string;
}

/**
 * Reads a stored bcrypt hash. Undefined for one whose cost would occupy a thread for days. `$2y$` is PHP's name for
 * `$2b$`. The broken `$2x$` is refused.
 */
export function readBcrypt(hash: string): BcryptHash | undefined {
  const prehashed = PREHASHED.exec(hash);
  const [, number = '', salt = '', digest = ''] = prehashed ?? PLAIN.exec(hash) ?? [];
  const cost = Number(number);
  if (cost < LOWEST_COST || cost > HIGHEST_COST) return undefined;
  if (!prehashed) return { prehashed: false, salt, cost, bcrypt: hash.replace('$2y$', '$2b$') };
  const bcrypt = `$2b$${number.padStart(2, '0')}$${salt}${digest}`;
  return { prehashed: true, salt, cost, bcrypt };
}

/** True for the form of a bcrypt hash, whatever its cost. */
export const isBcryptForm = (text: string): boolean => PLAIN.test(text) || PREHASHED.test(text);

/** A hash to compare with where there is none. */
export const dummyHash = (cost: number): string =>
  `$2b$${String(cost).padStart(2, '0')}$${NO_PASSWORD}`;

/** What is stored for a prehashed password: `hash` is what bcrypt made. */
export const prehashedText = (cost: number, hash: string): string =>
  `$bcrypt-sha256$v=2,t=2b,r=${cost}$${hash.slice(7, 29)}$${hash.slice(29)}`;
