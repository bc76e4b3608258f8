import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { config } from '#src/config';
import { SettingsError } from '#src/core/settings-error';

let known: string | undefined;

/** APP_SECRET, or the one kept beside the embedded database: made once, mode 0600. Two processes that start at once get the same. */
function appSecret(): string {
  return (known ??= config.APP_SECRET ?? keptSecret(join(dirname(config.DATABASE_URL.slice('sqlite:'.length)), 'app-secret')));
}

function keptSecret(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  if (existsSync(file)) return readSecret(file);
  writeFileSync(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true });
  chmodSync(fresh, 0o600);
  try {
    linkSync(fresh, file); // fails if another process was first; a rename would replace its secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh);
  }
  return readSecret(file);
}

/** Only what we wrote, as we wrote it: an empty file would seal the keys under a secret that everybody knows. */
function readSecret(file: string): string {
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[\w-]{43}$/.test(text))
    throw new SettingsError([`${file} does not hold the secret that was written there: restore it from a backup`]);
  if ((statSync(file).mode & 0o077) !== 0)
    throw new SettingsError([`${file} can be read by others: chmod 600 it, and ask yourself who has`]);
  return text;
}

const keys = new Map<string, readonly Buffer[]>();

/**
 * A 256-bit key of its own for each purpose (HKDF-SHA-256, RFC 5869): the one to use, and under APP_SECRET_PREVIOUS the
 * one that is still good.
 */
export function keysFor(purpose: string): readonly Buffer[] {
  const derive = (secret: string) => Buffer.from(hkdfSync('sha256', secret, 'sallyport', purpose, 32));
  const known = keys.get(purpose);
  if (known) return known;
  const derived = [appSecret(), config.APP_SECRET_PREVIOUS].filter((secret) => secret !== undefined).map(derive);
  keys.set(purpose, derived);
  return derived;
}

/** Encrypts for storage (AES-256-GCM). Opens only under the same APP_SECRET and purpose. */
export function seal(purpose: string, plain: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keysFor(purpose)[0]!, iv);
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/**
 * What `seal` was given; `stale` if that was under APP_SECRET_PREVIOUS, so that it can be sealed again.
 * Throws if it was sealed under another APP_SECRET or purpose, or was changed since.
 */
export function unseal(purpose: string, text: string): { plain: string; stale: boolean } {
  const [current, previous] = keysFor(purpose);
  try {
    return { plain: open(current!, text), stale: false };
  } catch (error) {
    if (!previous) throw error;
    return { plain: open(previous, text), stale: true };
  }
}

function open(key: Buffer, text: string): string {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}
