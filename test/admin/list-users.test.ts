import { expect, describe, it } from 'vitest';
import { startApp } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';

const { ctx, auth, ask, env, register, User } = await startApp();
const admin = await register({ username: 'chief' }, 'admin');
const { does, json, refuses } = speaking(commandLine(env));

type Answer = Awaited<ReturnType<typeof ask>>;
const list = (query = '') => admin.ask('GET', `/admin/users?${query}`);
const idsOf = ({ body }: Answer): string[] => body.data.map(({ id }: { id: string }) => id);

/** Some whose times are the other way round than their ids, two of the same time, one disabled, one confirmed. */
const people = await (async () => {
  const made = [];
  for (let i = 0; i < 6; i++) {
    const each = await register({ username: `walker${i}`, email: `walker${i}@example.com` });
    const createdAt = new Date(Date.UTC(2020, 0, 30 - Math.floor(i / 2)));
    const emailVerifiedAt = i === 2 ? new Date() : null;
    await User.update({ createdAt, emailVerifiedAt }, { where: { id: each.id }, silent: true });
    made.push(each.id);
  }
  await auth.users.disable(made[4]!);
  return made;
})();

/** All pages, one after the other. */
async function pages(query: string, limit = 2): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const answer = await list(`${query}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
    expect(answer.status, answer.text).toBe(200);
    seen.push(...idsOf(answer));
    cursor = answer.body.nextCursor;
    if (!cursor) return seen;
  }
}

describe('GET /admin/users?sort=', () => {
  it.each(['sort=', 'sort=username', 'sort=--id', 'sort=ID', 'sort=created&sort=id', 'sort[]=id'])(
    'answers 400 to %s',
    async (query) => expect((await list(query)).status).toBe(400),
  );

  it('turns pages in each order, back and forth, without losing or repeating anybody', async () => {
    const all = [admin.id, ...people];
    const byTime = [...[4, 5, 2, 3, 0, 1].map((i) => people[i]!), admin.id];
    for (const limit of [1, 2, 3, 100]) {
      expect(await pages('sort=id', limit)).toEqual(all);
      expect(await pages('', limit)).toEqual(all);
      expect(await pages('sort=-id', limit)).toEqual(all.toReversed());
      expect(await pages('sort=created', limit)).toEqual(byTime);
      expect(await pages('sort=-created', limit)).toEqual(byTime.toReversed());
      expect(await pages('sort=-created&role=user', limit)).toEqual(byTime.toReversed());
      expect(await pages('sort=created&role=admin', limit)).toEqual([admin.id]);
      expect(await pages('sort=created&role=nobody-has-it', limit)).toEqual([]);
      expect(await pages('sort=-id&role=user', limit)).toEqual(all.toReversed());
      expect(await pages('sort=created&q=walker', limit)).toEqual(byTime.slice(0, -1));
    }
  });
});

describe('GET /admin/users?disabled=&verified=', () => {
  it.each([
    'disabled=',
    'disabled=1',
    'disabled=yes',
    'verified=TRUE',
    'verified=true&verified=true',
  ])('answers 400 to %s', async (query) => expect((await list(query)).status).toBe(400));

  it('lists who is disabled, who is not, who confirmed an address, and both', async () => {
    expect(await pages('disabled=true')).toEqual([people[4]]);
    expect(await pages('disabled=false')).toEqual(
      [admin.id, ...people].filter((id) => id !== people[4]),
    );
    expect(await pages('verified=true&sort=-created')).toEqual([people[2]]);
    expect(await pages('verified=false')).toHaveLength(6);
    expect(await pages('verified=true&disabled=true')).toEqual([]);
    expect(await pages('verified=true&q=walker2')).toEqual([people[2]]);
    expect(await pages('verified=false&q=walker2')).toEqual([]);
    expect(await pages('disabled=false&role=admin')).toEqual([admin.id]);
  });
});

describe('GET /admin/users?q=', () => {
  it('shows who has exactly this name first, and everybody else once, however small a page is', async () => {
    const [first, last] = [
      await register({ username: 'smith-and-more' }),
      await register({ username: 'smith' }),
    ];
    for (const limit of [1, 2, 3])
      for (const sort of ['id', 'created'])
        expect(await pages(`q=smith&sort=${sort}`, limit)).toEqual([last.id, first.id]);
    expect(await pages('q=smith&sort=-id', 1)).toEqual([last.id, first.id]);
  });
});

describe('a search for what databases or programs read', () => {
  it.each([
    '%',
    '_',
    '\\',
    '.*',
    '[a-z]',
    '^w',
    "' OR '1'='1",
    '😀',
    '\u0301',
    'ﷺ',
    '*',
    '?',
    '$1',
    ':q',
  ])('means %s itself (A-05)', async (q) => {
    const answer = await list(`q=${encodeURIComponent(q)}`);
    if (answer.status === 200) expect(answer.body).toEqual({ data: [], nextCursor: null });
    else expect(answer.body.code).toBe('invalid_request');
  });

  it('finds names of any script, however they are typed (A-05)', async () => {
    for (const [username, q] of [
      ['王小明', '小'],
      ['Åsa', 'åS'],
      ['жанна', 'ЖАНН'],
      ['παναγιώτης', 'ΏΤΗΣ'],
      ['مريم', 'ريم'],
      ['fullwidth', 'ｕｌｌｗ'],
    ]) {
      const { id } = await register({ username });
      expect(await pages(`q=${encodeURIComponent(q!)}`), username).toEqual([id]);
    }
  });

  it('is refused when it is longer than any name (A-05)', async () => {
    for (const q of ['😀'.repeat(101), 'x'.repeat(10_000)])
      expect((await list(`q=${encodeURIComponent(q)}`)).status).toBe(400);
  });
});

describe('a cursor', () => {
  const refused = async (query: string) => {
    const { status, body } = await list(query);
    expect([status, body.code, body.errors?.[0]?.pointer], query).toEqual([
      400,
      'invalid_request',
      '/cursor',
    ]);
  };

  it('is good for its list, its order and its filters only (A-06)', async () => {
    const base = {
      q: 'walker',
      role: 'user',
      disabled: 'false',
      verified: 'false',
      sort: '-created',
    };
    const queryOf = (fields: object) =>
      new URLSearchParams({ ...base, ...fields, limit: '1' }).toString();
    const { nextCursor } = (await list(queryOf({}))).body;
    expect((await list(`${queryOf({})}&cursor=${nextCursor}`)).status).toBe(200);
    const others = [
      { q: 'walke' },
      { role: 'admin' },
      { disabled: 'true' },
      { verified: 'true' },
      { sort: 'created' },
      { sort: 'id' },
    ];
    for (const other of others) await refused(`${queryOf(other)}&cursor=${nextCursor}`);
    await refused(`limit=1&cursor=${nextCursor}`);
    expect((await admin.ask('GET', `/me/sessions?cursor=${nextCursor}`)).status).toBe(400);
    expect((await list(`${queryOf({})}&limit=5&cursor=${nextCursor}`)).status).toBe(400); // twice
    expect(
      (await list(`${queryOf({}).replace('limit=1', 'limit=5')}&cursor=${nextCursor}`)).status,
    ).toBe(200);
  });

  it('cannot be made or changed (A-06)', async () => {
    const { nextCursor } = (await list('limit=1')).body as { nextCursor: string };
    const bytes = Buffer.from(nextCursor, 'base64url');
    for (let i = 0; i < bytes.length; i += 5) {
      const changed = Buffer.from(bytes);
      changed[i]! ^= 1;
      await refused(`cursor=${changed.toString('base64url')}`);
    }
    for (const forged of [admin.id, 'x', 'AAAA', Buffer.from('["~","x"]').toString('base64url')])
      await refused(`cursor=${forged}`);
    expect((await list(`cursor=${'a'.repeat(1001)}`)).status).toBe(400);
  });
});

describe('the same', () => {
  it('by the app that embeds the server', async () => {
    const page = await auth.users.list({ limit: 1, sort: '-id', disabled: false });
    const next = { limit: 1, cursor: page.nextCursor! };
    expect((await auth.users.list({ ...next, sort: '-id', disabled: false })).data).toHaveLength(1);
    await expect(auth.users.list({ ...next, sort: '-id' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(ctx.db.isInTransaction()).toBe(false);
  });

  it('on the command line', async () => {
    const { data } = await json('user list --disabled true --sort -created');
    expect(data.map(({ id }: { id: string }) => id)).toEqual([people[4]]);
    expect(await does('user list --verified true')).toMatch(/walker2/);
    await refuses('user list --sort name', /argument 'name' is invalid/);
    await refuses('user list --cursor x', /no cursor of this list/);
  });
});
