import { afterEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { setTime } from '#test/support/clock';
import { IN, OUT, worth, type Tokens } from '#test/support/worth';

const { ctx, ask, register, logIn, Session } = await startApp();

const DAY = 86_400;
const start = Math.floor(Date.now() / 1000) * 1000;
const at = (seconds: number) => setTime(ctx, start + seconds * 1000);
afterEach(() => {
  vi.useRealTimers();
});

const refresh = (refreshToken: string) => ask('POST', '/auth/refresh', { body: { refreshToken } });
const expired = {
  status: 400,
  body: { code: 'invalid_grant', reason: 'expired', sessionStatus: 'ended', action: 'sign_in' },
};
const live = (userId: string) =>
  Session.count({ where: { userId, ...Session.live(ctx.clock.date()) } });

describe.each([
  { kind: 'web', idle: 14, absolute: 90 },
  { kind: undefined, idle: 14, absolute: 90 },
  { kind: 'mobile', idle: 60, absolute: 365 },
])('a session of kind $kind', ({ kind, idle, absolute }) => {
  const enter = async () => {
    at(0);
    return register(kind ? { device: { kind } } : {});
  };

  it(`ends when it is not refreshed for ${idle} days: at that very moment, and not before (R-08)`, async () => {
    const { tokens, ask: as } = await enter();
    expect(tokens).toMatchObject({
      refreshExpiresIn: idle * DAY,
      session: { expiresAt: new Date(start + idle * DAY * 1000).toISOString() },
    });
    at(idle * DAY);
    for (let i = 0; i < 2; i++) expect(await refresh(tokens.refreshToken)).toMatchObject(expired);
    at(idle * DAY - 0.001);
    const { status, body } = await refresh(tokens.refreshToken);
    expect(status).toBe(200);
    expect(body.refreshExpiresIn).toBe(idle * DAY);
    expect((await as('GET', '/me', { token: body.accessToken })).status).toBe(200);
    at(2 * idle * DAY - 0.001);
    expect(await refresh(body.refreshToken)).toMatchObject(expired);
  });

  it(`ends after ${absolute} days though it is refreshed all the time (R-08)`, async () => {
    let { tokens } = await enter();
    const { createdAt } = tokens.session;
    const step = Math.floor(idle * 0.7);
    for (let day = step; day < absolute; day += step) {
      at(day * DAY);
      const { status, body } = await refresh(tokens.refreshToken);
      expect(status, `on day ${day}`).toBe(200);
      expect(body.session.createdAt).toBe(createdAt);
      expect(body.refreshExpiresIn).toBe(Math.min(idle, absolute - day) * DAY);
      tokens = body;
    }
    at(absolute * DAY - 0.001);
    const last = await refresh(tokens.refreshToken);
    expect(last).toMatchObject({
      status: 200,
      body: { session: { expiresAt: new Date(start + absolute * DAY * 1000).toISOString() } },
    });
    expect((await ask('GET', '/me', { token: last.body.accessToken })).status).toBe(200);
    at(absolute * DAY);
    expect(await refresh(last.body.refreshToken)).toMatchObject(expired);
    expect(await ask('GET', '/me', { token: last.body.accessToken })).toMatchObject({
      status: 401,
      body: { code: 'session_ended' },
    });
  });
});

it('is not kept alive by requests: only by refreshing (R-08)', async () => {
  at(0);
  const ada = await register();
  at(300);
  expect((await ada.ask('GET', '/me')).status).toBe(200);
  at(14 * DAY);
  expect(await refresh(ada.tokens.refreshToken)).toMatchObject(expired);
});

it('cannot be woken by its access token, nor by signing in again', async () => {
  at(0);
  const ada = await register();
  await Session.update({ expiresAt: new Date(start + 60_000) }, { where: { userId: ada.id } });
  at(59.999);
  expect((await ada.ask('GET', '/me')).status).toBe(200);
  at(60);
  expect((await logIn(ada.username)).status).toBe(200);
  expect((await ada.ask('GET', '/me')).body.code).toBe('session_ended');
  expect(await refresh(ada.tokens.refreshToken)).toMatchObject(expired);
});

describe('at most ten sessions', () => {
  const fill = async (times: number) => {
    const ada = await register();
    const held = [ada.tokens as Tokens];
    while (held.length < times) held.push((await logIn(ada.username)).body);
    return { ada, held };
  };

  it('of a user live: the oldest is replaced, and an event says why (R-22)', async () => {
    const events: unknown[] = [];
    const stop = ctx.events.on('session.ended', (event) => events.push(event));
    const { ada, held } = await fill(10);
    const bob = await register();
    expect(events).toEqual([]);
    expect(await live(ada.id)).toBe(10);
    for (const { accessToken: token } of held)
      expect((await ask('GET', '/me', { token })).status).toBe(200);
    held.push((await logIn(ada.username)).body);
    stop();
    expect(events).toEqual([{ userId: ada.id, sessionId: held[0]!.session.id, why: 'replaced' }]);
    expect(await live(ada.id)).toBe(10);
    expect(await worth(ask, held[0]!)).toBe(OUT);
    for (const tokens of [...held.slice(1), bob.tokens]) expect(await worth(ask, tokens)).toBe(IN);
  });

  it('of a user live, though 20 sign in at once (R-22)', async () => {
    const ada = await register();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        ask('POST', '/auth/login', { body: { username: ada.username, password } }),
      ),
    );
    const entered = answers.filter(({ status }) => status === 200);
    // A busy machine may refuse some.
    for (const { status, text } of answers) expect([200, 503], text).toContain(status);
    expect(entered.length).toBeGreaterThanOrEqual(10);
    expect(await live(ada.id)).toBe(10);
    const seen = await Promise.all(
      entered.map(({ body }) => ask('GET', '/me', { token: body.accessToken })),
    );
    expect(seen.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(seen.filter(({ body }) => body.code === 'session_ended')).toHaveLength(
      entered.length - 10,
    );
    expect((await ada.ask('GET', '/me')).status).toBe(401);
  });

  it('do not count what has ended', async () => {
    const { ada, held } = await fill(10);
    for (const { accessToken: token } of held.slice(4, 7))
      await ask('POST', '/auth/logout', { token });
    for (let i = 0; i < 3; i++) held.push((await logIn(ada.username)).body);
    expect(await live(ada.id)).toBe(10);
    for (const tokens of [held[0]!, held[9]!, held[12]!]) expect(await worth(ask, tokens)).toBe(IN);
  });

  it('do not count what has expired', async () => {
    at(0);
    const { ada, held } = await fill(10);
    at(13 * DAY);
    for (const { refreshToken } of held.slice(0, 2))
      expect((await refresh(refreshToken)).status).toBe(200);
    at(14 * DAY);
    expect(await live(ada.id)).toBe(2);
    for (let i = 0; i < 8; i++) await logIn(ada.username);
    expect(await live(ada.id)).toBe(10);
    expect((await refresh(held[0]!.refreshToken)).body.reason).not.toBe('revoked');
    await logIn(ada.username);
    expect(await live(ada.id)).toBe(10);
    expect((await Session.findByPk(held[0]!.session.id))!.endedAt).not.toBeNull();
    expect((await Session.findByPk(held[1]!.session.id))!.endedAt).toBeNull();
    expect((await Session.findByPk(held[2]!.session.id))!.endedAt).toBeNull();
  });
});
