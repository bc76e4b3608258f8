import { readFile } from 'node:fs/promises';

/**
 * Passwords in common use, of eight characters and more: one on a line, folded loosely, sorted by
 * bytes. They are the first 100,000 of the public "10 million passwords" and the most common of two
 * later collections (SecLists, MIT), those of Django (BSD), and those of zxcvbn (MIT).
 */
const LIST = new URL('./common-passwords.txt', import.meta.url);
const LINE_END = 0x0a;

/** The list as it stands in the file: a set of strings would take ten times the memory. */
export const loadCommonPasswords = (): Promise<Buffer> => readFile(LIST);

/** True if a line of a sorted list is this text. */
export function hasLine(list: Buffer, text: string): boolean {
  const wanted = Buffer.from(text);
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = middle === 0 ? 0 : list.lastIndexOf(LINE_END, middle - 1) + 1;
    const next = list.indexOf(LINE_END, middle);
    const end = next < 0 ? list.length : next;
    const order = list.compare(wanted, 0, wanted.length, start, end);
    if (order === 0) return true;
    if (order < 0) low = end + 1;
    else high = start;
  }
  return false;
}
