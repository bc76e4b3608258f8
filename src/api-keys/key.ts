import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * `sp_`, 32 random letters and digits (190 bits), 6 of checksum. Prefix and checksum let scanners for leaked secrets find
 * our keys without false alarms.
 */
const FORMAT = /^sp_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 32;
const CHECKSUM_LENGTH = 6;

export function newKey(): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => DIGITS[randomInt(DIGITS.length)]).join(
    '',
  );
  return `sp_${random}${checksumOf(random)}`;
}

/** False for a text that was mistyped or made up. Costs no query. */
export function isKey(text: string): boolean {
  const [, random, checksum] = FORMAT.exec(text) ?? [];
  return random !== undefined && checksumOf(random) === checksum;
}

/** CRC-32 (the one of zip) in base 62, highest digit first. */
function checksumOf(random: string): string {
  const base = DIGITS.length;
  let rest = crc32(random);
  let text = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++, rest = Math.floor(rest / base))
    text = DIGITS[rest % base]! + text;
  return text;
}

/** SHA-256 in hex. It is what the database keeps of a key. */
export const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');
