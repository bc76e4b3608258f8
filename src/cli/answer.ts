import type { Command } from 'commander';

/** What a command has to say: text for a person, one JSON value for a program (`--json`). */
export interface Answer {
  text: string;
  json: unknown;
  /** For a person only, on standard error: a list on standard output stays a list. */
  hint?: string | undefined;
}

/** True if the answer is to be JSON. `given`: what commander gives to an action; the command is the last of it. */
const isForProgram = (given: readonly unknown[]): boolean =>
  (given.at(-1) as Command).optsWithGlobals()['json'] === true;

/** Prints an answer on standard output. An empty text prints nothing. */
export function print({ text, json, hint }: Answer, given: readonly unknown[]): void {
  const isJson = isForProgram(given);
  const line = isJson ? JSON.stringify(json) : text;
  if (line) process.stdout.write(`${line}\n`);
  if (hint && !isJson) process.stderr.write(`${hint}\n`);
}

/**
 * For a command that says many things: lines of text for a person, one JSON object a line for a program, which is told
 * nothing that has no `json`.
 */
export const teller = (command: Command) => (text: string, json?: object) => {
  if (json || !isForProgram([command])) print({ text, json }, [command]);
};

/** A sentence about what was done. `json`: the same in fields. */
export const sentence = (text: string, json: object): Answer => ({ text, json });

type Cell = string | number | boolean | null | readonly string[] | Date;

/**
 * One page of a list: a table with a header for a person, `{ data, nextCursor }` for a program, as the lists of the
 * HTTP API are.
 */
export function table<T>(
  { data, nextCursor = null }: { data: readonly T[]; nextCursor?: string | null },
  columns: Readonly<Record<string, (row: T) => Cell>>,
): Answer {
  const rows = data.map((row) => Object.values(columns).map((cell) => written(cell(row))));
  return {
    text: aligned([Object.keys(columns), ...rows]),
    json: { data, nextCursor },
    hint: nextCursor === null ? undefined : `There are more: --cursor ${nextCursor}`,
  };
}

/** The fields of one thing, one a line. */
export const fields = (shown: Readonly<Record<string, Cell>>, json: object): Answer => ({
  text: aligned(Object.entries(shown).map(([name, cell]) => [name, written(cell)])),
  json,
});

function written(cell: Cell): string {
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  return (Array.isArray(cell) ? cell.join(',') : String(cell ?? '')) || '-';
}

/** Columns of the same width, two spaces apart. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => [...row[i]!].length)));
  const padded = (text: string, width: number) => text + ' '.repeat(width - [...text].length);
  return rows
    .map((row) =>
      row
        .map((text, i) => padded(text, widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
