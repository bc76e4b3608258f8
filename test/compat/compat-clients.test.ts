import {
  create,
  type AxiosError,
  type AxiosInstance,
  type InternalAxiosRequestConfig,
} from 'axios';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { startGate } from '#test/support/clients/gate';
import { enter, expectSaid, member, speakTo, startAdapters, frontEnds } from '#test/support/compat';
import { rounds } from '#test/support/rounds';

const bezkoder = frontEnds[0]!;
const TTL = 60;
const app = await startAdapters('bezkoder', { DIALECT_ACCESS_TOKEN_TTL: String(TTL) });
const { say, ask, find, unusedName, Session } = app;
const gate = await startGate(app.url);
afterAll(() => gate.close());
afterEach(() => {
  vi.useRealTimers();
  gate.forget();
});

const DAY = 86_400;
const BOARD = 'GET /api/test/user';
const REFRESH = 'POST /api/auth/refreshtoken';
const OVER = { message: 'Refresh token was expired. Please make a new signin request' };
const start = Math.floor(Date.now() / 1000) * 1000;
const at = (seconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(start + seconds * 1000);

interface Held {
  accessToken: string;
  refreshToken?: string;
}
const instance = (stored: { user: Held }): AxiosInstance => {
  const client = create({ baseURL: `${gate.url}/api` });
  client.interceptors.request.use((config) => {
    config.headers['x-access-token'] = stored.user.accessToken;
    return config;
  });
  return client;
};
const refreshBy = async (client: AxiosInstance, stored: { user: Held }) => {
  const { data } = await client.post<Held>('/auth/refreshtoken', {
    refreshToken: stored.user.refreshToken,
  });
  stored.user.accessToken = data.accessToken;
};

/** As the tutorial has it: refreshes once, repeats the request once, and keeps the refresh token that it had. */
function guarded(stored: { user: Held }): AxiosInstance {
  const client = instance(stored);
  client.interceptors.response.use(undefined, async (error: AxiosError) => {
    const asked = error.config as InternalAxiosRequestConfig & { _retry?: boolean };
    if (asked.url === '/auth/signin' || error.response?.status !== 401 || asked._retry) throw error;
    asked._retry = true;
    await refreshBy(client, stored);
    return client(asked);
  });
  return client;
}

/** As many have copied it: whatever answers 401 is refreshed and repeated, also the refresh. Gives up after 50. */
function naive(stored: { user: Held }): AxiosInstance {
  const client = instance(stored);
  client.interceptors.response.use(undefined, async (error: AxiosError) => {
    if (error.response?.status !== 401 || gate.seen.length > 50) throw error;
    await refreshBy(client, stored);
    return client(error.config!);
  });
  return client;
}
const clients = [
  { kind: 'the tutorial’s', clientOf: guarded },
  { kind: 'one that guards against nothing', clientOf: naive },
];

async function signedIn(name = unusedName()) {
  const { signedIn: answer, token, where } = await member(app, bezkoder, name);
  const user: Held = {
    accessToken: answer.body.accessToken,
    refreshToken: answer.body.refreshToken,
  };
  return { stored: { user }, where, name, token };
}
const statusOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 200,
    (error: AxiosError) => error.response?.status,
  );

/** Spent at our own refresh; its successor is used, and 20 seconds pass. */
async function usedElsewhere(refreshToken: string) {
  const { body } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
  expect((await ask('GET', '/me', { token: body.accessToken })).status).toBe(200);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 21_000 });
  return body as { accessToken: string; refreshToken: string };
}

describe.each(clients)('an axios client: $kind', ({ clientOf }) => {
  it('refreshes once and repeats once; time after time the refresh token stays the same', async () => {
    at(0);
    const { stored, where } = await signedIn();
    const client = clientOf(stored);
    const { refreshToken } = stored.user;
    const many = rounds(10, 200);
    for (let round = 1; round <= many; round++) {
      at(round * TTL);
      gate.forget();
      expect((await client.get('/test/user')).data).toBe('User Content.');
      expect([gate.count(BOARD), gate.count(REFRESH)]).toEqual([2, 1]);
    }
    expect(stored.user.refreshToken).toBe(refreshToken);
    const sessions = await Session.findAll({ where: { userId: (await find(where)).id } });
    expect(sessions.map(({ generation, endedAt }) => [generation, endedAt])).toEqual([[0, null]]);
  });

  it('is answered 200, though twenty requests refresh at once', async () => {
    at(0);
    const { stored } = await signedIn();
    const client = clientOf(stored);
    at(TTL);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => statusOf(client.get('/test/user'))),
    );
    expect(answers).toEqual(Array(20).fill(200));
    expect(gate.count(REFRESH)).toBe(20);
  });

  it.each<[string, (held: Awaited<ReturnType<typeof signedIn>>) => unknown]>([
    ['was ended', ({ token }) => ask('POST', '/auth/logout', { token })],
    [
      'was ended by an administrator',
      async ({ where }) => app.auth.users.disable((await find(where)).id),
    ],
    ['belonged to a user who is gone', ({ where }) => app.User.destroy({ where })],
    ['expired', () => at(14 * DAY)],
    [
      'was spent and its successor used elsewhere',
      ({ stored }) => usedElsewhere(stored.user.refreshToken!),
    ],
    ['is unknown', ({ stored }) => void (stored.user.refreshToken = 'x')],
    ['is missing', ({ stored }) => void delete stored.user.refreshToken],
  ])('hears 403 once, and asks no more, when its session or token %s', async (_what, happens) => {
    at(0);
    const held = await signedIn();
    at(TTL);
    await happens(held);
    expect(await statusOf(clientOf(held.stored).get('/test/user'))).toBe(403);
    expect([gate.count(BOARD), gate.count(REFRESH)]).toEqual([1, 1]);
  });

  it('is not sent to refresh by a board that needs another role', async () => {
    const { stored } = await signedIn();
    expect(await statusOf(clientOf(stored).get('/test/admin'))).toBe(403);
    expect(gate.count(REFRESH)).toBe(0);
  });
});

