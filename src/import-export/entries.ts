import { JSONParser } from '@streamparser/json';
import { CsvError, parse as parseCsv } from 'csv-parse';
import { pipeline, Readable } from 'node:stream';
import { linesOf } from '#src/import-export/ndjson';

/** A file in pieces. */
export type Chunks = AsyncIterable<Buffer | string>;

/** A user as it stands in a file, before anything of it is looked at. */
export interface Entry {
  /** Of its line in a file of lines, else its place among the users. Both count from 1. */
  number: number;
  value?: unknown;
  /** A sentence in place of the value, if it cannot be read. */
  fault?: string;
}

/** Where the users stand in a JSON document, in the notation of @streamparser/json, by what its root is. */
export interface JsonPaths {
  object: string[];
  array: string[];
}
/** Users are the elements of an array, or objects one after the other, however they are indented. */
export const EVERY_OBJECT: JsonPaths = { object: ['$'], array: ['$.*'] };

const BOM = '\uFEFF';

/**
 * The users in a file: one JSON object a line, or a JSON document. A file of lines begins with an object that ends in the
 * same line.
 *
 * @throws {Error} a sentence, where a document is not JSON
 */
export async function* jsonEntries(chunks: Chunks, paths: JsonPaths): AsyncGenerator<Entry> {
  const { start, rest } = await peek(chunks);
  const [line = ''] = start.replace(BOM, '').trimStart().split('\n');
  const isDocument = paths !== EVERY_OBJECT || line.startsWith('[') || /^\{\s*$/.test(line);
  if (isDocument) yield* documentEntries(rest, line.startsWith('[') ? paths.array : paths.object);
  else for await (const { number, text } of linesOf(rest)) yield lineEntry(number, text);
}

function lineEntry(number: number, text: string | undefined): Entry {
  if (text === undefined) return { number, fault: 'it is too long, or not UTF-8' };
  try {
    return { number, value: JSON.parse(text) };
  } catch {
    return { number, fault: 'it is not JSON' };
  }
}

async function* documentEntries(chunks: Chunks, paths: string[]): AsyncGenerator<Entry> {
  const found: unknown[] = [];
  let number = 1;
  const parser = new JSONParser({ paths, keepStack: false, separator: '' });
  parser.onValue = ({ value }) => void found.push(value);
  // Without a listener it throws, and goes on as if nothing had happened.
  let error: Error | undefined;
  parser.onError = (each) => void (error ??= each);
  let isFirst = true;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of chunks) {
    try {
      const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      parser.write(isFirst ? text.replace(BOM, '') : text);
    } catch (thrown) {
      error ??= thrown as Error;
    }
    isFirst = false;
    for (const value of found.splice(0)) yield { number: number++, value };
    if (error) throw brokenFile(number, error);
  }
  if (!parser.isEnded) endOf(parser, number);
}

function endOf(parser: JSONParser, number: number): void {
  let error: Error | undefined;
  parser.onError = (each) => void (error = each);
  try {
    parser.end();
  } catch (thrown) {
    error = thrown as Error;
  }
  if (error) throw brokenFile(number, error);
}

const brokenFile = (number: number, cause: Error) =>
  new Error(`From user ${number} on, the file is not JSON in UTF-8. Is it whole?`, { cause });

/** The rows of a CSV file (RFC 4180) with a header, or with these columns, as objects. */
async function* csvEntries(chunks: Chunks, columns: true | string[]): AsyncGenerator<Entry> {
  const parser = parseCsv({
    bom: true,
    columns,
    relax_column_count_less: columns !== true,
    max_record_size: 1_000_000,
    skip_empty_lines: true,
  });
  let number = 1;
  try {
    pipeline(Readable.from(chunks), parser, () => {}); // errors are thrown to whoever reads
    for await (const value of parser) yield { number: number++, value };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Error(`From row ${number} on, the file is not CSV (${error.code}). Is it whole?`, {
      cause: error,
    });
  }
}

/** Whether a file is JSON or CSV. */
export async function* entriesOf(
  chunks: Chunks,
  paths: JsonPaths,
  columns: true | string[] = true,
): AsyncGenerator<Entry> {
  const { start, rest } = await peek(chunks);
  const isJson = /^[[{]/.test(start.replace(BOM, '').trimStart());
  yield* isJson || start.trim() === '' ? jsonEntries(rest, paths) : csvEntries(rest, columns);
}

/** The first characters of a file, and the whole file. */
async function peek(chunks: Chunks): Promise<{ start: string; rest: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const read: (Buffer | string)[] = [];
  let [start, done] = ['', false];
  while (!done && start.length < PEEKED && !start.includes('\n')) {
    const next = await iterator.next();
    done = next.done === true;
    if (next.done) break;
    read.push(next.value);
    start += next.value.toString('utf8');
  }
  async function* rest() {
    yield* read;
    if (!done) yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { start, rest: rest() };
}
const PEEKED = 20_000;
