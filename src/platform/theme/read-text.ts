import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MOST_BYTES = 200_000;

/**
 * The text of a file, with plain line ends: browsers read it so when they compare its hash. Undefined without the file, and
 * after `say` has told what is wrong with it.
 */
export function readText(
  folder: string,
  file: string,
  say: (mistake: string) => void,
): string | undefined {
  const path = join(folder, file);
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return undefined;
    if (!stats.isFile()) say(`${file} is no file`);
    else if (stats.size > MOST_BYTES) say(`${file} has more than 200 kB`);
    else return textIn(readFileSync(path), file, say);
  } catch (error) {
    say(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  return undefined;
}

function textIn(bytes: Buffer, file: string, say: (mistake: string) => void) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text.replaceAll(/\r\n?/g, '\n');
  } catch {
    // it is said below
  }
  say(`${file} is not UTF-8 text`);
  return undefined;
}
