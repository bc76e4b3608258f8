const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** One letter stands for six bits. */
export const CRYPT64 = '[./0-9A-Za-z]';

/** A number that is written in letters of crypt(3), the lowest six bits first. */
export const numberOf = (letters: string): number => [...letters].reduce((sum, letter, i) => sum + ALPHABET.indexOf(letter) * 64 ** i, 0);

/** Bytes as crypt(3) writes them: of three at a time a number, the first byte lowest; its letters, the lowest six bits first. */
export function crypt64(bytes: Buffer): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = bytes.subarray(i, i + 3);
    for (let left = group.length + 1, number = group.readUIntLE(0, group.length); left > 0; left--, number = Math.floor(number / 64))
      text += ALPHABET[number % 64];
  }
  return text;
}
