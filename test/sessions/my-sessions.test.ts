import { afterEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { setTime } from '#test/support/clock';
import type { Tokens } from '#test/support/worth';
import { statementsOf } from '#test/support/statements';

const { ctx, ask, register, logIn, Session } = await startApp({ TRUST_PROXY: '1' });

type Member = Awaited<ReturnType<typeof register>>;
const start = Math.floor(Date.now() / 1000) * 1000;
const at = (seconds: number) => setTime(ctx, start + seconds * 1000);
afterEach(() => {
  vi.useRealTimers();
});

const list = async ({ ask: as }: Pick<Member, 'ask'>, query = '') => {
  const { status, body, text } = await as('GET', `/me/sessions${query}`);
  expect(status, text).toBe(200);
  return body as { data: Record<string, unknown>[]; nextCursor: string | null };
};
const idsOf = ({ data }: { data: Record<string, unknown>[] }) => data.map(({ id }) => id);
const signIn = async ({ username }: Member) => (await logIn(username)).body as Tokens;
/** A user with three sessions, the oldest first. */
async function threeTimes() {
  const ada = await register();
  return { ada, held: [ada.tokens as Tokens, await signIn(ada), await signIn(ada)] as const };
}

it.each(['', '?limit=x'])('asks strangers who they are: GET /me/sessions%s', async (query) => {
  expect(await ask('GET', `/me/sessions${query}`)).toMatchObject({
    status: 401,
    body: { code: 'token_missing' },
  });
});

describe('GET /me/sessions', async () => {
  const ten = await register();
  const all = [ten.tokens as Tokens];
  for (let i = 0; i < 9; i++) all.unshift(await signIn(ten));
  const newestFirst = all.map(({ session }) => session.id);

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=0x10',
    'limit=+5',
    'limit=',
    'limit=ten',
    'limit=1&limit=2',
    'limit[]=1',
    'cursor=',
    'cursor=1',
    'cursor=null',
    `cursor=${newestFirst[0]}'`,
    `cursor=${newestFirst[0]}&cursor=${newestFirst[1]}`,
    'offset=1',
    `userId=${ten.id}`,
  ])('refuses ?%s', async (query) => {
    expect(await ten.ask('GET', `/me/sessions?${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  it('answers exactly the documented members', async () => {
    at(0);
    const headers = { 'x-forwarded-for': '203.0.113.7', 'user-agent': 'curl/8.5.0' };
    const device = { kind: 'mobile', name: 'Ada’s phone', platform: 'iOS' };
    const { body } = await ask('POST', '/auth/register', {
      headers,
      body: { username: 'ada', password, device },
    });
    const as = (token: string) => ({
      ask: (method: string, path: string) => ask(method, path, { token }),
    });
    const first = {
      id: body.session.id,
      strategy: 'local',
      createdAt: new Date(start).toISOString(),
      expiresAt: new Date(start + 60 * 86_400_000).toISOString(),
      amr: ['pwd'],
      acr: 'aal1',
      authTime: new Date(start).toISOString(),
      device,
      ip: '203.0.113.7',
      lastSeenAt: new Date(start).toISOString(),
      current: true,
      impersonation: null,
    };
    expect(await list(as(body.accessToken))).toEqual({ data: [first], nextCursor: null });
    at(1000);
    const again = { 'x-forwarded-for': '2001:db8::1', 'user-agent': 'curl/9' };
    expect(
      (
        await ask('POST', '/auth/refresh', {
          headers: again,
          body: { refreshToken: body.refreshToken },
        })
      ).status,
    ).toBe(200);
    at(1001);
    const [, refreshed] = (await list(as((await logIn('ada')).body.accessToken))).data;
    expect(refreshed).toEqual({
      ...first,
      expiresAt: new Date(start + 1_000_000 + 60 * 86_400_000).toISOString(),
      ip: '2001:db8::1',
      lastSeenAt: new Date(start + 1_000_000).toISOString(),
      current: false,
    });
  });

  it('pages from the newest to the oldest, each once', async () => {
    expect(await list(ten)).toMatchObject({ nextCursor: null });
    expect(idsOf(await list(ten))).toEqual(newestFirst);
    const found: unknown[] = [];
    const sizes: number[] = [];
    for (let query = '?limit=3'; query;) {
      const page = await list(ten, query);
      found.push(...idsOf(page));
      sizes.push(page.data.length);
      query = page.nextCursor ? `?limit=3&cursor=${page.nextCursor}` : '';
    }
    expect(sizes).toEqual([3, 3, 3, 1]);
    expect(found).toEqual(newestFirst);
    expect(await list(ten, '?limit=10')).toMatchObject({ nextCursor: null });
    expect(idsOf(await list(ten, '?limit=1'))).toEqual(newestFirst.slice(0, 1));
    expect(idsOf(await list(ten, '?limit=100'))).toHaveLength(10);
  });

  it('goes on after a session that has ended meanwhile', async () => {
    const { ada, held } = await threeTimes();
    const { nextCursor } = await list(ada, '?limit=1');
    expect((await ada.ask('DELETE', `/me/sessions/${nextCursor}`)).status).toBe(204);
    expect(idsOf(await list(ada, `?cursor=${nextCursor}`))).toEqual([
      held[1].session.id,
      held[0].session.id,
    ]);
  });

  it('shows nobody else’s, whatever the cursor says (Z-10)', async () => {
    const { ada, held } = await threeTimes();
    const bob = await threeTimes();
    const own = held.map(({ session }) => session.id).reverse();
    expect(idsOf(await list(ada))).toEqual(own);
    expect(idsOf(await list(ada, `?cursor=${bob.held[2].session.id}`))).toEqual(own);
    expect(idsOf(await list(ada, '?cursor=ffffffff-ffff-4fff-bfff-ffffffffffff'))).toEqual(own);
    expect(idsOf(await list(ada, `?cursor=${newestFirst[9]}`))).toEqual([]);
  });

  it('marks exactly the one that asks', async () => {
    const { ada, held } = await threeTimes();
    for (const { accessToken: token, session } of held) {
      const { body } = await ada.ask('GET', '/me/sessions', { token });
      expect(
        idsOf({ data: body.data.filter(({ current }: { current: boolean }) => current) }),
      ).toEqual([session.id]);
    }
  });

  it('shows only what is live', async () => {
    at(0);
    const { ada, held } = await threeTimes();
    expect((await ask('POST', '/auth/logout', { token: held[1].accessToken })).status).toBe(204);
    expect(idsOf(await list(ada))).toEqual([held[2].session.id, held[0].session.id]);
    at(10 * 86_400);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: held[0].refreshToken },
    });
    at(14 * 86_400 - 0.001);
    const token = (
      await ask('POST', '/auth/refresh', { body: { refreshToken: body.refreshToken } })
    ).body.accessToken;
    expect(idsOf((await ask('GET', '/me/sessions', { token })).body)).toEqual([
      held[2].session.id,
      held[0].session.id,
    ]);
    at(14 * 86_400);
    expect(idsOf((await ask('GET', '/me/sessions', { token })).body)).toEqual([held[0].session.id]);
  });
});

describe('lastSeenAt', () => {
  const writes = statementsOf(Session.sequelize, (sql) => /UPDATE `sessions`/.test(sql));
  const counting = async (work: () => Promise<unknown>) => {
    writes.length = 0;
    await work();
    return writes.length;
  };

  it('is written at most once a minute', async () => {
    at(0);
    const ada = await register();
    const written = [];
    for (const seconds of [0, 30, 59.999, 61, 62, 120, 121.5, 122]) {
      at(seconds);
      written.push(
        await counting(async () => expect((await ada.ask('GET', '/me')).status).toBe(200)),
      );
    }
    expect(written).toEqual([0, 0, 0, 1, 0, 0, 1, 0]);
    expect((await list(ada)).data[0]!['lastSeenAt']).toBe(new Date(start + 121_500).toISOString());
  });

  it('is written once for 20 requests at once', async () => {
    at(0);
    const ada = await register();
    for (const seconds of [61, 200]) {
      at(seconds);
      const twenty = () => Promise.all(Array.from({ length: 20 }, () => ada.ask('GET', '/me')));
      expect(await counting(twenty)).toBe(1);
      expect(await counting(twenty)).toBe(0);
    }
  });

  it('is not written by a request that is refused', async () => {
    at(0);
    const ada = await register();
    expect((await ask('POST', '/auth/logout', { token: ada.token })).status).toBe(204);
    at(100);
    expect(await counting(() => ada.ask('GET', '/me'))).toBe(0);
  });
});
