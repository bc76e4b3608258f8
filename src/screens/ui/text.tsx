import type { Problem } from '#src/client/index';
import { data } from '#screens/ui/data';
import type account from '#messages/account.en';
import type console from '#messages/console.en';
import type operator from '#messages/operator.en';
import type ui from '#messages/ui.en';

export type Message =
  | keyof typeof account
  | keyof typeof console
  | keyof typeof operator
  | keyof typeof ui;
type Values = Readonly<Record<string, string | number>>;

/** The sentence in the language of the page. `{name}` in it becomes `values.name`. */
export const t = (key: Message, values: Values = {}): string =>
  (data.messages[key] ?? key).replaceAll(/\{(\w+)\}/g, (place, name: string) =>
    name in values ? String(values[name]) : place,
  );

/** Why something was refused. Codes without a sentence of their own have that of the server. */
export const problemText = ({ code, title, errors, required = [] }: Problem): string => {
  if (required.length > 0) return t('ui.lacks', { permissions: required.join(', ') });
  const sentence = data.problems[code] ?? title;
  const details = (errors ?? []).map(({ pointer, message }) => `${pointer.slice(1)}: ${message}`);
  return [sentence, ...details].join(' · ');
};

const DATE_AND_TIME = new Intl.DateTimeFormat(data.locale, {
  dateStyle: 'medium',
  timeStyle: 'short',
});
const RELATIVE = new Intl.RelativeTimeFormat(data.locale, { numeric: 'auto' });
const NUMBER = new Intl.NumberFormat(data.locale);
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

export const dateTime = (time: string): string => DATE_AND_TIME.format(new Date(time));
/** @public */
export const number = (value: number): string => NUMBER.format(value);

/**
 * @public
 * `3 days ago`, in whole units.
 */
export function ago(time: string): string {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}
