import { v7 as uuid } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { auditOf } from '#src/audit/list';
import { sealAll } from '#src/audit/sealing-worker';
import { password, startApp } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';

const { ctx, ask, auth, env, register, logIn } = await startApp({ API_KEYS: 'on' });
const [admin, ada] = [await register({}, 'admin'), await register()];
const run = commandLine(env);
const { does, json, refuses } = speaking(run);

interface Shown {
  id: string;
  type: string;
  seq: number | null;
  subject: string | null;
}
const list = (query = '', who = admin) => who.ask('GET', `/admin/audit?${query}`);
const exported = async (query = '') => {
  const { text, status, headers } = await admin.ask('GET', `/admin/audit/export?${query}`);
  expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Shown);
};
const all = async () => (await ctx.db.AuditEntry.findAll({ order: ['id'] })).map(({ id }) => id);
/** Every entry that a query finds, page by page. */
async function everyPage(query: string): Promise<Shown[]> {
  const found: Shown[] = [];
  for (let cursor = ''; ;) {
    const { status, text, body } = await list(`${query}&limit=3${cursor && `&cursor=${cursor}`}`);
    expect(status, text).toBe(200);
    found.push(...body.data);
    cursor = body.nextCursor;
    if (!cursor) return found;
  }
}

beforeAll(async () => {
  for (let i = 0; i < 5; i++) await logIn(ada.username, i % 2 ? password : 'a wrong password');
  await auth.users.disable(ada.id);
  await sealAll(ctx);
});

describe('GET /admin/audit, /admin/audit/export and /admin/audit/verify', () => {
  const paths = ['/admin/audit', '/admin/audit/export', '/admin/audit/verify'];

  it('are for who has audit:read', async () => {
    const bob = await register();
    for (const path of paths) {
      expect((await ask('GET', path)).status).toBe(401);
      const refused = await bob.ask('GET', path);
      expect([refused.status, refused.body.required]).toEqual([403, ['audit:read']]);
    }
    const key = async (scopes: string[]) => {
      const made = await admin.ask('POST', '/me/api-keys', { body: { name: 'siem', scopes } });
      return { 'x-api-key': made.body.key as string };
    };
    for (const path of paths) {
      expect((await ask('GET', path, { headers: await key(['user']) })).status).toBe(403);
      expect((await ask('GET', path, { headers: await key(['admin']) })).status).toBe(200);
    }
  });

  it.each([
    'actor=1',
    `actor=${uuid()}&actor=${uuid()}`,
    'subject=../x',
    'subject=%00',
    'type=Session.started',
    'type=%27%20OR%201',
    'after=yesterday',
    'after=2026-11-27',
    'before=9e99',
    'limit=0',
    'limit=101',
    'cursor=x',
    `cursor=${uuid()}`,
    'sort=id',
  ])('the list refuses %s', async (query) => {
    const { status, body } = await list(query);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });
});

describe('GET /admin/audit', () => {
  it('lists every entry once, the newest first', async () => {
    const found = await everyPage('');
    expect(found.map(({ id }) => id)).toEqual((await all()).toReversed());
  });

  it('finds by actor, subject, event and time, and by several', async () => {
    const rows = await ctx.db.AuditEntry.findAll();
    const expected = (wanted: (row: (typeof rows)[number]) => boolean) =>
      rows
        .filter(wanted)
        .map(({ id }) => id)
        .sort()
        .toReversed();
    const ids = async (query: string) => (await everyPage(query)).map(({ id }) => id);
    expect(await ids(`subject=${ada.id}`)).toEqual(expected(({ subject }) => subject === ada.id));
    expect(await ids(`actor=${ada.id}`)).toEqual(expected(({ actor }) => actor === ada.id));
    expect(await ids('type=session.refused')).toEqual(
      expected(({ type }) => type === 'session.refused'),
    );
    const both = expected(({ type, subject }) => type === 'session.refused' && subject === ada.id);
    expect(both).toHaveLength(3);
    expect(await ids(`type=session.refused&subject=${ada.id}`)).toEqual(both);
    expect(await ids(`actor=${ada.id}&subject=${admin.id}`)).toEqual([]);
    const middle = rows.map(({ createdAt }) => createdAt).sort((a, b) => +a - +b)[5]!;
    const time = middle.toISOString();
    expect(await ids(`after=${time}`)).toEqual(expected(({ createdAt }) => createdAt >= middle));
    expect(await ids(`before=${time}`)).toEqual(expected(({ createdAt }) => createdAt < middle));
    expect(await ids(`after=${time}&before=${time}`)).toEqual([]);
    const everything = expected(() => true);
    for (const early of ['0000-01-01', '0001-01-01', '1969-12-31']) {
      expect(await ids(`after=${early}T00:00:00Z`), early).toEqual(everything);
      expect(await ids(`before=${early}T00:00:00Z`), early).toEqual([]);
    }
    expect(await ids('before=9999-12-31T23:59:59Z')).toEqual(everything);
  });

  it('takes a cursor with the same filters only (A-06)', async () => {
    const { nextCursor } = (await list('limit=1')).body;
    for (const query of [`actor=${ada.id}`, 'type=session.started', 'after=2026-01-01T00:00:00Z'])
      expect((await list(`${query}&cursor=${nextCursor}`)).status).toBe(400);
    expect((await list(`limit=2&cursor=${nextCursor}`)).status).toBe(200);
  });

  it('shows what an entry says, and no proof', async () => {
    const { body } = await list(`type=user.disabled&subject=${ada.id}`);
    expect(body).toEqual({
      data: [
        {
          seq: expect.any(Number),
          id: expect.any(String),
          type: 'user.disabled',
          version: 1,
          actor: null,
          actorKind: 'server',
          onBehalfOf: null,
          subject: ada.id,
          sessionId: null,
          ip: null,
          requestId: null,
          details: {},
          createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        },
      ],
      nextCursor: null,
    });
  });

  it('is the same for an app that embeds the server', async () => {
    const first = await auth.audit.list({ subject: ada.id, limit: 2 });
    const next = { subject: ada.id, limit: 100, cursor: first.nextCursor! };
    const rest = await auth.audit.list(next);
    const ids = [...first.data, ...rest.data].map(({ id }) => id);
    expect(ids).toEqual((await everyPage(`subject=${ada.id}`)).map(({ id }) => id));
  });
});

