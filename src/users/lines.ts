/** Longest line, in bytes: many times what a user needs. */
const LONGEST = 16_384;
const NEWLINE = 10;

export interface NumberedLine {
  number: number;
  /** Undefined if it is too long, or not UTF-8. */
  text: string | undefined;
}

/** The lines of a file as it is read, numbered from 1, without empty ones. A line without an end does not fill the memory. */
export async function* linesOf(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<NumberedLine> {
  let [number, length] = [1, 0];
  let parts: Buffer[] = [];
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= LONGEST) parts.push(part);
    else parts = [];
  };
  const end = () => {
    const line = { number: number++, text: length > LONGEST ? undefined : textOf(Buffer.concat(parts)) };
    [parts, length] = [[], 0];
    return line;
  };
  for await (const piece of chunks) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; from = to + 1, to = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, to));
      const line = end();
      if (line.text?.trim() !== '') yield line;
    }
    add(chunk.subarray(from));
  }
  const last = end();
  if (last.text?.trim() !== '') yield last;
}

/** A mark of the byte order is left out. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
