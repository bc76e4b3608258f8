import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EventMap } from '#src/events';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { startLimited, times } from '#test/support/limited';
import { addApp, STEP_MS, totpCode } from '#test/support/second-factor';

const app = await startApp({ API_KEYS: 'on', BASIC_AUTH: 'on' });
const { ctx, ask, auth, register, Factor, Session, RecoveryCode } = app;
afterEach(() => void vi.useRealTimers());
const MINUTE = 60 * SECOND;

const heard: EventMap['session.reauthenticated'][] = [];
ctx.events.on('session.reauthenticated', (event) => void heard.push(event));

/** A user with an authenticator app, and a session of theirs that began with the password only, before that. */
async function withFactor() {
  const me = await register();
  const other = (await app.logIn(me.username)).body;
  const added = await addApp(ctx, me);
  const { lastStep } = (await Factor.findByPk(added.factorId))!;
  const spent = totpCode(added.secret, lastStep! * STEP_MS);
  return { ...me, ...added, spent, other };
}
type Owner = Awaited<ReturnType<typeof withFactor>>;
const proves = (token: string, body: object) =>
  ask('POST', '/auth/reauthenticate', { token, body });
const sessionOf = async (token: string) => (await ask('GET', '/me/sessions', { token })).body.data;
const current = async (token: string) =>
  (await sessionOf(token)).find(({ current: own }: { current: boolean }) => own);
const changes = (token: string) => ask('POST', '/me/factors/recovery-codes', { token });
const wrongCode = ({ secret }: Owner) => totpCode(secret, ctx.clock.now(), 1000);

describe('POST /auth/reauthenticate', () => {
  it.each<[what: string, body: (me: Owner) => object, amr: string[]]>([
    ['a code', (me) => ({ code: me.code() }), ['pwd', 'otp', 'mfa']],
    ['a recovery code', (me) => ({ recoveryCode: me.recoveryCodes[0] }), ['pwd', 'otp', 'mfa']],
    ['password and code', (me) => ({ password, code: me.code() }), ['pwd', 'otp', 'mfa']],
  ])('makes the session aal2 with %s, and no other one', async (_what, body, amr) => {
    const me = await withFactor();
    const third = (await auth.sessions.list(me.username)).length;
    expect(await current(me.other.accessToken)).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
    const answer = await proves(me.other.accessToken, body(me));
    expect(answer.status, answer.text).toBe(204);
    const session = await current(me.other.accessToken);
    expect(session).toMatchObject({ amr, acr: 'aal2' });
    expect(heard.at(-1)).toMatchObject({ sessionId: session.id, amr, acr: 'aal2' });
    expect((await auth.sessions.list(me.username)).length).toBe(third);
    const { body: next } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: me.other.refreshToken },
    });
    expect(next.session).toMatchObject({ id: session.id, amr, acr: 'aal2' });
  });

  it('keeps it aal1 with the password alone, and says so', async () => {
    const me = await withFactor();
    expect((await proves(me.other.accessToken, { password })).status).toBe(204);
    expect(await current(me.other.accessToken)).toMatchObject({ amr: ['pwd'], acr: 'aal1' });
  });

  it.each<[what: string, body: (me: Owner) => object]>([
    ['a wrong code', (me) => ({ code: wrongCode(me) })],
    ['the code that enrolled it', (me) => ({ code: me.spent })],
    ['a wrong recovery code', () => ({ recoveryCode: '0000-0000-0000-0000' })],
    ['a right code and a wrong password', (me) => ({ password: 'no', code: me.code() })],
    ['a wrong code and the right password', (me) => ({ password, code: wrongCode(me) })],
  ])('refuses %s, and changes nothing', async (_what, body) => {
    const me = await withFactor();
    const before = await Session.findByPk(me.other.session.id, { raw: true });
    const answer = await proves(me.other.accessToken, body(me));
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_credentials']);
    const after = await Session.findByPk(me.other.session.id, { raw: true });
    for (const name of ['amr', 'aal2At', 'authenticatedAt'] as const)
      expect(after![name]).toEqual(before![name]);
    expect((await proves(me.other.accessToken, { code: me.code() })).status).toBe(204); // not spent
  });

  it('takes no code of somebody else, and none of a user without a factor', async () => {
    const [ada, bob] = [await withFactor(), await withFactor()];
    const stranger = await register();
    for (const token of [bob.other.accessToken, stranger.token])
      for (const body of [{ code: ada.code() }, { recoveryCode: ada.recoveryCodes[0] }])
        expect((await proves(token, body)).body.code).toBe('invalid_credentials');
    expect(await RecoveryCode.count({ where: { userId: ada.id } })).toBe(10);
    expect((await proves(ada.other.accessToken, { code: ada.code() })).status).toBe(204);
  });

  it('takes a code once, of twenty at the same time', async () => {
    const me = await withFactor();
    const code = me.code();
    const attempts = Array.from({ length: 20 }, () => proves(me.other.accessToken, { code }));
    const answers = await Promise.all(attempts);
    expect(statusesOf(answers)).toEqual([204, ...Array.from({ length: 19 }, () => 401)]);
    expect((await app.logIn(me.username)).body.code).toBe('mfa_required');
  });

  it.each([
    {},
    { code: '' },
    { code: '12345' },
    { code: ['287082'] },
    { code: 287082 },
    { code: null },
    { code: '287082', recoveryCode: '0000-0000-0000-0000' },
    { password, code: '287082', recoveryCode: '0000-0000-0000-0000' },
    { password: '', code: '287082' },
    { credential: {}, code: '287082' },
    { surplus: 1, code: '287082' },
  ])('refuses %j as a request', async (body) => {
    const me = await register();
    expect((await proves(me.token, body)).body.code).toBe('invalid_request');
  });

  it('is for a session: not with an API key, not with Basic, not for a stranger', async () => {
    const me = await register();
    const { body } = await me.ask('POST', '/me/api-keys', { body: { name: 'robot' } });
    const basic = Buffer.from(`${me.username}:${password}`).toString('base64');
    for (const path of ['/auth/reauthenticate', '/auth/reauthenticate/options']) {
      const asked = { ...(path.endsWith('e') && { body: { password } }) };
      for (const headers of [{ 'x-api-key': body.key }, { authorization: `Basic ${basic}` }])
        expect((await ask('POST', path, { ...asked, headers })).body.code).toBe('forbidden');
      expect((await ask('POST', path, asked)).body.code).toBe('token_missing');
    }
  });

  it('has no options where codes are all that a user has', async () => {
    const me = await withFactor();
    const answer = await ask('POST', '/auth/reauthenticate/options', { token: me.token });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });
});

