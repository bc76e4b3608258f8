import { createHash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `sp_`, 32 random letters and digits (190 bits), 6 of checksum: whoever scans for leaked keys finds no others. */
const FORM = /^sp_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 32;

export function newKey(): string {
  const random = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `sp_${random}${checksumOf(random)}`;
}

/** False for what was mistyped or made up, without a look at the database. */
export function isKey(text: string): boolean {
  const [, random, checksum] = FORM.exec(text) ?? [];
  return random !== undefined && checksumOf(random) === checksum;
}

/** CRC-32 (that of zip) in base 62, highest digit first. */
function checksumOf(random: string): string {
  let rest = crc32(random);
  let text = '';
  for (let i = 0; i < 6; i++, rest = Math.floor(rest / LETTERS.length)) text = LETTERS[rest % LETTERS.length]! + text;
  return text;
}

export const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');
