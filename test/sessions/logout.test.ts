import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { long } from '#test/support/rounds';
import { IN, OUT, threeTimes, worth, worths, type Tokens } from '#test/support/worth';

const app = await startApp();
const { ctx, ask, register } = app;

const events: unknown[] = [];
ctx.events.onAny(
  (name, event) => name.startsWith('session.ended') && events.push({ name, ...event }),
);
afterEach(() => {
  vi.useRealTimers();
});

/** A user who is signed in three times. Earlier events are forgotten. */
async function devices() {
  const found = await threeTimes(app);
  events.length = 0;
  return found;
}
async function expectSignedOut(question: Parameters<typeof ask>[2]) {
  expect(await ask('POST', '/auth/logout', question)).toMatchObject({ status: 204, text: '' });
}
const spend = async (refreshToken: string): Promise<string> => {
  const { status, body, text } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
  expect(status, text).toBe(200);
  return body.refreshToken;
};

type Hold = (tokens: Tokens) => Promise<{ token?: string; refreshToken?: string }>;
const holds: [string, Hold][] = [
  ['both tokens', async ({ accessToken: token, refreshToken }) => ({ token, refreshToken })],
  ['the refresh token', async ({ refreshToken }) => ({ refreshToken })],
  ['the access token', async ({ accessToken: token }) => ({ token })],
  [
    'an access token that has expired',
    async ({ accessToken: token }) => {
      vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 3_601_000);
      expect((await ask('GET', '/me', { token })).body.code).toBe('token_expired');
      return { token };
    },
  ],
  [
    'a refresh token that is spent',
    async ({ refreshToken }) => {
      await spend(refreshToken);
      return { refreshToken };
    },
  ],
  [
    'a refresh token that was spent twice ago',
    async ({ refreshToken }) => {
      await spend(await spend(refreshToken));
      return { refreshToken };
    },
  ],
  [
    'a good access token and nonsense',
    async ({ accessToken: token }) => ({ token, refreshToken: 'nonsense' }),
  ],
  [
    'a good refresh token and nonsense',
    async ({ refreshToken }) => ({ token: 'nonsense', refreshToken }),
  ],
];
const scopes: [string | undefined, number[]][] = [
  [undefined, [0]],
  ['session', [0]],
  ['others', [1, 2]],
  ['all', [0, 1, 2]],
];
const all = holds.flatMap(([what, hold]) =>
  scopes.map(([scope, ended]) => ({ what, hold, scope, ended })),
);
/** Each kind of token with some scope, and each scope with some kind. */
const some = all.filter((_case, i) => i % 5 < 2 && i !== 1);

describe('POST /auth/logout', async () => {
  const stranger = await register();

  it.each(long ? all : some)(
    'with $what and scope $scope ends of three devices $ended (V-01, V-03)',
    async ({ hold, scope, ended }) => {
      const { ada, held } = await devices();
      const { token, refreshToken } = await hold(held[0]);
      await expectSignedOut({ token, body: { refreshToken, scope } });
      vi.useRealTimers();
      const expected = ended.map((i) => ({
        name: 'session.ended',
        userId: ada.id,
        sessionId: held[i]!.session.id,
        why: 'signed_out',
      }));
      expect(events).toHaveLength(expected.length);
      expect(events).toEqual(expect.arrayContaining(expected));
      for (const [i, tokens] of held.entries())
        if (ended.includes(i)) expect(await worth(ask, tokens)).toBe(OUT);
        else expect((await ask('GET', '/me', { token: tokens.accessToken })).status).toBe(200);
      expect(await worth(ask, stranger.tokens)).toBe(IN);
    },
  );

  it('needs no body (V-01)', async () => {
    const { ada, held } = await devices();
    await expectSignedOut({ token: ada.token });
    expect(await worths(ask, held)).toEqual([OUT, IN, IN]);
  });

  it('ends both sessions when the two tokens are of two', async () => {
    const { held } = await devices();
    await expectSignedOut({
      token: held[0].accessToken,
      body: { refreshToken: held[1].refreshToken },
    });
    expect(await worths(ask, held)).toEqual([OUT, OUT, IN]);
    const [ada, bob] = [await devices(), await devices()];
    await expectSignedOut({
      token: ada.ada.token,
      body: { refreshToken: bob.held[0].refreshToken, scope: 'all' },
    });
    expect(await worths(ask, [...ada.held, ...bob.held])).toEqual(Array(6).fill(OUT));
  });

  it('ends every successor of a token, too', async () => {
    const { ada } = await devices();
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: ada.tokens.refreshToken },
    });
    await expectSignedOut({ body: { refreshToken: ada.tokens.refreshToken } });
    expect(await worth(ask, body)).toBe(OUT);
  });

  it('emits one event a session when 20 sign out at once', async () => {
    const { ada, held } = await devices();
    const asked = Array.from({ length: 20 }, () =>
      ask('POST', '/auth/logout', { token: ada.token, body: { scope: 'all' } }),
    );
    for (const { status } of await Promise.all(asked)) expect(status).toBe(204);
    expect(events).toHaveLength(3);
    expect(await worths(ask, held)).toEqual([OUT, OUT, OUT]);
  });
});