describe('routes about factors', () => {
  const tried: [method: string, path: string, body?: object][] = [
    ['POST', '/me/factors/totp', {}],
    ['POST', '/me/factors/totp/:id/confirm', { code: '287082' }],
    ['PATCH', '/me/factors/:id', { name: 'x' }],
    ['DELETE', '/me/factors/:id'],
    ['POST', '/me/factors/recovery-codes'],
  ];
  const trying = ([method, path, body]: (typeof tried)[number], id: string, question: object) =>
    ask(method, path.replace(':id', id), { ...(body && { body }), ...question });
  const challengeOf = ({ headers }: { headers: Headers }) => headers.get('www-authenticate');

  it.each(tried)('want a fresh sign-in of who has none: %s %s (M-08)', async (...route) => {
    const me = await register();
    await Session.update(
      { createdAt: ctx.clock.date(-61 * MINUTE) },
      { where: { userId: me.id }, silent: true },
    );
    const answer = await trying(route, me.id, { token: me.token });
    expect([answer.status, answer.body.code]).toEqual([403, 'step_up_required']);
    expect(challengeOf(answer)).toBe(
      'Bearer error="insufficient_user_authentication", max_age="3600"',
    );
    expect(await proves(me.token, { password })).toMatchObject({ status: 204 });
    expect((await trying(route, me.id, { token: me.token })).status).not.toBe(403);
  });

  it.each(tried)('want two factors of who has one: %s %s (M-08, M-18)', async (...route) => {
    const me = await withFactor();
    const token = me.other.accessToken;
    const asked = () => trying(route, me.factorId, { token });
    const wants =
      'Bearer error="insufficient_user_authentication", acr_values="aal2", max_age="3600"';
    expect(challengeOf(await asked())).toBe(wants);
    expect((await proves(token, { password })).status).toBe(204);
    const { status, body } = await asked();
    expect([status, body.code, body.acrValues]).toEqual([403, 'step_up_required', ['aal2']]);
    expect((await proves(token, { code: me.code() })).status).toBe(204);
    expect((await asked()).status).not.toBe(403);
  });

  it('want them proved lately: neither a password nor a refresh renews them (M-18)', async () => {
    const me = await withFactor();
    expect((await changes(me.token)).status).toBe(200);
    const old = ctx.clock.date(-61 * MINUTE);
    await Session.update(
      { aal2At: old, authenticatedAt: old, createdAt: old },
      { where: { userId: me.id }, silent: true },
    );
    expect((await changes(me.token)).body.code).toBe('step_up_required');
    expect((await proves(me.token, { password })).status).toBe(204);
    expect((await changes(me.token)).body.code).toBe('step_up_required');
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: me.tokens.refreshToken },
    });
    expect((await changes(body.accessToken)).body.code).toBe('step_up_required');
    wait(2 * STEP_MS);
    expect((await proves(body.accessToken, { code: me.code(0) })).status).toBe(204);
    expect((await changes(body.accessToken)).status).toBe(200);
  });

  it.each(tried)('are not for API keys: %s %s (M-08)', async (...route) => {
    const me = await register();
    const { body } = await me.ask('POST', '/me/api-keys', { body: { name: 'robot' } });
    const answer = await trying(route, me.id, { headers: { 'x-api-key': body.key } });
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
  });

  it('leave the session aal2 in which the first factor was enrolled', async () => {
    const me = await withFactor();
    expect(await current(me.token)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
  });

  it('make every session aal1 when the last factor goes', async () => {
    const me = await withFactor();
    expect((await me.ask('DELETE', `/me/factors/${me.factorId}`)).status).toBe(204);
    expect(await current(me.token)).toMatchObject({ amr: ['pwd', 'otp'], acr: 'aal1' });
    expect((await changes(me.token)).body.code).toBe('conflict'); // fresh, and nothing to renew
  });
});

