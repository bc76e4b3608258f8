/** In bytes. A user with twenty passkeys of the greatest size needs 80 kB. */
const MAX_LINE_LENGTH = 131_072;
const NEWLINE = 10;

export interface NumberedLine {
  number: number;
  /** Undefined if the line is too long, or not UTF-8. */
  text: string | undefined;
}

/** The lines of a stream, numbered from 1, without empty ones. A line that never ends does not fill the memory. */
export async function* linesOf(
  chunks: AsyncIterable<Buffer | string>,
): AsyncGenerator<NumberedLine> {
  let [number, length] = [1, 0];
  let parts: Buffer[] = [];
  const add = (part: Buffer) => {
    length += part.length;
    if (length <= MAX_LINE_LENGTH) parts.push(part);
    else parts = [];
  };
  const end = () => {
    const text = length > MAX_LINE_LENGTH ? undefined : decode(Buffer.concat(parts));
    [parts, length] = [[], 0];
    return { number: number++, text };
  };
  for await (const piece of chunks) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    let from = 0;
    for (
      let to = chunk.indexOf(NEWLINE);
      to >= 0;
      from = to + 1, to = chunk.indexOf(NEWLINE, from)
    ) {
      add(chunk.subarray(from, to));
      const line = end();
      if (line.text?.trim() !== '') yield line;
    }
    add(chunk.subarray(from));
  }
  const last = end();
  if (last.text?.trim() !== '') yield last;
}

/** Removes a byte order mark. Undefined for bytes that are not UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
