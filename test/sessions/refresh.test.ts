import { afterEach, describe, expect, it, vi } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { password, startApp } from '#test/support/app';
import { DAY, SECOND, wait } from '#test/support/clock';
import { read } from '#test/support/forge';

const { ctx, ask, auth, register, logIn, Role, Session, User } = await startApp();
afterEach(() => void vi.useRealTimers());

const refresh = (refreshToken: string, headers: Record<string, string> = {}) =>
  ask('POST', '/auth/refresh', { body: { refreshToken }, headers });
const rowOf = async ({ session }: { session: { id: string } }) =>
  (await Session.findByPk(session.id))!;
const status = async (token: string) => (await ask('GET', '/me', { token })).status;
const refusal = (reason: string) => ({
  status: 400,
  body: { code: 'invalid_grant', reason, sessionStatus: 'ended', action: 'sign_in' },
});

describe('POST /auth/refresh refuses', () => {
  it('what belongs to a session that has ended, however it did, and says so every time', async () => {
    const endings = [
      async ({ ask }: typeof ada, id: string) => ask('DELETE', `/me/sessions/${id}`),
      async ({ ask }: typeof ada) => ask('POST', '/auth/logout', { body: {} }),
      async ({ ask }: typeof ada) =>
        ask('PUT', '/me/password', {
          body: { currentPassword: password, newPassword: 'wrong horse battery' },
        }),
    ];
    let ada = await register();
    for (const end of endings) {
      ada = await register();
      expect((await end(ada, ada.tokens.session.id)).status).toBeLessThan(300);
      for (let i = 0; i < 2; i++)
        expect(await refresh(ada.tokens.refreshToken)).toMatchObject(refusal('revoked'));
      expect(await rowOf(ada.tokens)).toMatchObject({ generation: 0 });
    }
  });

  it('what belongs to a user who is disabled, for good, and to one who is gone (R-16)', async () => {
    const [ada, bob] = [await register(), await register()];
    await auth.users.disable(ada.id);
    expect(await refresh(ada.tokens.refreshToken)).toMatchObject(refusal('revoked'));
    await auth.users.enable(ada.id);
    expect(await refresh(ada.tokens.refreshToken)).toMatchObject(refusal('revoked'));
    expect((await bob.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
    expect(await refresh(bob.tokens.refreshToken)).toMatchObject(refusal('revoked'));
  });

  it('a user who is disabled, also where their sessions were left alone', async () => {
    const ada = await register();
    await User.update({ disabledAt: ctx.clock.date() }, { where: { id: ada.id } });
    expect(await refresh(ada.tokens.refreshToken)).toMatchObject(refusal('revoked'));
    expect(await rowOf(ada.tokens)).toMatchObject({ generation: 0 });
  });

  it('what was not refreshed for 14 days, and nothing a second before', async () => {
    const [ada, bob] = [await register(), await register()];
    wait(Date.parse(ada.tokens.session.expiresAt) - ctx.clock.now() - SECOND);
    expect((await refresh(ada.tokens.refreshToken)).status).toBe(200);
    wait(Date.parse(bob.tokens.session.expiresAt) - ctx.clock.now());
    expect(await refresh(bob.tokens.refreshToken)).toMatchObject(refusal('expired'));
    expect(await rowOf(bob.tokens)).toMatchObject({ generation: 0, endedAt: null });
  });

  it('an old token of a session that is expired, without taking it for stolen', async () => {
    const ada = await register();
    await refresh((await refresh(ada.tokens.refreshToken)).body.refreshToken);
    wait(14 * DAY + SECOND);
    expect(await refresh(ada.tokens.refreshToken)).toMatchObject(refusal('expired'));
    expect(await rowOf(ada.tokens)).toMatchObject({ endedAt: null });
  });

  it('what was begun 90 days ago, however often it was refreshed', async () => {
    const { tokens } = await register();
    const end = Date.parse(tokens.session.createdAt) + 90 * DAY;
    let token: string = tokens.refreshToken;
    for (let day = 0; day < 78; day += 13) {
      wait(13 * DAY);
      const { body } = await refresh(token);
      expect(Date.parse(body.session.expiresAt)).toBe(Math.min(ctx.clock.now() + 14 * DAY, end));
      token = body.refreshToken;
    }
    wait(end - ctx.clock.now() - SECOND);
    const last = await refresh(token);
    expect(last.body).toMatchObject({
      refreshExpiresIn: 1,
      session: { expiresAt: new Date(end).toISOString() },
    });
    wait(SECOND);
    expect(await refresh(last.body.refreshToken)).toMatchObject(refusal('expired'));
    expect(await status(last.body.accessToken)).toBe(401);
  });
});

describe('POST /auth/refresh', () => {
  it('answers new tokens of the same session, one generation on (R-01)', async () => {
    const { tokens } = await register();
    let before = tokens;
    for (let generation = 1; generation <= 3; generation++) {
      wait(10 * SECOND);
      const { status, body } = await refresh(before.refreshToken);
      expect(status).toBe(200);
      expect(Object.keys(body)).toEqual(Object.keys(tokens));
      expect(body).toMatchObject({
        tokenType: 'Bearer',
        expiresIn: 600,
        refreshExpiresIn: 14 * 24 * 3600,
        user: tokens.user,
      });
      expect(body.session).toEqual({
        ...tokens.session,
        expiresAt: ctx.clock.date(14 * DAY).toISOString(),
      });
      expect(body.refreshToken).not.toBe(before.refreshToken);
      const { claims } = read(body.accessToken);
      const former = read(before.accessToken).claims;
      expect(claims).toMatchObject({
        sub: tokens.user.id,
        sid: tokens.session.id,
        gen: generation,
        iat: Math.floor(ctx.clock.now() / 1000),
      });
      expect(claims['jti']).not.toBe(former['jti']);
      const { rotatedAt, ...row } = (await rowOf(tokens)).get();
      expect(row).toMatchObject({
        generation,
        acknowledged: false,
        lastSeenAt: ctx.clock.date(),
        expiresAt: new Date(body.session.expiresAt),
      });
      expect(rotatedAt).toEqual(ctx.clock.date());
      before = body;
    }
    expect(await Session.count({ where: { userId: tokens.user.id } })).toBe(1);
  });

  it('leaves access tokens of former generations good until they expire', async () => {
    const { tokens } = await register();
    const { body } = await refresh(tokens.refreshToken);
    expect([await status(tokens.accessToken), await status(body.accessToken)]).toEqual([200, 200]);
    wait(601 * SECOND);
    expect([await status(tokens.accessToken), await status(body.accessToken)]).toEqual([401, 401]);
    expect((await refresh(body.refreshToken)).status).toBe(200);
  });

  it('reads names and roles anew (R-17)', async () => {
    const ada = await register();
    const [user, role] = [
      (await User.findByPk(ada.id))!,
      (await Role.findOne({ where: { name: 'moderator' } }))!,
    ];
    await grantRole(ctx, user, role);
    await ada.ask('PATCH', '/me', { body: { name: 'Ada' } });
    const promoted = await refresh(ada.tokens.refreshToken);
    expect(promoted.body.user).toMatchObject({ name: 'Ada', roles: ['moderator', 'user'] });
    await revokeRole(ctx, user, role);
    expect((await refresh(promoted.body.refreshToken)).body.user.roles).toEqual(['user']);
    expect((await refresh(promoted.body.refreshToken)).body.user.roles).toEqual(['user']);
  });

  it('goes by the token in the body alone: a user in the header changes nothing (R-13)', async () => {
    const [ada, bob, eve] = [await register(), await register(), await register()];
    await eve.ask('POST', '/auth/logout', { body: {} });
    const headers = [
      `Bearer ${bob.token}`,
      `Bearer ${bob.tokens.refreshToken}`,
      `Bearer ${eve.token}`,
      'Bearer',
      'Bearer a b',
      'Basic YTpi',
    ];
    let token: string = ada.tokens.refreshToken;
    for (const authorization of headers) {
      const { status, body } = await refresh(token, {
        authorization,
        cookie: `refreshToken=${bob.tokens.refreshToken}`,
      });
      expect([status, body.user.id, body.session.id]).toEqual([200, ada.id, ada.tokens.session.id]);
      token = body.refreshToken;
    }
    expect(await rowOf(ada.tokens)).toMatchObject({ generation: headers.length });
    expect(await rowOf(bob.tokens)).toMatchObject({ generation: 0, lastSeenAt: null });
    expect(
      await refresh(eve.tokens.refreshToken, { authorization: `Bearer ${ada.token}` }),
    ).toMatchObject(refusal('revoked'));
  });

  it('leaves the other sessions of the user as they are', async () => {
    const ada = await register();
    const other = (await logIn(ada.username)).body;
    const before = (await rowOf(other)).get();
    const { body } = await refresh(ada.tokens.refreshToken);
    await refresh(body.refreshToken);
    expect((await rowOf(other)).get()).toEqual(before);
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  it('notes where it was refreshed from, and cuts a user agent of any length', async () => {
    const { tokens } = await register();
    const { body } = await refresh(tokens.refreshToken, { 'user-agent': 'ua-'.padEnd(5000, 'x') });
    expect(await rowOf(tokens)).toMatchObject({
      userAgent: 'ua-'.padEnd(255, 'x'),
      ip: '127.0.0.1',
    });
    await refresh(tokens.refreshToken, { 'user-agent': 'a retry' });
    expect((await rowOf(tokens)).userAgent).toMatch(/^ua-/);
    await refresh(body.refreshToken, { 'user-agent': 'a successor' });
    expect((await rowOf(tokens)).userAgent).toBe('a successor');
  });
});
