import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '#test/support/process';

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
