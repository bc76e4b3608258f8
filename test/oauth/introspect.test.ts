import { beforeEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { setTime } from '#test/support/clock';
import { engine } from '#test/support/database';
import { basicOf, formOf, type ServiceCredentials } from '#test/support/services';
import { statementsOf } from '#test/support/statements';

const app = await startApp({ API_KEYS: 'on', BASIC_AUTH: 'on', MFA_REQUIRED_ROLES: 'press' });
const { auth, ask, ctx, register, url, User } = app;
const foreign = await startApp();

const limited = await startApp({
  LIMITS: 'on',
  LIMIT_SIGN_INS_PER_NETWORK: '5/1m',
  LIMIT_REQUESTS_PER_NETWORK: '40/1m',
  LIMIT_REQUESTS_PER_SERVICE: '100/1m',
});

const made = await limited.auth.services.create({ name: 'billing', scopes: ['introspect'] });
const known: ServiceCredentials = { id: made.service.id, secret: made.secret };
const { service: row, secret } = await auth.services.create({
  name: 'billing',
  scopes: ['introspect'],
});
const billing: ServiceCredentials = { id: row.id, secret };
const introspect = (token: string, by: ServiceCredentials | undefined = billing) =>
  ask('POST', '/oauth/introspect', formOf(by, { token }));
const { token } = await register();
const INACTIVE = '{"active":false}';

describe('POST /oauth/introspect', () => {
  it('says whose token it is, what they may do, and how they signed in', async () => {
    await auth.roles.set('clerk', { permissions: ['invoices:read', 'invoices:write'] });
    const ada = await register({ username: 'ada', email: 'ada@example.com' }, 'clerk');
    const { status, body, headers } = await introspect(ada.token);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const now = Math.floor(Date.now() / 1000);
    expect(body).toEqual({
      active: true,
      token_type: 'Bearer',
      iss: ctx.settings.jwtIssuer,
      aud: ctx.settings.jwtAudience,
      sub: ada.id,
      sid: ada.tokens.session.id,
      iat: expect.closeTo(now, -2),
      exp: body.iat + ctx.settings.accessTokenTtl,
      username: 'ada',
      email: 'ada@example.com',
      email_verified: false,
      roles: ['clerk', 'user'],
      permissions: ['invoices:read', 'invoices:write'],
      scope: 'invoices:read invoices:write',
      amr: ['pwd'],
      acr: 'aal1',
      auth_time: expect.closeTo(now, -2),
    });
  });

  it('knows of a sign-out, another role and a disabled user at once', async () => {
    const ada = await register();
    expect((await introspect(ada.token)).body.roles).toEqual(['user']);
    await auth.roles.grant(ada.id, 'moderator');
    expect((await introspect(ada.token)).body.roles).toEqual(['moderator', 'user']);
    await auth.users.disable(ada.id);
    expect((await introspect(ada.token)).text).toBe(INACTIVE);
    await auth.users.enable(ada.id);
    const { body } = await app.logIn(ada.username);
    expect((await introspect(body.accessToken)).body.active).toBe(true);
    await ask('POST', '/auth/logout', { body: { refreshToken: body.refreshToken } });
    expect((await introspect(body.accessToken)).text).toBe(INACTIVE);
  });

  it('lets in nobody who must enrol a second factor first', async () => {
    await auth.roles.set('press', { permissions: ['news:write'] });
    const ada = await register({}, 'press');
    expect((await ada.ask('GET', '/me/sessions')).body.code).toBe('mfa_enrollment_required');
    expect((await introspect(ada.token)).text).toBe(INACTIVE);
  });

  it('names the administrator who acts for the user', async () => {
    const admin = await register({}, 'admin');
    await app.Session.update({ aal2At: new Date() }, { where: { userId: admin.id } });
    const ada = await register();
    const acting = await admin.ask('POST', `/admin/users/${ada.id}/impersonate`, {
      body: { reason: 'a question' },
    });
    const { body } = await introspect(acting.body.accessToken);
    expect([body.sub, body.act]).toEqual([ada.id, { sub: admin.id }]);
  });

  it('is a use of the session: the refresh token before is then a replay', async () => {
    const ada = await register();
    const { refreshToken } = ada.tokens;
    const { body } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
    await introspect(body.accessToken);
    const { id } = ada.tokens.session;
    expect(await app.Session.findByPk(id)).toMatchObject({ acknowledged: true });
  });
});

describe('a token that lets nobody in (Q-02)', () => {
  it('is inactive, and nothing else is said', async () => {
    const ada = await register();
    const other = await foreign.register();
    const ended = await register();
    await auth.sessions.endAll(ended.id);
    const deleted = await register();
    await User.destroy({ where: { id: deleted.id } });
    const key = await ada.ask('POST', '/me/api-keys', { body: { name: 'k' } });
    const tokens = [
      other.token,
      ended.token,
      deleted.token,
      ada.tokens.refreshToken,
      key.body.key as string,
      `${ada.token}x`,
      `${ada.token.slice(0, -8)}AAAAAAAA`,
      'null',
      ' ',
      'a.b.c',
      '\u0000',
      "' OR 1=1 --",
      'x'.repeat(10_000),
    ];
    for (const token of tokens) {
      const { status, text } = await introspect(token);
      expect([status, text], token.slice(0, 40)).toEqual([200, INACTIVE]);
    }
    setTime(ctx, ctx.clock.now() + 3_600_000);
    expect((await introspect(ada.token)).text).toBe(INACTIVE);
    vi.useRealTimers();
  });

  it('may be larger than any body that is read', async () => {
    const { status, text, headers } = await introspect('x'.repeat(1_000_000));
    expect([status, text]).toEqual([200, INACTIVE]);
    expect(headers.get('connection')).toBe('close');
    expect((await introspect('x'.repeat(1_000_000), { ...billing, id: row.name })).status).toBe(
      401,
    );
  });
});

describe('who is no service with the scope (Q-01)', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const raw = `token=${token}`;
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  const wrong = `sps_${'A'.repeat(43)}`;

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a wrong secret', basicOf({ ...billing, secret: wrong })],
    ['an unknown id', basicOf({ id: '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20', secret })],
    ['the name in place of the id', basicOf({ id: 'billing', secret })],
    ['a secret without its prefix', basicOf({ ...billing, secret: secret.slice(4) })],
    ['the digest in place of the secret', basicOf({ ...billing, secret: row.secretDigest })],
    ['no secret', basic(`${row.id}:`)],
    ['no colon', basic(row.id)],
    ['a line end', basic(`${row.id}:${secret}\n`)],
    ['what is no base64', { authorization: `Basic ${row.id}:${secret}` }],
    ['a broken percent sign', basic(`${row.id}:%E0%A4%A`)],
    ['a token of a user', { authorization: `Bearer ${token}` }],
    ['the secret as a token', { authorization: `Bearer ${secret}` }],
    ['the password of a user', basic(`user1:${password}`)],
    ['an API key', { 'x-api-key': secret }],
  ])('is refused with %s, whatever the token', async (_what, headers) => {
    const answers = [];
    for (const sent of [raw, 'token=x', ''])
      answers.push(
        await ask('POST', '/oauth/introspect', { headers: { ...form, ...headers }, raw: sent }),
      );
    for (const { status, body, headers: answered } of answers) {
      expect([status, body.error]).toEqual([401, 'invalid_client']);
      expect(answered.get('www-authenticate')).toBe('Basic realm="sallyport"');
      expect({ ...body, requestId: '' }).toEqual({ ...answers[0]!.body, requestId: '' });
    }
  });

  it.each([
    ['in the query', `?client_id=${row.id}&client_secret=${secret}`, raw, form],
    ['in the form', '', `${raw}&client_id=${row.id}&client_secret=${secret}`, form],
    [
      'in JSON',
      '',
      JSON.stringify({ token, client_id: row.id, client_secret: secret }),
      { 'content-type': 'application/json' },
    ],
  ])('is refused with credentials %s', async (_where, query, sent, headers) => {
    const answer = await ask('POST', `/oauth/introspect${query}`, { headers, raw: sent });
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
  });

  it.each([
    ['a JSON body', 415, '', JSON.stringify({ token }), { 'content-type': 'application/json' }],
    ['the token in the query', 400, `?token=${token}`, '', form],
    ['no token', 400, '', '', form],
    ['two tokens', 400, '', `${raw}&${raw}`, form],
    ['an unknown parameter', 400, '', `${raw}&tenant=1`, form],
    ['a second way to authenticate', 400, '', `${raw}&client_secret=${secret}`, form],
  ])('gets no answer about %s, as a service', async (_what, expected, query, sent, type) => {
    const headers = { ...type, ...basicOf(billing) };
    const { status, body } = await ask('POST', `/oauth/introspect${query}`, { headers, raw: sent });
    expect([status, body.error]).toEqual([expected, 'invalid_request']);
    expect(JSON.stringify(body)).not.toContain(token);
  });

  it('is refused without the scope, and with two headers', async () => {
    const { service, secret: other } = await auth.services.create({ name: 'feed', scopes: [] });
    const refused = await introspect(token, { id: service.id, secret: other });
    expect([refused.status, refused.body.error]).toEqual([403, 'unauthorized_client']);
    const headers = [
      ['authorization', basicOf(billing).authorization],
      ['Authorization', basicOf(billing).authorization],
    ] as [string, string][];
    const twice = await fetch(`${url}/oauth/introspect`, { method: 'POST', headers });
    expect(twice.status).not.toBe(200);
  });

  it('opens no route of users', async () => {
    for (const path of ['/me', '/admin/users', '/admin/services'])
      expect((await ask('GET', path, { headers: basicOf(billing) })).status).toBe(401);
  });

  it('takes id and secret form-urlencoded, as RFC 6749 §2.3.1 has them', async () => {
    const coded = (text: string) =>
      [...text].map((char) => `%${char.charCodeAt(0).toString(16)}`).join('');
    const headers = { ...form, ...basic(`${coded(row.id)}:${coded(secret)}`) };
    expect((await ask('POST', '/oauth/introspect', { headers, raw })).body.active).toBe(true);
  });
});

