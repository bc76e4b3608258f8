import type { Response } from 'express';
import type { ZodType } from 'zod';

/** JSON that is ready to be sent. */
interface Written {
  text: string;
  /** Content-Length, in bytes. */
  length: string;
  encoding: 'latin1' | 'utf8';
}

/**
 * Writes answers as JSON, without members that the schema does not name. An answer that is frozen is the same each time,
 * so it is checked and written once. Freeze the objects in it, too.
 */
export function jsonWriter(schema: ZodType): (answer: unknown) => Written {
  const known = new WeakMap<object, Written>();
  return (answer) => {
    const isObject = typeof answer === 'object' && answer !== null;
    const before = isObject ? known.get(answer) : undefined;
    if (before) return before;
    const written = write(schema.parse(answer));
    if (isObject && Object.isFrozen(answer)) known.set(answer, written);
    return written;
  };
}

function write(value: unknown): Written {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  // Text that is all ASCII has the same bytes in both encodings, and Node writes this one faster.
  return { text, length: String(length), encoding: length === text.length ? 'latin1' : 'utf8' };
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Like `res.json`, but it never answers 304, and does not derive the content type for each answer anew. */
export function sendJson(res: Response, { text, length, encoding }: Written): void {
  res.writeHead(res.statusCode, ['Content-Type', JSON_TYPE, 'Content-Length', length]);
  res.end(text, encoding);
}