describe('a new password', () => {
  const change = (token: string) =>
    ask('PUT', '/me/password', {
      token,
      body: { currentPassword: password, newPassword: 'another battery staple' },
    });

  it('leaves who has proved two factors signed in with two', async () => {
    const me = await withFactor();
    const { status, body, text } = await change(me.token);
    expect(status, text).toBe(200);
    expect(body.session).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
  });

  it('is refused to who has not, and changes nothing', async () => {
    const me = await withFactor();
    const { status, body } = await change(me.other.accessToken);
    expect([status, body.code, body.acrValues]).toEqual([403, 'step_up_required', ['aal2']]);
    expect((await ask('GET', '/me', { token: me.other.accessToken })).status).toBe(200);
    expect((await change(me.token)).status).toBe(200); // with the password of before
  });

  it('is not all: nor may a provider be unlinked', async () => {
    const me = await withFactor();
    const unlink = (token: string) => ask('DELETE', `/me/identities/${me.id}`, { token });
    const { status, body } = await unlink(me.other.accessToken);
    expect([status, body.code, body.acrValues]).toEqual([403, 'step_up_required', ['aal2']]);
    expect((await unlink(me.token)).status).toBe(404);
  });

  it.each([
    ['POST', '/me/email', { email: 'elsewhere@example.com', currentPassword: password }],
    ['DELETE', '/me', { password }],
    ['POST', '/me/api-keys', { name: 'a robot' }],
  ])('is not all that needs two factors: %s %s', async (method, path, body) => {
    const me = await withFactor();
    const refused = await ask(method, path, { token: me.other.accessToken, body });
    expect([refused.status, refused.body.code]).toEqual([403, 'step_up_required']);
    expect((await ask(method, path, { token: me.token, body })).status).toBeLessThan(300);
  });
});

describe('guesses at a code by who holds a token', async () => {
  const limited = await startLimited();
  const { member, from, unused } = limited;

  async function owner() {
    const me = await member();
    const mine = (method: string, path: string, question: object = {}) =>
      limited.ask(method, path, { token: me.token, ...from(me.ip), ...question });
    return { ...me, mine, ...(await addApp(limited.ctx, { ask: mine })) };
  }
  type Member = Awaited<ReturnType<typeof owner>>;
  const guess = (me: Member, code: string, token = me.token) =>
    limited.ask('POST', '/auth/reauthenticate', { token, body: { code }, ...from(unused()) });
  const wrong = ({ secret }: Member) => totpCode(secret, limited.ctx.clock.now(), 1000);

  it('count against the account, over all of its sessions, and lock it for strangers', async () => {
    const me = await owner();
    const ip = unused();
    const begun = await limited.logIn(ip, me.username, password);
    const second = await limited.ask('POST', '/auth/mfa', {
      body: { mfaToken: begun.body.mfaToken, code: me.code() },
      ...from(ip),
    });
    expect(second.status, second.text).toBe(200);
    for (const token of [me.token, second.body.accessToken])
      for (const { status } of await times(5, () => guess(me, wrong(me), token)))
        expect(status).toBe(401);
    const elsewhere = await limited.logIn(unused(), me.username, password);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('are ten at most for one session, right ones included', async () => {
    const me = await owner();
    await times(10, () => guess(me, wrong(me)));
    expect((await guess(me, me.code())).status).toBe(429);
  });
});
