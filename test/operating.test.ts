import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from '#src/cli/commands';
import { startApp } from '#test/support/app';
import { root } from '#test/support/process';

const { routes } = await startApp();
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const page = read('docs/operating.md');
const source = read('src/events.ts').replaceAll(/\/\*\*.*?\*\//gs, '');

/** Fields that several events have. */
const SHARED: Record<string, string[]> = {
  '': [],
  RefusedAccount: ['userId', 'account'],
  ProvenSession: ['amr', 'acr', 'authTime'],
};
/** The events of src/events.ts with the fields of each. */
const events = [...source.matchAll(/^ {2}'([a-z_.]+)': (\{[^}]*\})(?: & (\w+))?;$/gm)].map(
  ([, name, fields, more = '']) => ({
    name,
    fields: [...[...fields!.matchAll(/(\w+)\??:/g)].map(([, field]) => field), ...SHARED[more]!],
  }),
);

it('docs/operating.md lists every event with its fields, and no other', () => {
  const names = [...source.matchAll(/^ {2}'([a-z_.]+)':/gm)].map(([, name]) => name);
  expect(events.map(({ name }) => name)).toEqual(names);
  const [table = ''] = page.split('## What to alert on');
  const rows = [...table.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| (.*) \|$/gm)];
  const listed = rows.map(([, name, fields]) => ({ name, fields: fields!.match(/\w+/g) }));
  expect(listed).toEqual(events);
});

it('names only events in what to alert on', () => {
  const [, alerts = ''] = page.split('## What to alert on');
  const named = [...alerts.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(4);
  for (const name of named) expect(events.map((event) => event.name)).toContain(name);
});

const inside = (command: Command, [word = '']: string[]) =>
  command.commands.find((each) => each.name() === word || each.aliases().includes(word));

describe('the tables of tasks', () => {
  const tables = page.slice(page.indexOf('## Users'), page.indexOf('## The log'));
  const cells = [...tables.matchAll(/^\| (?!Task)(.*) \|$/gm)].map(([, row]) => row!.split(' | '));
  const codesIn = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);

  it('name only calls that the server answers', () => {
    const known = routes.map(({ method, path }) =>
      `${method.toUpperCase()} ${path}`.replaceAll(/:\w+/g, '{}'),
    );
    const named = cells
      .flatMap(([, call]) => codesIn(call))
      .filter((code) => /^[A-Z]+ \/(?!…)/.test(code));
    expect(named.length).toBeGreaterThan(25);
    for (const code of named)
      expect(known).toContain(code.replace(/\?.*/, '').replaceAll(/\{\w+\}/g, '{}'));
  });

  it('name only commands that there are, with options that they have', () => {
    const named = cells.flatMap((row) => (row.length > 3 ? codesIn(row[3]) : []));
    expect(named.length).toBeGreaterThan(25);
    for (const code of named.filter((each) => !/^(resend|revoke)$/.test(each))) {
      const words = code.split(' ');
      let command: Command = program({});
      for (let next = inside(command, words); next; next = inside(command, words)) {
        command = next;
        words.shift();
      }
      expect(command.parent && command.commands, code).toEqual([]);
      const options = words.filter((word) => word.startsWith('--'));
      for (const option of options)
        expect(command.options.map(({ long }) => long)).toContain(option);
    }
  });
});
