import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { config } from '#src/config';

let known: string | undefined;

/** APP_SECRET, or the one kept beside the embedded database: made once, mode 0600. Two processes that start at once get the same. */
function appSecret(): string {
  return (known ??= config.APP_SECRET ?? keptSecret(join(dirname(config.DATABASE_URL.slice('sqlite:'.length)), 'app-secret')));
}

function keptSecret(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  writeFileSync(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true });
  chmodSync(fresh, 0o600);
  try {
    linkSync(fresh, file); // fails if another process was first; a rename would replace its secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh);
  }
  return readFileSync(file, 'utf8').trim();
}

/** A 256-bit key of its own for each purpose (HKDF-SHA-256, RFC 5869). */
const keyFor = (purpose: string) => Buffer.from(hkdfSync('sha256', appSecret(), 'sallyport', purpose, 32));

/** Encrypts for storage (AES-256-GCM). Opens only under the same APP_SECRET and purpose. */
export function seal(purpose: string, plain: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), iv);
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** What `seal` was given. Throws if it was sealed under another APP_SECRET or purpose, or was changed since. */
export function unseal(purpose: string, text: string): string {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}
