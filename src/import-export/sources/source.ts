import { FactorName } from '#src/factors/schemas';
import type { Chunks, JsonPaths } from '#src/import-export/entries';

/** A user of another system, as its file has them. */
export type Row = Readonly<Record<string, unknown>>;
/** A user in our own format, not yet checked: see `user-file`. */
export type Line = Record<string, unknown>;
/** A sentence why somebody in the file is not imported. */
export type Refusal = string;

/** How another system writes its users. */
export interface UserSource {
  /** What its file is, for people. */
  summary: string;
  paths: JsonPaths;
  /** Columns of a CSV file without a header. */
  columns?: string[];
  /** What the second file is, if one helps. */
  second?: string;
  /**
   * Reads the second file, if it is given, and answers how to read users. `now`: milliseconds since 1970.
   *
   * @throws {Error} a sentence, if the second file is missing or is another one
   */
  open(second: Chunks | undefined, now: number): Promise<(row: Row) => Line | Refusal>;
}

/** A text, or undefined if it is empty or something else. */
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

/** Booleans as JSON and as databases write them into CSV. */
export const yes = (value: unknown): boolean =>
  value === true || value === 1 || /^(t|true|1|yes)$/i.test(text(value) ?? '');

/** Any spelling of a moment as RFC 3339: milliseconds or seconds since 1970, ISO 8601, PostgreSQL's, MongoDB's. */
export function moment(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null && '$date' in value) return moment(value.$date);
  const number = typeof value === 'number' ? value : Number(/^\d{9,14}$/.exec(String(value))?.[0]);
  const time = Number.isNaN(number)
    ? Date.parse(String(value).replace(/([+-]\d\d)$/, '$1:00'))
    : number * (number < 1e11 ? 1000 : 1);
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** JSON inside a text, as databases write it into CSV, or the object itself. */
export function object(value: unknown): Row {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  try {
    const parsed: unknown = JSON.parse(String(value));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Row) : {};
  } catch {
    return {};
  }
}
export const rows = (value: unknown): Row[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];

/** What a strategy of ours is called elsewhere. Others keep their names. */
const PROVIDERS: Record<string, string> = {
  'google-oauth2': 'google',
  'google.com': 'google',
  'github.com': 'github',
};
/** The strategies to which a provider account of another system can belong. */
const KNOWN = new Set(['google', 'github']);

/** A provider account, if it is one of a provider whose subjects are the same for everybody. */
export function identity(provider: unknown, subject: unknown): Line[] {
  const name = PROVIDERS[String(provider)] ?? String(provider);
  const id = typeof subject === 'number' ? String(subject) : text(subject);
  return KNOWN.has(name) && id ? [{ provider: name, subject: id }] : [];
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** RFC 4648 §6, without padding. */
export function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replaceAll(/.{1,5}/g, (five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]!);
}

/** What its owner calls a second factor, if it can be called so here. */
export function label(value: unknown): { name?: string } {
  const { data } = FactorName.safeParse(value);
  return data === undefined ? {} : { name: data };
}
