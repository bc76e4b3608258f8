import { BARE, TUTORIAL } from '#candidates';
import type { Measured } from '#entrant';
import { median } from '#statistics';
import type { Work } from '#works';

/** What a candidate did at a work: its rounds, or what it lacks. */
export type Outcome = { rounds: Measured[] } | { lacks: string };
export interface Row {
  candidate: string;
  outcome: Outcome;
}
export interface Section {
  work: Work;
  rows: Row[];
}
export interface Figures {
  speed: number;
  cpu: number;
  /** How many times the reference's requests a second, and its processor time a request as a share of this one's. */
  speedRatio: number | undefined;
  cpuRatio: number | undefined;
  databaseCpu: number | undefined;
  statements: number | undefined;
}

const roundsOf = ({ rows }: Section, candidate: string): Measured[] | undefined => {
  const outcome = rows.find((row) => row.candidate === candidate)?.outcome;
  return outcome && 'rounds' in outcome ? outcome.rounds : undefined;
};

/** Whom the others are compared with: bare Express, where it has such a thing. */
export const referenceOf = (section: Section): string =>
  roundsOf(section, BARE) ? BARE : TUTORIAL;

/** The median of the ratios of each round, so that a machine that slows down meanwhile does not count. */
const ratioOf = (
  rounds: readonly Measured[],
  reference: readonly Measured[] | undefined,
  ratio: (mine: Measured, other: Measured) => number,
): number | undefined => reference && median(rounds.map((mine, i) => ratio(mine, reference[i]!)));

/** Where one stands against another at a work: 2 is half the processor time a request. */
export function timesAsCheap(section: Section, one: string, other: string): number | undefined {
  const [mine, theirs] = [roundsOf(section, one), roundsOf(section, other)];
  return mine && ratioOf(mine, theirs, (a, b) => b.cpu / a.cpu);
}

export function figuresOf(section: Section, { candidate }: Row): Figures | undefined {
  const rounds = roundsOf(section, candidate);
  if (!rounds) return undefined;
  const of = (read: (round: Measured) => number) => median(rounds.map(read));
  const optional = (read: (round: Measured) => number | undefined) =>
    read(rounds[0]!) === undefined ? undefined : of((round) => read(round)!);
  const reference = roundsOf(section, referenceOf(section));
  return {
    speed: of(({ speed }) => speed),
    cpu: of(({ cpu }) => cpu),
    speedRatio: ratioOf(rounds, reference, (mine, other) => mine.speed / other.speed),
    cpuRatio: ratioOf(rounds, reference, (mine, other) => other.cpu / mine.cpu),
    databaseCpu: optional(({ databaseCpu }) => databaseCpu),
    statements: optional(({ statements }) => statements),
  };
}

const HEAD = [
  'Work',
  'Candidate',
  'requests/s',
  '× reference',
  'CPU µs a request',
  '× as cheap',
  'database µs',
  'statements',
];
const number = (value: number | undefined, digits = 0) =>
  value === undefined ? '' : value.toFixed(value < 10 && digits === 0 ? 1 : digits);

const cellsOf = (section: Section, row: Row): string[] => {
  const start = [section.work.title, row.candidate];
  if ('lacks' in row.outcome) return [...start, `has ${row.outcome.lacks}`, '', '', '', '', ''];
  const figures = figuresOf(section, row)!;
  return [
    ...start,
    number(figures.speed),
    number(figures.speedRatio, 2),
    number(figures.cpu),
    number(figures.cpuRatio, 2),
    number(figures.databaseCpu),
    number(figures.statements, 2),
  ];
};

/** A table of Markdown that can be read as text, too. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const isNumber = head.map((_, column) =>
    rows.every((row) => /^(-?[\d.]+|has .*)?$/.test(row[column]!)),
  );
  const lineOf = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (isNumber[i] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [lineOf(head), rule, ...rows.map(lineOf)].join('\n');
}

export const resultsTable = (sections: readonly Section[]): string =>
  tableOf(
    HEAD,
    sections.flatMap((section) => section.rows.map((row) => cellsOf(section, row))),
  );
