import { parseArgs } from 'node:util';
import { BARE, candidates, TUTORIAL, type Candidate } from '#candidates';
import { createCpuClock } from '#cpu';
import { enter, measure, type Entrant, type Round, type Tools } from '#entrant';
import { resultsTable, type Section } from '#report';
import { targetsTable } from '#targets';
import { conditions, footingTable, keep } from '#results';
import { endAll, startMariaDb } from '#servers';
import { works, type Work } from '#works';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds ?? (options.quick ? 3 : 7));
/** Share of the questions of a work. */
const SHARE = options.quick ? 0.5 : 1;
/** Those who take many times as long are asked fewer questions. */
const SLOW = /tutorial|better-auth/;

const named = (what: string, title = '') =>
  options.only.some((word) => what === word || title.toLowerCase().includes(word.toLowerCase()));
/** `--only me --only SQLite`: works by name, candidates by a part of theirs. What none names is all there. */
const chosen = <T>(all: readonly T[], isNamed: (each: T) => boolean): readonly T[] => {
  const some = all.filter(isNamed);
  return some.length > 0 ? some : all;
};
const ourWorks = chosen(works, ({ name }) => named(name));
const ourCandidates = chosen(candidates, ({ name }) => named('', name));

const entrants = new Map<string, Entrant>();
/** The running program of a candidate that has this work. It is started once. */
async function entrantOf(candidate: Candidate, work: Work, tools: Tools): Promise<Entrant> {
  const file = work.name === 'role' ? (candidate.roleFile ?? candidate.file) : candidate.file;
  const key = `${candidate.name} ${file}`;
  const entrant = entrants.get(key) ?? (await enter(candidate, file, PEOPLE, tools));
  entrants.set(key, entrant);
  return entrant;
}
const PEOPLE = Math.max(...works.map(({ connections }) => connections));

/** Bare Express, or the tutorial-shaped server where bare Express has no such thing. */
const referenceAmong = (all: readonly Entrant[]): Entrant | undefined =>
  all.find(({ candidate }) => candidate.name === BARE) ??
  all.find(({ candidate }) => candidate.name === TUTORIAL);

async function compete(work: Work, tools: Tools): Promise<Section> {
  const has = ({ api, database }: Candidate) =>
    work.lacks(api) ?? (database === 'mysql' && !tools.mysql ? 'no MariaDB here' : undefined);
  const rows = ourCandidates.map((candidate) => {
    const lacks = has(candidate);
    return { candidate, outcome: lacks ? { lacks } : { rounds: [] as Round[] } };
  });
  const runners = [];
  for (const { candidate, outcome } of rows)
    if ('rounds' in outcome)
      runners.push({ entrant: await entrantOf(candidate, work, tools), rounds: outcome.rounds });
  const round = async (share: number, entrant: Entrant) => {
    const all = SLOW.test(entrant.candidate.name) ? work.slow : work.requests;
    return measure(entrant, work, Math.max(work.connections, Math.round(all * share)), tools);
  };
  for (const { entrant } of runners) await round(2, entrant); // until all of it is compiled
  const reference = referenceAmong(runners.map(({ entrant }) => entrant));
  for (let i = 0; i < ROUNDS; i++)
    for (const { entrant, rounds } of i % 2 ? runners.toReversed() : runners) {
      const before = reference && (await round(SHARE, reference));
      rounds.push({ ...(await round(SHARE, entrant)), reference: before });
    }
  return {
    work,
    rows: rows.map(({ candidate, outcome }) => ({ candidate: candidate.name, outcome })),
  };
}

/** Only a run of everything is kept. */
const isWhole = !options.quick && options.only.length === 0;
const about = conditions(ROUNDS);
try {
  const mysql = ourCandidates.some(({ database }) => database === 'mysql')
    ? await startMariaDb()
    : undefined;
  const tools = { cpu: createCpuClock(), mysql };
  const sections: Section[] = [];
  for (const work of ourWorks) {
    console.error(`${work.title} …`);
    sections.push(await compete(work, tools));
  }
  const footings = [...entrants.values()]
    .filter(({ file, candidate }) => file === candidate.file)
    .map(({ candidate, running }) => ({ ...running, name: candidate.name }));
  if (isWhole) keep(about, sections, footings);
  console.log(
    `${resultsTable(sections)}\n\n${footingTable(footings)}\n\n${targetsTable(sections)}`,
  );
} catch (error) {
  console.error('The bench broke.', error);
} finally {
  await endAll();
}
process.exit(0);
