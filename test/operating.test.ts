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

/** The command that does what a route of administrators does. `null`: nobody at the command line can do it. */
const COMMANDS: Record<string, string | null> = {
  'GET /admin/users': 'user list',
  'POST /admin/users': 'user invite',
  'GET /admin/users/:id': 'user show',
  'PATCH /admin/users/:id': 'user set', // and user disable, user enable
  'DELETE /admin/users/:id': 'user delete',
  'DELETE /admin/users/:id/factors': 'user reset-mfa',
  'DELETE /admin/users/:id/lock': 'user unlock',
  'POST /admin/users/:id/password-reset': 'user reset-password',
  'POST /admin/users/:id/impersonate': null, // it needs an administrator who has proved two factors
  'GET /admin/users/:id/sessions': 'session list',
  'DELETE /admin/users/:id/sessions': 'session end',
  'DELETE /admin/users/:id/sessions/:sessionId': 'session end',
  'PUT /admin/users/:id/roles/:role': 'role grant',
  'DELETE /admin/users/:id/roles/:role': 'role revoke',
  'GET /admin/invitations': 'invitation list',
  'POST /admin/invitations/:id/resend': 'invitation resend',
  'DELETE /admin/invitations/:id': 'invitation revoke',
  'GET /admin/roles': 'role list',
  'GET /admin/roles/:role': 'role list',
  'PUT /admin/roles/:role': 'role set', // and role create
  'DELETE /admin/roles/:role': 'role delete',
  'GET /admin/audit': 'audit list',
  'GET /admin/audit/export': 'audit export',
  'GET /admin/audit/verify': 'audit verify',
  'GET /admin/webhooks': 'webhook list',
  'POST /admin/webhooks': 'webhook create',
  'GET /admin/webhooks/:id': 'webhook list',
  'PATCH /admin/webhooks/:id': 'webhook update',
  'DELETE /admin/webhooks/:id': 'webhook delete',
  'POST /admin/webhooks/:id/secret': 'webhook rotate-secret',
  'POST /admin/webhooks/:id/test': 'webhook test',
  'GET /admin/webhooks/:id/deliveries': 'webhook deliveries',
  'POST /admin/webhooks/:id/deliveries/:deliveryId/redeliver': 'webhook redeliver',
  'GET /admin/services': 'service list',
  'POST /admin/services': 'service create',
  'GET /admin/services/:id': 'service show',
  'PATCH /admin/services/:id': 'service update',
  'DELETE /admin/services/:id': 'service delete',
  'POST /admin/services/:id/secret': 'service rotate-secret',
  'GET /admin/stats': 'stats',
  'GET /admin/settings': 'settings show',
  'POST /admin/keys/rotate': 'keys rotate',
  'GET /admin/mails': 'mail list',
  'POST /admin/mails/:id/retry': 'mail retry',
  'DELETE /admin/mails/:id': 'mail drop',
};

it('the command line reaches everything that the routes of administrators do', () => {
  const named = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  const ofAdmins = named.filter((name) => name.includes(' /admin/'));
  expect(Object.keys(COMMANDS).sort()).toEqual(ofAdmins.sort());
  for (const line of Object.values(COMMANDS).filter((each) => each !== null)) {
    let command: Command | undefined = program({});
    for (const word of line.split(' ')) command = command && inside(command, [word]);
    expect(command?.commands, line).toEqual([]);
  }
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
