import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EventMap } from '#src/events';
import { signingKey } from '#src/keys/keyring';
import { proveAgain } from '#src/sessions/reauthenticate';
import type { Principal } from '#src/users/principal';
import { password, startApp } from '#test/support/app';
import { DAY, SECOND, wait } from '#test/support/clock';
import { ecdsa, forge, read } from '#test/support/forge';
import { folderOf } from '#test/support/strategy-folder';

/** A strategy of kind login that lets in whoever says a name. */
const trusting = (name: string, amr = '') => `export default {
  name: '${name}', kind: 'login', summary: 'Believes everybody', ${amr}
  credentials: (await import('zod')).z.strictObject({ username: (await import('zod')).z.string() }),
  create: ({ auth }) => ({ authenticate(req) { auth.users.find(req.body.username).then((user) => this.success(user)); } }) };`;

const STRATEGIES_DIR = folderOf({
  'says-nothing.js': trusting('says-nothing'),
  'sms.js': trusting('sms', "amr: ['sms'],"),
  'two.js': trusting('two', "amr: ['hwk', 'user'],"),
  'key.js': trusting('key', "amr: ['hwk'],"),
  'checked.js': trusting('checked', "amr: ['otp', 'mfa'],"),
});
const { ctx, auth, ask, register, logIn, Session } = await startApp({ STRATEGIES_DIR });
afterEach(() => void vi.useRealTimers());

type Heard = { [N in keyof EventMap]: { name: N } & EventMap[N] }[keyof EventMap];
const heard: Heard[] = [];
ctx.events.onAny((name, event) => void heard.push({ name, ...event } as Heard));
const lastEvent = (name: Heard['name']) => heard.findLast((each) => each.name === name);

const claimsOf = (token: string) => {
  const { amr, acr, auth_time: authTime } = read(token).claims;
  return { amr, acr, authTime };
};
const seconds = (time: string) => Math.floor(Date.parse(time) / 1000);
const refresh = async (refreshToken: string) =>
  (await ask('POST', '/auth/refresh', { body: { refreshToken } })).body;

/** Who the token stands for, as a guard sees them. */
const principalOf = async (token: string): Promise<Principal> =>
  auth.sessions.resume(await auth.sessions.verifyAccessToken(token));

describe('how a session was proved', () => {
  it.each([
    ['local', ['pwd'], 'aal1'],
    ['says-nothing', ['pwd'], 'aal1'],
    ['sms', ['sms'], 'aal1'],
    ['key', ['hwk'], 'aal1'],
    ['two', ['hwk', 'user'], 'aal2'],
    ['checked', ['otp', 'mfa'], 'aal2'],
  ])('is told by tokens, list, event and principal: %s', async (strategy, amr, acr) => {
    const { username } = await register();
    const { status, body, text } =
      strategy === 'local'
        ? await logIn(username)
        : await ask('POST', `/auth/${strategy}`, { body: { username } });
    expect(status, text).toBe(200);
    const { session, accessToken: token } = body;
    const { createdAt: authTime } = session;
    expect(session).toMatchObject({ strategy, amr, acr, authTime });
    expect(claimsOf(token)).toEqual({ amr, acr, authTime: seconds(authTime) });
    const { body: list } = await ask('GET', '/me/sessions', { token });
    expect(list.data[0]).toMatchObject({ id: session.id, amr, acr, authTime });
    const event = lastEvent('session.started');
    expect(event).toMatchObject({ sessionId: session.id, amr, acr, authTime: new Date(authTime) });
    const time = Date.parse(authTime) / 1000;
    const aal2Time = acr === 'aal2' ? time : null;
    expect((await principalOf(token)).session).toMatchObject({
      amr,
      acr,
      authTime: time,
      aal2Time,
    });
  });

  it('is a password for who has just registered', async () => {
    const { tokens } = await register();
    expect(tokens.session).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
  });
});

describe('a refresh', () => {
  it('neither raises nor renews it', async () => {
    const { username } = await register();
    const { body } = await ask('POST', '/auth/two', { body: { username } });
    let { refreshToken } = body;
    for (let i = 0; i < 3; i++) {
      wait(DAY);
      const next = await refresh(refreshToken);
      const { amr, acr, authTime } = body.session;
      expect(next.session).toMatchObject({ amr, acr, authTime });
      expect(claimsOf(next.accessToken)).toEqual(claimsOf(body.accessToken));
      ({ refreshToken } = next);
    }
  });

  it('tells what was proved again since', async () => {
    const me = await register();
    wait(300 * SECOND);
    const proof = { body: { password } };
    expect((await me.ask('POST', '/auth/reauthenticate', proof)).status).toBe(204);
    const event = lastEvent('session.reauthenticated');
    expect(event).toMatchObject({ userId: me.id, sessionId: me.tokens.session.id, amr: ['pwd'] });
    const { session, accessToken } = await refresh(me.tokens.refreshToken);
    expect(session).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
    expect(Date.parse(session.authTime) - Date.parse(session.createdAt)).toBeGreaterThanOrEqual(
      300 * SECOND,
    );
    expect(claimsOf(accessToken).authTime).toBe(seconds(session.authTime));
  });
});

