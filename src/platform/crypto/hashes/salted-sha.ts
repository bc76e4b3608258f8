import { createHash } from 'node:crypto';
import { BASE64, bytesOf, isSame, type Reader } from '#src/platform/crypto/hashes/foreign';

/** Name and bytes of each digest. */
const DIGESTS = {
  SSHA: ['sha1', 20],
  SSHA256: ['sha256', 32],
  SSHA384: ['sha384', 48],
  SSHA512: ['sha512', 64],
} as const;
const FORM = new RegExp(`^\\{(SSHA(?:256|384|512)?)\\}(${BASE64})$`);

/**
 * LDAP's `{SSHA}`, `{SSHA256}` and so on: base64 of the digest of password and salt, then the salt. There is no key
 * stretching: passwords are cheap to guess from these.
 */
export const readSaltedSha: Reader = (text) => {
  const form = FORM.exec(text);
  if (!form) return undefined;
  const [name, length] = DIGESTS[form[1] as keyof typeof DIGESTS];
  const bytes = bytesOf(form[2]!);
  const [digest, salt] = [bytes.subarray(0, length), bytes.subarray(length)];
  if (salt.length < 1 || salt.length > 64) return undefined;
  return {
    rounds: 0,
    memory: 0,
    parameters: name,
    matches: async (password) =>
      isSame(createHash(name).update(password).update(salt).digest(), digest),
  };
};
