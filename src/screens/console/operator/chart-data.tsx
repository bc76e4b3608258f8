import type { Stats } from '#src/client/index';
import { data } from '#screens/ui/data';
import { t } from '#screens/ui/text';

/** What they are called. */
export const RANGES = {
  '24h': 'console.stats.24h',
  '48h': 'console.stats.48h',
  '30d': 'console.stats.30d',
} as const;
export type Range = keyof typeof RANGES;

/** One bar: an hour or a day. */
interface Point {
  /** Below the bar. */
  label: string;
  /** Where there is room. */
  name: string;
  /** Of each series. */
  values: number[];
}
export interface ChartData {
  series: string[];
  points: Point[];
}
type Happened = Pick<Stats['days'][number], 'signIns' | 'limits'>;
interface Slot extends Happened {
  label: string;
  name: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const format = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(data.locale, options);
const HOUR_LABEL = format({ hour: '2-digit', minute: '2-digit' });
const HOUR_NAME = format({ weekday: 'short', hour: '2-digit', minute: '2-digit' });
const DAY_LABEL = format({ month: 'numeric', day: 'numeric', timeZone: 'UTC' });
const DAY_NAME = format({ dateStyle: 'medium', timeZone: 'UTC' });

/** The picture runs from left to right, and a text in it as its first letters do (Unicode isolates). */
export const isolated = (text: string): string => `\u2068${text}\u2069`;

/** What happened in each hour or day of a range, also where nothing did. Oldest first. */
export function slotsOf({ days, hours }: Stats, range: Range, now = Date.now()): Slot[] {
  const isDays = range === '30d';
  const [length, size] = isDays ? [30, DAY] : [parseInt(range), HOUR];
  const [label, name] = isDays ? [DAY_LABEL, DAY_NAME] : [HOUR_LABEL, HOUR_NAME];
  const known = new Map<number, Happened>(
    isDays
      ? days.map((each) => [Date.parse(each.day), each])
      : hours.map((each) => [Date.parse(each.hour), each]),
  );
  const last = Math.floor(now / size) * size;
  return Array.from({ length }, (_, i) => {
    const time = last - (length - 1 - i) * size;
    const { signIns, limits } = known.get(time) ?? { signIns: [], limits: [] };
    return { label: label.format(time), name: name.format(time), signIns, limits };
  });
}

const OUTCOMES = ['succeeded', 'challenged', 'refused'] as const;
type Outcome = (typeof OUTCOMES)[number];
export const OUTCOME_NAMES = {
  succeeded: 'console.stats.succeeded',
  challenged: 'console.stats.challenged',
  refused: 'console.stats.refused',
} as const;
const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);
export const totalOf = ({ points }: ChartData): number =>
  sum(points.flatMap(({ values }) => values));

export const signInsOf = (slots: readonly Slot[]): ChartData => ({
  series: OUTCOMES.map((outcome) => t(OUTCOME_NAMES[outcome])),
  points: slots.map(({ label, name, signIns }) => ({
    label,
    name,
    values: OUTCOMES.map((outcome) => sum(signIns.map((each) => each[outcome]))),
  })),
});

/** More series than patterns would look alike. */
const MOST_SERIES = 4;

/** The limits that were reached most, each by itself, and the others together. */
export function limitsOf(slots: readonly Slot[]): ChartData {
  const totals = new Map<string, number>();
  for (const { limit, reached } of slots.flatMap(({ limits }) => limits))
    totals.set(limit, (totals.get(limit) ?? 0) + reached);
  const names = [...totals].toSorted(([, a], [, b]) => b - a).map(([name]) => name);
  const shown = names.length > MOST_SERIES ? names.slice(0, MOST_SERIES - 1) : names;
  const isOther = (limit: string) => !shown.includes(limit);
  return {
    series: [...shown, ...(shown.length < names.length ? [t('console.stats.others')] : [])],
    points: slots.map(({ label, name, limits }) => {
      const reached = (of: (limit: string) => boolean) =>
        sum(limits.filter(({ limit }) => of(limit)).map((each) => each.reached));
      const values = shown.map((each) => reached((limit) => limit === each));
      return {
        label,
        name,
        values: shown.length < names.length ? [...values, reached(isOther)] : values,
      };
    }),
  };
}

/** How people signed in, the most used way first. */
export function strategiesOf(slots: readonly Slot[]): ({ id: string } & Record<Outcome, number>)[] {
  const all = slots.flatMap(({ signIns }) => signIns);
  const names = [...new Set(all.map(({ strategy }) => strategy))];
  return names
    .map((id) => {
      const own = all.filter(({ strategy }) => strategy === id);
      const total = (outcome: Outcome) => sum(own.map((each) => each[outcome]));
      const [succeeded, challenged, refused] = OUTCOMES.map(total) as [number, number, number];
      return { id, succeeded, challenged, refused };
    })
    .toSorted((a, b) => b.succeeded - a.succeeded);
}