describe('who proves more in a session', () => {
  it('makes it aal2 from the next request on, and its methods grow, each once', async () => {
    const me = await register();
    await proveAgain(ctx, await principalOf(me.token), ['otp', 'mfa']);
    expect(lastEvent('session.reauthenticated')).toMatchObject({
      sessionId: me.tokens.session.id,
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
    });
    expect((await principalOf(me.token)).session).toMatchObject({
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
      aal2Time: expect.any(Number),
    });
    await proveAgain(ctx, await principalOf(me.token), ['pwd', 'otp', 'mfa']);
    expect((await principalOf(me.token)).session!.amr).toEqual(['pwd', 'otp', 'mfa']);
  });

  it('by one factor alone renews only what that factor proves', async () => {
    const me = await register();
    await proveAgain(ctx, await principalOf(me.token), ['otp', 'mfa']);
    const before = (await principalOf(me.token)).session!;
    wait(10 * SECOND);
    await proveAgain(ctx, await principalOf(me.token), ['pwd']);
    const after = (await principalOf(me.token)).session!;
    expect(after).toMatchObject({ acr: 'aal2', aal2Time: before.aal2Time });
    expect(after.authTime).toBeGreaterThan(before.authTime);
    const { session } = await refresh(me.tokens.refreshToken);
    expect(Date.parse(session.authTime) / 1000).toBe(before.aal2Time);
  });

  it('loses none of what is proved at the same time', async () => {
    const me = await register();
    const principal = await principalOf(me.token);
    const methods = [['otp', 'mfa'], ['pwd'], ['sms'], ['hwk']];
    await Promise.all(methods.map((amr) => proveAgain(ctx, principal, amr)));
    const { session } = await principalOf(me.token);
    expect(session!.acr).toBe('aal2');
    expect([...session!.amr].sort()).toEqual(['hwk', 'mfa', 'otp', 'pwd', 'sms']);
  });

  it('does it for that session only, and not for one that has ended', async () => {
    const me = await register();
    const other = (await logIn(me.username)).body.accessToken as string;
    const principal = await principalOf(me.token);
    await proveAgain(ctx, principal, ['otp', 'mfa']);
    expect((await principalOf(other)).session!.acr).toBe('aal1');
    await me.ask('POST', '/auth/logout');
    await expect(proveAgain(ctx, principal, ['otp', 'mfa'])).rejects.toMatchObject({
      code: 'session_ended',
    });
  });

  it('is asked anew after a role was granted, but the session stays what its sign-in proved', async () => {
    const me = await register();
    const started = Date.parse(me.tokens.session.createdAt);
    wait(10 * SECOND);
    await proveAgain(ctx, await principalOf(me.token), ['otp', 'mfa']);
    await auth.roles.grant(me.username, 'moderator');
    const { session } = await principalOf(me.token);
    const time = started / 1000;
    expect(session).toMatchObject({ acr: 'aal2', authTime: time, aal2Time: time });
  });

  it('keeps it over a new password, which proves nothing of a second factor anew', async () => {
    const me = await register();
    await proveAgain(ctx, await principalOf(me.token), ['otp', 'mfa']);
    const { aal2Time } = (await principalOf(me.token)).session!;
    wait(10 * SECOND);
    const { status, body, text } = await me.ask('PUT', '/me/password', {
      body: { currentPassword: password, newPassword: 'another battery staple' },
    });
    expect(status, text).toBe(200);
    expect(body.session).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
    const after = (await principalOf(body.accessToken)).session!;
    expect(after).toMatchObject({ acr: 'aal2', aal2Time });
    expect(after.authTime).toBeGreaterThan(aal2Time!);
  });
});

describe('a session from before this was stored', () => {
  it('is aal1, has no methods, and goes on', async () => {
    const me = await register();
    await Session.update({ amr: '', aal2At: null }, { where: { userId: me.id } });
    const { session, accessToken } = await refresh(me.tokens.refreshToken);
    expect(session).toMatchObject({ amr: [], acr: 'aal1', authTime: session.createdAt });
    expect(claimsOf(accessToken)).toMatchObject({ amr: [], acr: 'aal1' });
    expect((await ask('GET', '/me', { token: accessToken })).status).toBe(200);
  });
});

describe('an access token', () => {
  const signer = () => ecdsa(signingKey(ctx).signWith);

  it('of a former release, without these claims, opens what it opened', async () => {
    const { token, id } = await register();
    const { header, claims } = read(token);
    const { amr: _1, acr: _2, auth_time: _3, ...former } = claims;
    const { status, body } = await ask('GET', '/me', { token: forge(header, former, signer()) });
    expect([status, body.id]).toEqual([200, id]);
  });

  it('is not believed what it says of its proof: the session counts', async () => {
    const { token } = await register();
    const { header, claims } = read(token);
    const boasting = forge(header, { ...claims, amr: ['mfa'], acr: 'aal2' }, signer());
    expect((await principalOf(boasting)).session).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
  });

  it.each([
    ['acr', ['aal3', '', 2, ['aal2'], null, {}]],
    ['amr', ['pwd', [1], [['pwd']], null, {}]],
    ['auth_time', ['1', -1, 1.5, null, [1]]],
  ])(
    'with another kind of %s than ours is refused, although we signed it',
    async (name, values) => {
      const { token } = await register();
      const { header, claims } = read(token);
      for (const value of values) {
        const forged = forge(header, { ...claims, [name]: value }, signer());
        expect((await ask('GET', '/me', { token: forged })).body.code).toBe('token_invalid');
      }
    },
  );
});
