import { createHmac } from 'node:crypto';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import pLimit from 'p-limit';
import { config } from '#src/config';
import { context } from '#src/core/context';
import { foreignHash, refusalOf } from '#src/core/hashes/readers';
import { Problem } from '#src/core/problem';

/** Longest input bcrypt looks at, in bytes. What is longer is hashed before it, never cut. */
const BCRYPT_BYTES = 72;
const [LOWEST_COST, HIGHEST_COST] = [4, 15];
/** What fits into the table of users. */
const LONGEST_HASH = 255;
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

/** The only way to bcrypt. Refuses with 503 `busy`: at once when the queue is full, later when it moves too slowly. Whoever hangs up gives up the place. */
function throughGate<T>(work: () => Promise<T>): Promise<T> {
  if (gate.pendingCount >= waiting) throw busy();
  const asked = performance.now();
  const isGone = context.getStore()?.isGone;
  return gate(() => {
    if (isGone?.() || performance.now() - asked > PATIENCE) throw busy();
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

/** What the dearest hash costs that this process has met, in rounds of bcrypt. */
let dearest = 0;

/**
 * Whether the password belongs to the hash, ours or another system's. If not, it costs as much without a hash, or with a cheaper one,
 * as with one of today's cost, or with the dearest that was met: so time tells nobody who has an account. Throws 503 `busy`.
 */
export function passwordMatches(plain: string, hash: string | null | undefined): Promise<boolean> {
  const password = normal(plain);
  const known = hash ? comparable(hash) : undefined;
  const foreign = hash && !known ? foreignHash(hash) : undefined;
  const rounds = foreign ? foreign.rounds : 2 ** (known?.cost ?? config.BCRYPT_COST);
  dearest = Math.max(dearest, rounds, 2 ** config.BCRYPT_COST);
  return throughGate(async () => {
    // HMAC, in most of them, takes `a` and `a\0` for one.
    if (foreign) return ((await foreign.matches(Buffer.from(password))) && !password.endsWith('\0')) || spend(dearest - rounds);
    const matches = await bcrypt.compare(known?.long ? digest(password, known.salt) : password, known?.bcrypt ?? decoy(config.BCRYPT_COST));
    if (!matches) return spend(dearest - rounds);
    return known !== undefined && (known.long || !isLong(password));
  });
}

/** Works for so many rounds of bcrypt, which a cost of c takes 2^c of, and answers no. Less than the lowest cost is no time at all. */
async function spend(rounds: number): Promise<false> {
  for (let cost = LOWEST_COST; 2 ** cost <= rounds; cost++) if ((rounds / 2 ** cost) % 2 >= 1) await bcrypt.compare('', decoy(cost));
  return false;
}

/** True when the hash is not what `hashPassword` would make today: cheaper, or from another system. */
export function isStale(hash: string): boolean {
  const known = comparable(hash);
  return !known || known.cost < config.BCRYPT_COST || !/^\$(2b|bcrypt-sha256)\$/.test(hash);
}

/** True for a hash of ours, or any other of bcrypt. */
export const isHash = (text: string): boolean => comparable(text) !== undefined;

/** What others write around a hash is left out: LDAP's `{CRYPT}`, Django's names of bcrypt and Argon2. */
export const plainHash = (text: string): string => text.replace(/^(\{CRYPT\}|bcrypt\$(?=\$)|argon2(?=\$))/i, '');

/** A sentence why no user may have this hash, or undefined: what is dear to compare with would keep the server busy for days. */
export function whyNotHash(written: string): string | undefined {
  const text = plainHash(written);
  if (text.length > LONGEST_HASH) return `its hash is longer than ${LONGEST_HASH} characters`;
  if (comparable(text)) return undefined;
  return PLAIN.test(text) || LONG.test(text)
    ? `its bcrypt hash does not have a cost of ${LOWEST_COST} to ${HIGHEST_COST}`
    : refusalOf(text);
}

const decoy = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${NOBODY}`;

/**
 * A stored hash as bcrypt understands it, unless it would keep a thread for days. `$2y$` is PHP's name for `$2b$`; the broken `$2x$` stays
 * refused.
 */
function comparable(hash: string) {
  const long = LONG.exec(hash);
  const [, number = '', salt = '', rest = ''] = long ?? PLAIN.exec(hash) ?? [];
  const cost = Number(number);
  if (cost < LOWEST_COST || cost > HIGHEST_COST) return undefined;
  if (!long) return { long: false, salt, cost, bcrypt: hash.replace('$2y$', '$2b$') };
  return { long: true, salt, cost, bcrypt: `$2b$${number.padStart(2, '0')}$${salt}${rest}` };
}
