import { describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { setTime } from '#test/support/clock';
import { basicOf, formOf, type ServiceCredentials } from '#test/support/services';

const app = await startApp();
const { auth, ask, ctx, register, AuditEntry } = app;
const serviceWith = async (name: string, scopes: ('revoke' | 'introspect')[]) => {
  const { service, secret } = await auth.services.create({ name, scopes });
  return { id: service.id, secret };
};
const guardian = await serviceWith('guardian', ['revoke']);
const billing = await serviceWith('billing', ['introspect']);
const revoke = (fields: Record<string, string>, by?: ServiceCredentials) =>
  ask('POST', '/oauth/revoke', formOf(by, fields));
type User = Awaited<ReturnType<typeof register>>;
const isLive = async ({ ask: asked }: User) => (await asked('GET', '/me')).status === 200;

describe('POST /oauth/revoke', () => {
  it.each([
    ['the refresh token', ({ tokens }: User) => tokens.refreshToken as string, undefined],
    ['the access token', ({ token }: User) => token, undefined],
    ['the refresh token, as a service', ({ tokens }: User) => tokens.refreshToken, guardian],
    ['the access token, as a service', ({ token }: User) => token, guardian],
  ])('ends the session of %s, and no other one', async (_what, tokenOf, by) => {
    const ada = await register();
    const other = await app.logIn(ada.username);
    const { status, text } = await revoke({ token: tokenOf(ada), client_id: 'app' }, by);
    expect([status, text]).toEqual([200, '']);
    expect(await isLive(ada)).toBe(false);
    expect((await ask('GET', '/me', { token: other.body.accessToken })).status).toBe(200);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: ada.tokens.refreshToken },
    });
    expect(body).toMatchObject({ code: 'invalid_grant', reason: 'revoked' });
    expect((await revoke({ token: tokenOf(ada) }, by)).status).toBe(200);
  });

  it('takes tokens that were replaced or have expired, and any hint', async () => {
    const [ada, bob] = [await register(), await register()];
    const { refreshToken } = ada.tokens;
    const { body } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
    await revoke({ token: refreshToken, token_type_hint: 'access_token' });
    expect((await ask('GET', '/me', { token: body.accessToken })).status).toBe(401);
    setTime(ctx, ctx.clock.now() + 3_600_000);
    await revoke({ token: bob.token, token_type_hint: 'nonsense' });
    vi.useRealTimers();
    expect(await isLive(bob)).toBe(false);
  });

  it('names the service in the audit trail, or the user', async () => {
    const [ada, bob] = [await register(), await register()];
    await revoke({ token: ada.token }, guardian);
    await revoke({ token: bob.token });
    const entryOf = (subject: string) =>
      AuditEntry.findOne({ where: { type: 'session.ended', subject } });
    expect(await entryOf(ada.id)).toMatchObject({
      actor: guardian.id,
      actorKind: 'service',
      onBehalfOf: null,
      sessionId: ada.tokens.session.id,
    });
    expect(await entryOf(bob.id)).toMatchObject({ actor: bob.id, actorKind: 'user' });
  });

  it('ends nothing for a service without the scope, and says nothing of it (Q-06)', async () => {
    const ada = await register();
    for (const token of [ada.token, ada.tokens.refreshToken, 'x']) {
      const { status, text } = await revoke({ token }, billing);
      expect([status, text]).toEqual([200, '']);
    }
    expect(await isLive(ada)).toBe(true);
  });

  it('answers 200 to every other token, and changes nothing', async () => {
    const ada = await register();
    const tokens = [
      'x',
      ' ',
      'null',
      '\u0000',
      "' OR 1=1 --",
      'rt1.',
      'a.b.c',
      `${ada.token.slice(0, -8)}AAAAAAAA`,
      `${ada.tokens.refreshToken.slice(0, -4)}AAAA`,
      'x'.repeat(10_000),
      'x'.repeat(1_000_000),
    ];
    for (const token of tokens)
      for (const by of [undefined, guardian]) {
        const { status, text } = await revoke({ token }, by);
        expect([status, text], token.slice(0, 40)).toEqual([200, '']);
      }
    expect(await isLive(ada)).toBe(true);
  });

  it('lets an administrator who acts for a user end that session only', async () => {
    const admin = await register({}, 'admin');
    await app.Session.update({ aal2At: new Date() }, { where: { userId: admin.id } });
    const ada = await register();
    const { body } = await admin.ask('POST', `/admin/users/${ada.id}/impersonate`, {
      body: { reason: 'a question' },
    });
    await revoke({ token: body.accessToken });
    expect((await ask('GET', '/me', { token: body.accessToken })).status).toBe(401);
    expect([await isLive(ada), await isLive(admin)]).toEqual([true, true]);
    const where = { type: 'session.ended', subject: ada.id };
    expect(await AuditEntry.findOne({ where })).toMatchObject({
      actor: admin.id,
      onBehalfOf: ada.id,
    });
  });
});

const form = { 'content-type': 'application/x-www-form-urlencoded' };

it.each<[string, number, string, string, Record<string, string>]>([
  ['a wrong secret', 401, '', 'token=x', { ...form, ...basicOf({ ...guardian, secret: 'sps_x' }) }],
  [
    'a token of a user as its credential',
    401,
    '',
    'token=x',
    { ...form, authorization: 'Bearer x' },
  ],
  ['no token', 400, '', '', form],
  ['an empty token', 400, '', 'token=', form],
  ['two tokens', 400, '', 'token=x&token=y', form],
  ['a parameter twice', 400, '', 'token=x&other=1&other=2', form],
  ['the token in the query', 400, '?token=x', '', form],
  ['JSON', 415, '', '{"token":"x"}', { 'content-type': 'application/json' }],
])('POST /oauth/revoke refuses %s', async (_what, status, query, raw, headers) => {
  const { body, ...answer } = await ask('POST', `/oauth/revoke${query}`, { headers, raw });
  const error = status === 401 ? 'invalid_client' : 'invalid_request';
  expect([answer.status, body.error]).toEqual([status, error]);
});

it('POST /oauth/revoke ends a session from a network that is full, and nothing else', async () => {
  const limited = await startApp({ LIMITS: 'on', LIMIT_REQUESTS_PER_NETWORK: '12/1h' });
  const ada = await limited.register();
  const asked = (token: string) =>
    limited.ask('POST', '/oauth/revoke', formOf(undefined, { token }));
  const statuses = [];
  for (let i = 0; i < 12; i++) statuses.push((await asked('x')).status);
  expect(statuses.at(-1)).toBe(429);
  expect((await asked(ada.tokens.refreshToken)).status).toBe(200);
  expect((await ada.ask('GET', '/me')).status).toBe(401);
});

it.each(['/oauth/revoke', '/oauth/revoke/', '/OAuth/Revoke'])(
  'POST %s takes a token that is larger than any body that is read: it is none of ours',
  async (path) => {
    const { status, text } = await ask('POST', path, formOf(undefined, { token: 'x'.repeat(1e6) }));
    expect([status, text]).toEqual([200, '']);
  },
);