describe('GET /admin/audit/export', () => {
  it('has every entry, the oldest first, also more than a page of them', async () => {
    await ctx.db.transaction(async () => {
      for (let i = 0; i < 1100; i++) ctx.events.emit('role.created', { role: `many${i}` });
    });
    const found = await exported();
    expect(found.map(({ id }) => id)).toEqual(await all());
    const { keyId, mac, hash } = (await ctx.db.AuditEntry.findByPk(found[0]!.id))!;
    expect(found[0]).toMatchObject({ keyId, mac, hash, seq: 1 });
    expect(mac).toMatch(/^[\w-]{43}$/);
    const some = await exported(`subject=${ada.id}&type=session.started`);
    expect(new Set(some.map(({ type, subject }) => `${type} ${subject}`))).toEqual(
      new Set([`session.started ${ada.id}`]),
    );
    expect(await exported(`subject=${uuid()}`)).toEqual([]);
    expect((await admin.ask('HEAD', '/admin/audit/export')).status).toBe(200);
    expect((await admin.ask('GET', '/admin/audit/export?limit=1')).status).toBe(400);
  });

  it('escapes what is not seen, or what a terminal obeys (T-03)', async () => {
    const role = '\u001b[31m\u0007\u009b\u202e\u2066\u200b\u2028\u{e0041}=cmd()\u{1f600}ä';
    await ctx.db.transaction(async () => ctx.events.emit('role.created', { role }));
    const { text } = await admin.ask('GET', '/admin/audit/export?type=role.created');
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(text.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]|\p{Cf}|\p{Zl}/u);
    const last = JSON.parse(text.trimEnd().split('\n').at(-1)!) as { details: object };
    expect(last.details).toEqual({ role });
    const { stdout } = await run('audit list --limit 1');
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]|\p{Cf}|\p{Zl}/u);
    expect(stdout).toContain('\\u001b[31m');
  });
});

describe('sallyport audit', () => {
  it('lists, exports and verifies the same', async () => {
    const { data, nextCursor } = await json(`audit list --subject ${ada.username} --limit 2`);
    const { body } = await list(`subject=${ada.id}&limit=2`);
    expect([data, nextCursor]).toEqual([body.data, body.nextCursor]);
    expect((await json(`audit list --subject ${ada.id} --limit 2`)).data).toEqual(data);
    const more = `audit list --subject ${ada.id} --limit 2 --cursor ${nextCursor}`;
    expect((await json(more)).data).toHaveLength(2);
    const lines = (await does(`audit export --type session.refused`)).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(
      await exported('type=session.refused'),
    );
    expect(await does('audit verify')).toMatch(/^Nothing was changed: \d+ entries, the last one/);
    expect(await json('audit verify')).toMatchObject({ ok: true, faults: [] });
    expect((await admin.ask('GET', '/admin/audit/verify')).body).toEqual({
      ...(await auth.audit.verify()),
      nextCursor: null,
    });
  });

  it('names what it does not understand', async () => {
    await refuses('audit list --actor nobody', /There is no such user/);
    await refuses('audit export --type x', /--type/);
    await refuses('audit list --after yesterday', /--after/);
  });

  it('is the actor of what is done by it', async () => {
    await does(`user enable ${ada.username}`);
    const [entry] = (await list(`type=user.enabled&subject=${ada.id}`)).body.data;
    expect(entry).toMatchObject({ actor: null, actorKind: 'cli', requestId: null, ip: null });
  });
});

it('a user gets all that is theirs, and not from where an administrator asked', async () => {
  const bob = await register();
  await admin.ask('DELETE', `/admin/users/${bob.id}/factors`);
  await ctx.db.transaction(async () => {
    ctx.events.emit('user.enabled', { userId: bob.id }, { actor: admin.id });
    ctx.events.emit('user.enabled', { userId: ada.id }, { actor: bob.id });
  });
  const found = [];
  for await (const entry of auditOf(ctx, bob.id)) found.push(entry);
  expect(found.map(({ type, actor, subject }) => [type, actor, subject])).toEqual([
    ['user.enabled', null, bob.id],
    ['session.started', bob.id, bob.id],
    ['user.registered', bob.id, bob.id],
    ['user.enabled', bob.id, ada.id],
  ]);
});
