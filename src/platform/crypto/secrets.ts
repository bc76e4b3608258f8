import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { storedSecret } from '#src/platform/crypto/stored-secret';
import type { Settings } from '#src/platform/settings/settings';

export interface Secrets {
  /**
   * A separate 256-bit key for each purpose (HKDF-SHA-256, RFC 5869). The first one is to be used. The second one, made
   * from APP_SECRET_PREVIOUS, is still accepted.
   */
  keysFor: (purpose: string) => readonly Buffer[];
  /** Encrypts for storage (AES-256-GCM). Opens only under the same APP_SECRET and purpose: see `unseal`. */
  seal: (purpose: string, plain: string) => string;
  /**
   * Decrypts what `seal` made. `stale`: it was sealed under APP_SECRET_PREVIOUS and should be sealed again. Undefined when
   * it was sealed under another APP_SECRET or purpose, or was changed since: whoever asks must know what to do then.
   */
  unseal: (purpose: string, text: string) => { plain: string; stale: boolean } | undefined;
}

/** The JSON that was sealed. Undefined as with `unseal`. */
export function unsealJson(
  { unseal }: Pick<Secrets, 'unseal'>,
  purpose: string,
  text: string,
): unknown {
  const opened = unseal(purpose, text);
  return opened && JSON.parse(opened.plain);
}

export function createSecrets({
  appSecret,
  appSecretPrevious,
  databaseUrl,
}: Pick<Settings, 'appSecret' | 'appSecretPrevious' | 'databaseUrl'>): Secrets {
  let current: string | undefined;
  const keys = new Map<string, readonly Buffer[]>();

  /** APP_SECRET, or the one stored beside the embedded database. The file is read or made at the first use. */
  const currentSecret = () =>
    (current ??=
      appSecret ?? storedSecret(join(dirname(databaseUrl.slice('sqlite:'.length)), 'app-secret')));

  function keysFor(purpose: string): readonly Buffer[] {
    const known = keys.get(purpose);
    if (known) return known;
    const derived = [currentSecret(), appSecretPrevious]
      .filter((secret) => secret !== undefined)
      .map((secret) => Buffer.from(hkdfSync('sha256', secret, 'sallyport', purpose, 32)));
    keys.set(purpose, derived);
    return derived;
  }

  return {
    keysFor,
    seal: (purpose, plain) => encrypt(keysFor(purpose)[0]!, plain),
    unseal(purpose, text) {
      for (const [i, key] of keysFor(purpose).entries()) {
        const plain = decrypt(key, text);
        if (plain !== undefined) return { plain, stale: i > 0 };
      }
      return undefined;
    },
  };
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Base64url of IV, authentication tag and ciphertext. */
function encrypt(key: Buffer, plain: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
}

/** Undefined if it was encrypted under another key, or is no such text. */
function decrypt(key: Buffer, text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  const iv = bytes.subarray(0, IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const plain = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]).toString('utf8');
  } catch {
    return undefined; // the tag does not fit
  }
}
