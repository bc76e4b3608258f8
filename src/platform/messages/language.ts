import type { Area, KeyOf } from '#src/platform/messages/areas';
import { directionOf, type Locale } from '#src/platform/messages/locales';
import { fillPlaces, type Text, type Value, type Values } from '#src/platform/messages/message';

/** A language to write in. Its texts are plain: whoever puts them into HTML escapes them. */
export interface Language {
  readonly locale: Locale;
  readonly dir: 'ltr' | 'rtl';
  /** A text with its values: `text('pages', 'forgot.done', { duration: { seconds: 900 } })`. */
  text<A extends Area>(area: A, key: KeyOf<A>, values?: Values): string;
  /** Every text of an area as it is in its file, for a script that fills the places itself. */
  all(area: Area): MessageFile;
  /** Words stay as they are. */
  write(text: Text): string;
  duration(seconds: number): string;
  number(value: number): string;
  time(at: Date): string;
}

/** Texts by their keys. */
export type MessageFile = Readonly<Record<string, string>>;

/** `allOf` finds the texts of an area, with their places. */
export function createLanguage(locale: Locale, allOf: (area: Area) => MessageFile): Language {
  const textOf = (area: Area, key: string) => allOf(area)[key] ?? key;
  const fill = (text: string, values: Values) =>
    fillPlaces(text, (name) => (Object.hasOwn(values, name) ? say(values[name]!) : ''));
  const say = (value: Value): string => {
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return language.number(value);
    if (value instanceof Date) return language.time(value);
    return 'seconds' in value ? language.duration(value.seconds) : language.write(value);
  };
  const language: Language = {
    locale,
    dir: directionOf(locale),
    text: (area, key, values = {}) => fill(textOf(area, key), values),
    all: allOf,
    write: (text) =>
      typeof text === 'string' ? text : fill(textOf(text.area, text.key), text.values),
    duration: (seconds) => durationIn(locale, seconds),
    number: (value) => new Intl.NumberFormat(locale).format(value),
    time: (at) => timeIn(locale, at),
  };
  return language;
}

const UNITS = [
  ['day', 86_400, 4 * 86_400],
  ['hour', 3600, 3600],
  ['minute', 60, 60],
] as const;

/** `15 minutes`, `72 hours`, `7 days`. Hours up to three days, then days. */
function durationIn(locale: Locale, seconds: number): string {
  const [unit, size] = UNITS.find(
    ([, size, least]) => seconds >= least && seconds % size === 0,
  ) ?? ['second', 1];
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });
  return format.format(seconds / size);
}

/** `20 November 2026 at 14:03 UTC`. */
function timeIn(locale: Locale, at: Date): string {
  const format = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  return `${format.format(at)} UTC`;
}
