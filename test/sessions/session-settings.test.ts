import { afterEach, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { setTime } from '#test/support/clock';

const limits = {
  REFRESH_IDLE: '3600',
  REFRESH_ABSOLUTE: '7200',
  REFRESH_IDLE_MOBILE: '5400',
  REFRESH_ABSOLUTE_MOBILE: '9000',
};
const { ctx, ask, register, Session } = await startApp(limits);

const start = Math.floor(Date.now() / 1000) * 1000;
const at = (seconds: number) => setTime(ctx, start + seconds * 1000);
afterEach(() => {
  vi.useRealTimers();
});

const refresh = (refreshToken: string) => ask('POST', '/auth/refresh', { body: { refreshToken } });
const expired = {
  status: 400,
  body: { code: 'invalid_grant', reason: 'expired', sessionStatus: 'ended' },
};

it.each([
  { kind: 'web', idle: 3600, absolute: 7200 },
  { kind: 'desktop', idle: 3600, absolute: 7200 },
  { kind: 'other', idle: 3600, absolute: 7200 },
  { kind: 'mobile', idle: 5400, absolute: 9000 },
])(
  'limit a session of kind $kind to $idle s and $absolute s (R-08)',
  async ({ kind, idle, absolute }) => {
    at(0);
    const { tokens } = await register({ device: { kind } });
    expect(tokens.refreshExpiresIn).toBe(idle);
    at(idle);
    expect(await refresh(tokens.refreshToken)).toMatchObject(expired);
    at(idle - 1);
    const { body } = await refresh(tokens.refreshToken);
    expect(body.refreshExpiresIn).toBe(Math.min(idle, absolute - idle + 1));
    at(absolute - 2);
    const last = (await refresh(body.refreshToken)).body;
    expect(last.refreshExpiresIn).toBe(2);
    at(absolute);
    expect(await refresh(last.refreshToken)).toMatchObject(expired);
    expect((await ask('GET', '/me', { token: last.accessToken })).body.code).toBe('session_ended');
  },
);

it('limit what was started under more generous ones', async () => {
  at(0);
  const { tokens } = await register();
  const days = (n: number) => new Date(start + n * 86_400_000);
  await Session.update({ expiresAt: days(14) }, { where: { id: tokens.session.id } });
  at(7200);
  expect(await refresh(tokens.refreshToken)).toMatchObject(expired);
  at(7199);
  expect((await refresh(tokens.refreshToken)).body.refreshExpiresIn).toBe(1);
});
