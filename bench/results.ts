import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { BCRYPT_COST } from '#candidates';
import { chartOf, type Bar } from '#chart';
import { figuresOf, resultsTable, tableOf, type Section } from '#report';
import { targetsTable } from '#targets';

export interface Footing {
  name: string;
  /** Milliseconds from the start of the process to the first answer, and resident megabytes a second later. */
  ready: number;
  idle: number;
}

/** Where and when it was measured. Others may use the machine: `load` is that at the start. */
export interface Conditions {
  date: string;
  machine: string;
  rounds: number;
  load: number;
}
export const conditions = (rounds: number): Conditions => ({
  date: new Date().toISOString().slice(0, 16).replace('T', ' '),
  machine: `${availableParallelism()} processors (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
  rounds,
  load: loadavg()[0]!,
});

const barsOf = (section: Section): Bar[] =>
  section.rows.flatMap((row) => {
    const figures = figuresOf(section, row);
    if (!figures) return [];
    const ratio = figures.cpuRatio === undefined ? '' : ` (${figures.cpuRatio.toFixed(2)}×)`;
    return [
      {
        label: row.candidate,
        value: figures.cpu,
        text: `${Math.round(figures.cpu)} µs${ratio}`,
        ours: row.candidate.startsWith('Sallyport'),
      },
    ];
  });

const chartName = ({ work }: Section) => `charts/${work.name}.svg`;

export const footingTable = (footings: readonly Footing[]): string =>
  tableOf(
    ['Candidate', 'ready after ms', 'idle MB'],
    footings.map(({ name, ready, idle }) => [name, ready.toFixed(0), idle.toFixed(0)]),
  );

const saidAbout = ({ date, machine, rounds, load }: Conditions) =>
  `${date} UTC · ${machine} · load ${load.toFixed(1)} at the start · ${rounds} rounds · bcrypt cost ${BCRYPT_COST}`;

const document = (
  about: Conditions,
  sections: readonly Section[],
  footings: readonly Footing[],
) => `# Results

Written by \`npm run bench\`. [README.md](README.md) says what each row and column is.

${saidAbout(about)}

${targetsTable(sections)}

${resultsTable(sections)}

${footingTable(footings)}

${sections.map((section) => `![${section.work.title}: processor time a request](${chartName(section)})`).join('\n\n')}
`;

/** What docs/performance.md shows of it: the targets, and what guarded requests cost. */
const excerpt = (about: Conditions, sections: readonly Section[]) =>
  [
    saidAbout(about),
    targetsTable(sections),
    resultsTable(sections.filter(({ work }) => work.connections > 10)),
  ].join('\n\n');

/** Keeps what was measured: RESULTS.md, a chart for each work, and the tables of docs/performance.md. */
export function keep(
  about: Conditions,
  sections: readonly Section[],
  footings: readonly Footing[],
): void {
  const fileOf = (name: string) => new URL(name, import.meta.url);
  mkdirSync(fileOf('charts'), { recursive: true });
  writeFileSync(fileOf('RESULTS.md'), document(about, sections, footings));
  const note = 'Processor time of the server process a request. Shorter is better.';
  for (const section of sections)
    writeFileSync(fileOf(chartName(section)), chartOf(section.work.title, note, barsOf(section)));
  const doc = fileOf('../docs/performance.md');
  writeFileSync(
    doc,
    readFileSync(doc, 'utf8').replace(
      /(<!-- measured -->).*(<!-- \/measured -->)/s,
      (_, begin: string, end: string) => `${begin}\n\n${excerpt(about, sections)}\n\n${end}`,
    ),
  );
}