describe('the price', () => {
  const statements = statementsOf(User.sequelize);
  beforeEach(() => {
    statements.length = 0;
  });

  it('is one statement for the service and one for the token', async () => {
    const ada = await register();
    await introspect(ada.token);
    await register(); // any commit makes the session unknown
    statements.length = 0;
    await introspect(ada.token);
    expect(statements).toHaveLength(2);
    expect(statements[0]).toMatch(/^SELECT id, name, scopes[\s\S]+FROM services WHERE id IN \(/);
    expect(statements[1]).toMatch(/FROM sessions[\s\S]+WHERE s\.id IN \(/);
    statements.length = 0;
    await introspect(ada.token);
    expect(statements).toHaveLength(engine === 'sqlite' ? 1 : 2);
    statements.length = 0;
    await introspect(`${ada.token}x`);
    expect(statements).toHaveLength(1);
  });

  it('is none for what is no secret of a service', async () => {
    await introspect('x', { ...billing, secret: 'guess' });
    await introspect('x', { ...billing, id: 'billing' });
    await ask('POST', '/oauth/introspect', formOf(undefined, { token: 'x' }));
    expect(statements.filter((sql) => !/audit/.test(sql))).toEqual([]);
  });
});

describe('limits', () => {
  const asked = (by: ServiceCredentials) =>
    limited.ask('POST', '/oauth/introspect', formOf(by, { token: 'x' }));

  it('count wrong secrets by network, and keep out no service that was let in before', async () => {
    expect((await asked(known)).status).toBe(200);
    const guess = { id: known.id, secret: `sps_${'B'.repeat(43)}` };
    const statuses = [];
    for (let i = 0; i < 7; i++) statuses.push((await asked(guess)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const { body } = await asked(guess);
    expect(body).toMatchObject({ error: 'temporarily_unavailable', code: 'rate_limited' });
    expect((await asked(known)).status).toBe(200);
  });

  it('count what a service asks by service, not by network', async () => {
    const statuses = [];
    for (let i = 0; i < 110; i++) statuses.push((await asked(known)).status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(40);
    expect(statuses.at(-1)).toBe(429);
  });
});
