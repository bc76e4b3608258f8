import { BARE, BETTER_AUTH, SALLYPORT, TUTORIAL } from '#candidates';
import { tableOf, timesAsCheap, type Section } from '#report';

/** What a guarded request has to reach, in processor time: our share of another's, or how many times as cheap we are. */
const TARGETS = [
  { who: SALLYPORT.sqlite, than: BARE, least: 0.85 },
  { who: SALLYPORT.mysql, than: BARE, least: 0.45 },
  { who: SALLYPORT.mysql, than: TUTORIAL, least: 6 },
  { who: SALLYPORT.mysql, than: BETTER_AUTH.mysql, least: 3 },
  { who: SALLYPORT.sqlite, than: BETTER_AUTH.sqlite, least: 3 },
];

const HEAD = ['Guarded GET /me, by processor time', 'against', 'target', 'measured', ''];

/** The targets as a table. What was not measured is no line of it. */
export function targetsTable(sections: readonly Section[]): string {
  const guarded = sections.find(({ work }) => work.name === 'me');
  const rows = TARGETS.flatMap(({ who, than, least }) => {
    const times = guarded && timesAsCheap(guarded, who, than);
    if (times === undefined) return [];
    const verdict = times >= least ? 'reached' : 'missed';
    return [[who, than, `>= ${least.toFixed(2)}`, times.toFixed(2), verdict]];
  });
  return rows.length > 0 ? tableOf(HEAD, rows) : '';
}
