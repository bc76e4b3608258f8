const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** One character stands for six bits. */
export const CRYPT64 = '[./0-9A-Za-z]';

/** A number in the characters of crypt(3), the lowest six bits first. */
export const numberOf = (letters: string): number =>
  [...letters].reduce((sum, letter, i) => sum + ALPHABET.indexOf(letter) * 64 ** i, 0);

/**
 * Bytes as crypt(3) writes them. Three bytes at a time are one number, the first byte lowest. Its characters stand with
 * the lowest six bits first.
 */
export function crypt64(bytes: Buffer): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = bytes.subarray(i, i + 3);
    let number = group.readUIntLE(0, group.length);
    for (let left = group.length + 1; left > 0; left--) {
      text += ALPHABET[number % 64];
      number = Math.floor(number / 64);
    }
  }
  return text;
}
