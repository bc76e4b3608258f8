import type { Measured, Round } from '#entrant';
import { median } from '#statistics';
import type { Work } from '#works';

/** What a candidate did at a work: its rounds, or what it lacks. */
export type Outcome = { rounds: Round[] } | { lacks: string };
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

const roundsOf = ({ rows }: Section, candidate: string): Round[] | undefined => {
  const outcome = rows.find((row) => row.candidate === candidate)?.outcome;
  return outcome && 'rounds' in outcome ? outcome.rounds : undefined;
};

/**
 * The median of the ratios to the reference, which was asked right before each round, so that a machine that slows down
 * meanwhile does not count.
 */
const ratioOf = (
  rounds: readonly Round[],
  ratio: (mine: Measured, reference: Measured) => number,
): number | undefined =>
  rounds[0]?.reference && median(rounds.map((mine) => ratio(mine, mine.reference!)));

const cheapness = (rounds: readonly Round[]): number | undefined =>
  ratioOf(rounds, (mine, reference) => reference.cpu / mine.cpu);

/** Where one stands against another at a work: 2 is half the processor time a request. */
export function timesAsCheap(section: Section, one: string, other: string): number | undefined {
  const [mine, theirs] = [one, other].map((name) => cheapness(roundsOf(section, name) ?? []));
  return mine && theirs && mine / theirs;
}

export function figuresOf(section: Section, { candidate }: Row): Figures | undefined {
  const rounds = roundsOf(section, candidate);
  if (!rounds) return undefined;
  const of = (read: (round: Measured) => number) => median(rounds.map(read));
  const optional = (read: (round: Measured) => number | undefined) =>
    read(rounds[0]!) === undefined ? undefined : of((round) => read(round)!);
  return {
    speed: of(({ speed }) => speed),
    cpu: of(({ cpu }) => cpu),
    speedRatio: ratioOf(rounds, (mine, reference) => mine.speed / reference.speed),
    cpuRatio: cheapness(rounds),
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
