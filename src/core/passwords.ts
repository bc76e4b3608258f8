import { createHmac } from 'node:crypto';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import pLimit from 'p-limit';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';

/** Longest input bcrypt looks at, in bytes. What is longer is hashed before it, never cut. */
const BCRYPT_BYTES = 72;
/** 22 characters of salt and 31 of digest: no password is known for it, yet comparing costs what its prefix says. */
const NOBODY = '.'.repeat(53);
/** passlib's bcrypt_sha256, version 2: `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<digest>`. */
const LONG = /^\$bcrypt-sha256\$v=2,t=2b,r=(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})$/;
const PLAIN = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$/;

// bcrypt runs on libuv's threads, which files, DNS and zlib need too: a full pool stalls the whole server.
const threads = Number(process.env['UV_THREADPOOL_SIZE']) || 4;
const running = Math.max(1, Math.min(availableParallelism(), threads - 2));
const waiting = running * 10;
const gate = pLimit(running);

/** Longest wait for a turn, in milliseconds: a strategy is given 3 s in all. */
const PATIENCE = 2000;
const busy = () => new Problem('busy', { headers: { 'Retry-After': '1' } });

/** The only way to bcrypt. Refuses with 503 `busy`: at once when the queue is full, later when it moves too slowly. */
function throughGate<T>(work: () => Promise<T>): Promise<T> {
  if (gate.pendingCount >= waiting) throw busy();
  const asked = performance.now();
  return gate(() => {
    if (performance.now() - asked > PATIENCE) throw busy();
    return work();
  });
}

/** Both forms of "é" are one password (NIST SP 800-63B); nothing else is changed, trimmed or cut. */
const normal = (password: string) => password.normalize('NFC');
/** What bcrypt would not see whole: it cuts, and it repeats the password and a NUL, so that `a` and `a\0a` are one to it. */
const isLong = (password: string) => Buffer.byteLength(password) > BCRYPT_BYTES || password.includes('\0');
const digest = (password: string, salt: string) => createHmac('sha256', salt).update(password).digest('base64');

/** Hashes with BCRYPT_COST. Throws 503 `busy`. */
export function hashPassword(plain: string): Promise<string> {
  const password = normal(plain);
  return throughGate(async () => {
    if (!isLong(password)) return bcrypt.hash(password, config.BCRYPT_COST);
    const salt = await bcrypt.genSalt(config.BCRYPT_COST);
    const hash = await bcrypt.hash(digest(password, salt.slice(7)), salt);
    return `$bcrypt-sha256$v=2,t=2b,r=${config.BCRYPT_COST}$${hash.slice(7, 29)}$${hash.slice(29)}`;
  });
}

/**
 * Whether the password belongs to the hash. Takes as long without a hash, or with a cheaper one,
 * as with one of today's cost, so that time tells nobody who has an account. Throws 503 `busy`.
 */
export function passwordMatches(plain: string, hash: string | null | undefined): Promise<boolean> {
  const password = normal(plain);
  const known = hash ? comparable(hash) : undefined;
  return throughGate(async () => {
    const matches = await bcrypt.compare(known?.long ? digest(password, known.salt) : password, known?.bcrypt ?? decoy(config.BCRYPT_COST));
    // A cost of c takes 2^c: what is missing to 2^today is 2^c + 2^(c+1) + … + 2^(today-1).
    if (known && !matches) for (let cost = known.cost; cost < config.BCRYPT_COST; cost++) await bcrypt.compare(password, decoy(cost));
    return matches && known !== undefined && (known.long || !isLong(password));
  });
}

/** True when the hash is not what `hashPassword` would make today: cheaper, or from another system. */
export function isStale(hash: string): boolean {
  const known = comparable(hash);
  return !known || known.cost < config.BCRYPT_COST || !/^\$(2b|bcrypt-sha256)\$/.test(hash);
}

/** True for what `passwordMatches` can compare with. */
export const isHash = (text: string): boolean => comparable(text) !== undefined;

const decoy = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${NOBODY}`;

/** A stored hash as bcrypt understands it. `$2y$` is PHP's name for `$2b$`; the broken `$2x$` stays refused. */
function comparable(hash: string) {
  const long = LONG.exec(hash);
  if (long) {
    const [, cost = '', salt = '', rest = ''] = long;
    return { long: true, salt, cost: Number(cost), bcrypt: `$2b$${cost.padStart(2, '0')}$${salt}${rest}` };
  }
  const plain = PLAIN.exec(hash);
  return plain ? { long: false, salt: '', cost: Number(plain[1]), bcrypt: hash.replace('$2y$', '$2b$') } : undefined;
}