describe('a session whose refresh token is kept', () => {
  const refresh = (refreshToken: string) =>
    say('POST', '/api/auth/refreshtoken', { json: { refreshToken } });
  const over = (refreshToken: string) => expectSaid(refresh(refreshToken), 403, OVER);
  const entered = async () => {
    const { stored } = await signedIn();
    return stored.user.refreshToken!;
  };

  it('ends 14 days after the last refresh: at that very moment, and not before', async () => {
    at(0);
    const token = await entered();
    at(14 * DAY - 0.001);
    expect((await refresh(token)).status).toBe(200);
    at(28 * DAY - 0.001);
    await over(token);
    at(28 * DAY - 0.002);
    expect((await refresh(token)).status).toBe(200);
  });

  it('ends after 90 days, though it is refreshed all the time, and its access tokens with it', async () => {
    at(0);
    const token = await entered();
    for (let day = 10; day < 90; day += 10) {
      at(day * DAY);
      expect((await refresh(token)).status, `on day ${day}`).toBe(200);
    }
    at(90 * DAY - 0.001);
    const { body } = await refresh(token);
    const board = () =>
      say('GET', '/api/test/user', { headers: { 'x-access-token': body.accessToken } });
    expect((await board()).status).toBe(200);
    at(90 * DAY);
    await expectSaid(board(), 401, { message: 'Unauthorized!' });
    await over(token);
  });

  it('is not kept by requests alone', async () => {
    at(0);
    const { stored } = await signedIn();
    at(TTL - 1);
    expect(
      (
        await say('GET', '/api/test/user', {
          headers: { 'x-access-token': stored.user.accessToken },
        })
      ).status,
    ).toBe(200);
    at(14 * DAY);
    await over(stored.user.refreshToken!);
  });

  it('refreshes for two who ask in the same millisecond, and for twenty at once', async () => {
    at(0);
    const token = await entered();
    at(1);
    for (let i = 0; i < 2; i++) expect((await refresh(token)).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    vi.useRealTimers();
    const more = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    expect(more.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });

  it('that was copied is found: it ends when one holder has kept it and the other has spent it', async () => {
    for (const kept of [await entered(), (await app.register()).tokens.refreshToken as string]) {
      const body = await usedElsewhere(kept);
      await over(kept);
      expect((await ask('GET', '/me', { token: body.accessToken })).body.code).toBe(
        'session_ended',
      );
      expect(
        (await ask('POST', '/auth/refresh', { body: { refreshToken: body.refreshToken } })).body
          .reason,
      ).toBe('revoked');
      vi.useRealTimers();
    }
  });

  it('is one for all who ask at once, here and at our own refresh', async () => {
    const token = await entered();
    const ours = () => ask('POST', '/auth/refresh', { body: { refreshToken: token } });
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, i) => (i % 2 ? ours() : refresh(token))),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(16).fill(200));
  });

  it('goes on when the database was put back to an earlier state', async () => {
    const token = await entered();
    const { body } = await ask('POST', '/auth/refresh', { body: { refreshToken: token } });
    await app.Session.update(
      { generation: 0, rotatedAt: null, acknowledged: true },
      { where: { id: body.session.id } },
    );
    expect((await refresh(body.refreshToken)).status).toBe(200);
    expect((await app.Session.findByPk(body.session.id))!.endedAt).toBeNull();
  });

  it('may go through our own refresh between, if its successor goes on', async () => {
    const token = await entered();
    const { body } = await ask('POST', '/auth/refresh', { body: { refreshToken: token } });
    expect((await refresh(token)).status).toBe(200); // as if the reply had been lost
    const kept = await expectSaid(refresh(body.refreshToken), 200, {
      accessToken: expect.any(String),
      refreshToken: body.refreshToken,
    });
    expect(
      (await say('GET', '/api/test/user', { headers: { 'x-access-token': kept.body.accessToken } }))
        .status,
    ).toBe(200);
    expect(
      (await ask('POST', '/auth/refresh', { body: { refreshToken: body.refreshToken } })).status,
    ).toBe(200);
  });

  it('is one of at most ten', async () => {
    const { stored, name } = await signedIn();
    for (let i = 0; i < 10; i++) await enter(app, bezkoder, name);
    await over(stored.user.refreshToken!);
  });

  it('is not shown to another user, and not ended by a refusal', async () => {
    const token = await entered();
    await refresh(`${token.slice(0, -4)}AAAA`);
    await say('POST', '/api/auth/signin', { json: { username: 'nobody', password } });
    expect(
      (await speakTo(gate.url)('POST', '/api/auth/refreshtoken', { json: { refreshToken: token } }))
        .status,
    ).toBe(200);
  });
});
