/** Forms of password hashes that are not accepted, with what they are. The first that fits is told. */
const KINDS: readonly (readonly [form: RegExp, what: string])[] = [
  [/^[0-9a-f]{32}$/i, 'MD5 without a salt, or NTLM: passwords can be guessed from it at once'],
  [/^[0-9a-f]{40}$/i, 'SHA-1 without a salt'],
  [/^[0-9a-f]{56}$|^[0-9a-f]{64}$/i, 'SHA-2 without a salt'],
  [/^[0-9a-f]{96}$|^[0-9a-f]{128}$/i, 'SHA-2 or SHA-3 without a salt'],
  [/^[0-9a-f]{32,128}:.+$/i, 'a digest with its salt, such as Joomla and older shops have'],
  [/^\*[0-9A-F]{40}$/i, 'a password of MySQL itself'],
  [/^\{(SHA\d*|MD5|SMD5|CLEARTEXT|PLAIN)\}/i, 'an LDAP scheme without a salt, or with MD5'],
  [/^\{/, 'an LDAP scheme, or a prefix of Spring Security: try what stands behind it'],
  [/^(sha1|md5|unsalted_md5|unsalted_sha1|crypt)\$/, 'an old hash of Django'],
  [/^(sha1|sha256|sha512|md5|plain)[$:]/, 'an old hash of Werkzeug'],
  [/^\$(1|apr1)\$/, 'MD5-crypt'],
  [/^\$(y|gy)\$/, 'yescrypt'],
  [/^\$sha1\$/, 'SHA-1-crypt'],
  [/^\$md5[$,]/, 'Sun MD5-crypt'],
  [/^\$2x\$/, 'bcrypt of a broken version of PHP ($2x$)'],
  [/^\$2[a-z]?\$|^\$bcrypt/, 'bcrypt, but is damaged or cut'],
  [/^\$wp\$|^bcrypt_sha256\$|^devise\$/, 'bcrypt, but is damaged or cut'],
  [/^\$argon2.*\$v=16\$|^\$argon2\w+\$m=/, 'Argon2 of version 1.0'],
  [/^\$?argon2/, 'Argon2, but is damaged or cut'],
  [/^\$?pbkdf2/, 'PBKDF2, but is damaged, or its digest is not SHA-1, SHA-256 or SHA-512'],
  [/^\$(7|scrypt|fbscrypt)\$|^scrypt[$:]/, 'scrypt, but is damaged or cut'],
  [/^U?\$[PHS]\$/, 'phpass or Drupal, but is damaged or cut'],
  [/^\$[56]\$/, 'SHA-crypt, but is damaged or cut'],
  [/^\$[0-9a-z-]+\$/i, 'a hash in the form of crypt(3)'],
  [/^[./0-9A-Za-z]{13}$/, 'DES-crypt, or a password that was never hashed'],
  [/^AQAAAA/, 'ASP.NET Identity, but is damaged or cut'],
  [/^[A-Za-z0-9+/]{22,}={0,2}$/, 'base64 of a kind that it does not name'],
];

/** What an unknown hash looks like, for the person who imports it. It repeats nothing of the hash. */
export function looksLike(text: string): string {
  if (text === '') return 'nothing at all';
  return KINDS.find(([form]) => form.test(text))?.[1] ?? 'a password that was never hashed';
}
