import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { candidates } from '#bench/candidates';
import { works } from '#bench/works';
import { root } from '#test/support/process';

const read = (name: string) => readFileSync(join(root, name), 'utf8');
const results = read('bench/RESULTS.md');

/** The rows of all tables of a text, each a list of cells. */
const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-:| ]+\|$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe('bench/RESULTS.md', () => {
  const measured = rowsOf(results).filter(([work]) => works.some(({ title }) => title === work));

  it('has a row for every work of every candidate', () => {
    const names = measured.map(([work, candidate]) => `${work}: ${candidate}`);
    expect(names).toEqual(
      works.flatMap(({ title }) => candidates.map(({ name }) => `${title}: ${name}`)),
    );
  });

  it.each([...works])('has a chart of $name that says what its table says', ({ name, title }) => {
    expect(results).toContain(`(charts/${name}.svg)`);
    const svg = read(`bench/charts/${name}.svg`);
    const drawn = [...svg.matchAll(/<text class="note"[^>]*>(\d+) µs \((.+)×\)</g)];
    const rows = measured.filter(([work, , speed]) => work === title && !speed!.startsWith('has '));
    expect(rows.length).toBeGreaterThan(0);
    expect(drawn.map(([, cpu, ratio]) => [cpu, ratio])).toEqual(
      rows.map(([, , , , cpu, ratio]) => [cpu, ratio]),
    );
  });
});

describe('docs/performance.md', () => {
  const doc = read('docs/performance.md');
  const kept = read('bench/RESULTS.md');
  const known = new Set(rowsOf(kept).map((cells) => cells.join('|')));
  const section = (name: string) => doc.split(/^## /m).find((text) => text.startsWith(name))!;

  it('has no row that is not in bench/RESULTS.md', () => {
    const rows = rowsOf(section('Measured'));
    expect(rows.length).toBeGreaterThan(10);
    for (const cells of rows) expect(known, cells.join(' | ')).toContain(cells.join('|'));
  });

  it('quotes no figure that is not there', () => {
    const quoted = [...doc.matchAll(/(\d[\d.]*)(×| µs| MB| requests\/s)/g)];
    expect(quoted.length).toBeGreaterThan(3);
    const figures = (kept.match(/\d[\d.]*\d|\d/g) ?? []).map(Number);
    for (const [text, figure] of quoted) expect(figures, text).toContain(Number(figure));
  });
});
