import * as oauth from 'oauth4webapi';
import { describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import { setTime } from '#test/support/clock';
import { freePort } from '#test/support/mysql';
import { clientSecret, signInAt, startProvider, type People } from '#test/support/open-id-provider';
import { authorizationRequest } from '#test/support/pkce';
import { addApp } from '#test/support/second-factor';
import { rawRequest } from '#test/support/raw-socket';
import { basicOf, formOf, type ServiceCredentials } from '#test/support/services';

const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const people: People = { ida: { preferred_username: 'ida' }, bo: { preferred_username: 'bo' } };
const { issuer } = await startProvider([`${here}/auth/oidc/callback`], people);
const APP = 'com.example.app:/in';
const app = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: `${APP},https://app.example.com/in?x=1`,
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'sallyport',
  OIDC_CLIENT_SECRET: clientSecret,
});
const { auth, ask, ctx, register, url } = app;
const made = await auth.services.create({ name: 'billing', scopes: ['introspect', 'changes'] });
const billing: ServiceCredentials = { id: made.service.id, secret: made.secret };
const token = (fields: Record<string, string>, by?: ServiceCredentials) =>
  ask('POST', '/oauth/token', formOf(by, fields));
const introspect = (text: string) =>
  ask('POST', '/oauth/introspect', formOf(billing, { token: text }));

/** Where the browser ends up when it opens this address and signs in at the provider. */
async function visit(address: string, who = 'ida') {
  const tab = browser();
  const callback = `${here}/auth/oidc/callback`;
  const page = await tab.open(address, APP);
  if (page.url.href.startsWith(APP) || page.url.origin === here) return page;
  const back = await signInAt(page, who, callback, tab);
  return tab.open(back.url.href, APP);
}
const CLIENT = { client_id: 'app' };
/** A code for the client `app`, with what redeems it. */
async function codeFor(who = 'ida', more: Record<string, string> = {}) {
  const { codeChallenge, codeVerifier, state } = authorizationRequest(here, 'oidc', APP);
  const query = new URLSearchParams({
    ...CLIENT,
    redirect_uri: APP,
    response_type: 'code',
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    state,
    ...more,
  });
  const landing = await visit(`${here}/oauth/authorize?${query.toString()}`, who);
  return {
    state,
    landing,
    grant: {
      grant_type: 'authorization_code',
      code: landing.url.searchParams.get('code') ?? '',
      code_verifier: codeVerifier,
      redirect_uri: APP,
      ...CLIENT,
    },
  };
}

describe('oauth4webapi', () => {
  const options = { [oauth.allowInsecureRequests]: true };
  const client: oauth.Client = { client_id: 'app' };
  const discovered = async () => {
    const at = new URL(here);
    const answer = await oauth.discoveryRequest(at, { ...options, algorithm: 'oauth2' });
    return oauth.processDiscoveryResponse(at, answer);
  };

  it('discovers, signs in with PKCE, refreshes and revokes', async () => {
    const as = await discovered();
    expect(as.code_challenge_methods_supported).toEqual(['S256']);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const start = new URL(as.authorization_endpoint!);
    start.search = new URLSearchParams({
      ...CLIENT,
      redirect_uri: APP,
      response_type: 'code',
      scope: 'openid profile',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
    }).toString();
    const { url: landed } = await visit(start.href);
    const parameters = oauth.validateAuthResponse(as, client, landed, state);
    const none = oauth.None();
    const codeAnswer = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      none,
      parameters,
      APP,
      verifier,
      options,
    );
    const first = await oauth.processAuthorizationCodeResponse(as, client, codeAnswer);
    expect(first).toMatchObject({ token_type: 'bearer', expires_in: 600 });
    const { body } = await ask('GET', '/me', { token: first.access_token });
    expect(body.username).toBe('ida');
    const refreshed = await oauth.refreshTokenGrantRequest(
      as,
      client,
      none,
      first.refresh_token!,
      options,
    );
    const second = await oauth.processRefreshTokenResponse(as, client, refreshed);
    expect((await ask('GET', '/me', { token: second.access_token })).status).toBe(200);
    const revoked = await oauth.revocationRequest(as, client, none, second.refresh_token!, options);
    await oauth.processRevocationResponse(revoked);
    expect((await ask('GET', '/me', { token: second.access_token })).status).toBe(401);
    const again = await oauth.refreshTokenGrantRequest(
      as,
      client,
      none,
      second.refresh_token!,
      options,
    );
    await expect(oauth.processRefreshTokenResponse(as, client, again)).rejects.toMatchObject({
      error: 'invalid_grant',
      status: 400,
    });
  });

  it('signs in and refreshes with tokens that are bound to a key (DPoP), with the nonce of the server', async () => {
    const as = await discovered();
    expect(as.dpop_signing_alg_values_supported).toContain('ES256');
    const key = await oauth.generateKeyPair('ES256');
    const DPoP = oauth.DPoP(client, key);
    /** The first answer tells the nonce: as the library documents it, the request is made once more. */
    const asked = async <T>(
      ask: () => Promise<Response>,
      read: (answer: Response) => Promise<T>,
    ): Promise<T> => {
      try {
        return await read(await ask());
      } catch (error) {
        if (!oauth.isDPoPNonceError(error)) throw error;
        return read(await ask());
      }
    };
    const verifier = oauth.generateRandomCodeVerifier();
    const { landing, state } = await codeFor('ida', {
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      dpop_jkt: await DPoP.calculateThumbprint(),
    });
    const parameters = oauth.validateAuthResponse(as, client, landing.url, state);
    const none = oauth.None();
    const own = { ...options, DPoP };
    const first = await asked(
      () => oauth.authorizationCodeGrantRequest(as, client, none, parameters, APP, verifier, own),
      (answer) => oauth.processAuthorizationCodeResponse(as, client, answer),
    );
    expect(first.token_type).toBe('dpop');
    const resource = (access: string) =>
      asked(
        () =>
          oauth.protectedResourceRequest(
            access,
            'GET',
            new URL(`${here}/me`),
            undefined,
            undefined,
            own,
          ),
        async (answer) => ((await answer.json()) as { username: string }).username,
      );
    expect(await resource(first.access_token)).toBe('ida');
    expect((await ask('GET', '/me', { token: first.access_token })).status).toBe(401);
    const second = await asked(
      () => oauth.refreshTokenGrantRequest(as, client, none, first.refresh_token!, own),
      (answer) => oauth.processRefreshTokenResponse(as, client, answer),
    );
    expect(second.token_type).toBe('dpop');
    expect(await resource(second.access_token)).toBe('ida');
    const stolen = await oauth.refreshTokenGrantRequest(
      as,
      client,
      none,
      second.refresh_token!,
      options,
    );
    await expect(oauth.processRefreshTokenResponse(as, client, stolen)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    // The nonce is five minutes old: the server names another one.
    setTime(ctx, Date.now() + 301_000);
    const third = await asked(
      () => oauth.refreshTokenGrantRequest(as, client, none, second.refresh_token!, own),
      (answer) => oauth.processRefreshTokenResponse(as, client, answer),
    );
    vi.useRealTimers();
    expect(third.token_type).toBe('dpop');
  });

  it('gives a service a token, and asks about tokens with it', async () => {
    const as = await discovered();
    const service: oauth.Client = { client_id: billing.id };
    const basic = oauth.ClientSecretBasic(billing.secret);
    const answer = await oauth.clientCredentialsGrantRequest(
      as,
      service,
      basic,
      { scope: 'introspect' },
      options,
    );
    const granted = await oauth.processClientCredentialsResponse(as, service, answer);
    expect(granted).toMatchObject({ expires_in: 600, scope: 'introspect' });
    expect(granted.refresh_token).toBeUndefined();
    const ada = await register();
    const asked = await oauth.introspectionRequest(as, service, basic, ada.token, options);
    const { active } = await oauth.processIntrospectionResponse(as, service, asked);
    expect(active).toBe(true);
  });
});

it("AppAuth's requests, as it sends them: all parameters it has, and its client id each time", async () => {
  const { grant, landing, state } = await codeFor('bo', {
    scope: 'openid offline_access',
    nonce: 'n-0S6_WzA2Mj',
    prompt: 'login',
    ui_locales: '',
  });
  expect(landing.url.searchParams.get('state')).toBe(state);
  const first = await token({ ...grant, nonce: 'ignored' });
  expect(first.status, first.text).toBe(200);
  expect(first.headers.get('cache-control')).toBe('no-store');
  expect(Object.keys(first.body)).toEqual([
    'access_token',
    'token_type',
    'expires_in',
    'refresh_token',
  ]);
  const { refresh_token } = first.body;
  const refresh = { grant_type: 'refresh_token', refresh_token, scope: 'openid', ...CLIENT };
  const second = await token(refresh);
  expect(second.status, second.text).toBe(200);
  expect((await ask('GET', '/me', { token: second.body.access_token })).body.username).toBe('bo');
  expect((await token(refresh)).body.refresh_token).toBe(second.body.refresh_token);
});

describe('POST /oauth/token', () => {
  it('shows the permissions of the user as scope', async () => {
    await auth.roles.set('clerk', { permissions: ['invoices:read', 'invoices:write'] });
    const ada = await register({}, 'clerk');
    const { refreshToken: refresh_token } = ada.tokens;
    const { body } = await token({ grant_type: 'refresh_token', refresh_token });
    expect(body.scope).toBe('invoices:read invoices:write');
  });

  it('knows password grant, implicit grant and others not (Q-05)', async () => {
    const ada = await register();
    const names = { username: ada.username, password };
    for (const grant_type of ['password', 'implicit', 'constructor', 'urn:x', 'PASSWORD']) {
      const { status, body } = await token({ grant_type, ...names, ...CLIENT });
      expect([status, body.error], grant_type).toEqual([400, 'unsupported_grant_type']);
    }
    const { landing } = await codeFor('ida', { response_type: 'token' });
    expect(landing.url.searchParams.get('error')).toBe('unsupported_response_type');
  });

  it.each<[string, Record<string, string>]>([
    ['another redirect URI', { redirect_uri: 'https://app.example.com/in?x=1' }],
    ['no redirect URI', { redirect_uri: '' }],
    ['another client (client confusion)', { client_id: 'other' }],
    ['no client', { client_id: '' }],
    ['another verifier', { code_verifier: 'v'.repeat(43) }],
    ['another code', { code: 'c'.repeat(43) }],
  ])('refuses a code with %s, and spends it (Q-05)', async (_what, change) => {
    const { grant } = await codeFor();
    const wrong = await token({ ...grant, ...change });
    expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_grant']);
    if (change['code'] === undefined) expect((await token(grant)).status).toBe(400);
  });

  it('takes a code without PKCE for no request, and a code once (Q-05)', async () => {
    const { grant } = await codeFor();
    const { code_verifier: _, ...without } = grant;
    const refused = await token(without);
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_request']);
    const ten = await Promise.all(Array.from({ length: 10 }, () => token(grant)));
    expect(ten.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(ten.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(9);
  });

  it('ends the session of a code that comes again with its verifier, and with nothing less (Q-05)', async () => {
    const { grant } = await codeFor();
    const { body: first } = await token(grant);
    const me = async () => (await ask('GET', '/me', { token: first.access_token })).body;
    const { code, redirect_uri } = grant;
    for (const seen of [
      { ...grant, code_verifier: 'v'.repeat(43) }, // somebody saw the code in a history
      { ...grant, client_id: 'other' },
    ])
      expect((await token(seen)).body.error).toBe('invalid_grant');
    const body = { code, codeVerifier: 'v'.repeat(43) };
    expect((await ask('POST', '/auth/exchange', { body })).body.code).toBe('invalid_code');
    expect((await me()).username).toBe('ida');
    expect((await token({ ...grant, redirect_uri })).body.error).toBe('invalid_grant');
    expect((await me()).code).toBe('session_ended');
    const { refresh_token } = first;
    const refused = await token({ grant_type: 'refresh_token', refresh_token });
    expect(refused.body).toMatchObject({ error: 'invalid_grant', sessionStatus: 'ended' });
  });

  it('ends the session of a code at /auth/exchange, too, for ten minutes (Q-05)', async () => {
    const exchanged = async () => {
      const { address, codeVerifier } = authorizationRequest(here, 'oidc', APP);
      const code = (await visit(address, 'bo')).url.searchParams.get('code')!;
      const exchange = (verifier = codeVerifier) =>
        ask('POST', '/auth/exchange', { body: { code, codeVerifier: verifier } });
      const { accessToken } = (await exchange()).body;
      return { exchange, me: async () => (await ask('GET', '/me', { token: accessToken })).status };
    };
    const one = await exchanged();
    expect((await one.exchange('v'.repeat(43))).status).toBe(400);
    expect(await one.me()).toBe(200);
    expect((await one.exchange()).body.code).toBe('invalid_code');
    expect(await one.me()).toBe(401);
    const other = await exchanged();
    await app.OneTimeToken.update(
      { expiresAt: new Date(0) },
      { where: { purpose: 'spent sign-in code' } },
    );
    expect((await other.exchange()).body.code).toBe('invalid_code');
    expect(await other.me()).toBe(200);
  });

  it('has the codes of OAuth clients for itself (Q-05)', async () => {
    const { grant } = await codeFor();
    const body = { code: grant.code, codeVerifier: grant.code_verifier };
    expect((await ask('POST', '/auth/exchange', { body })).body.code).toBe('invalid_code');
    const { address, codeVerifier: code_verifier } = authorizationRequest(here, 'oidc', APP);
    const { url: landed } = await visit(address);
    const own = { ...grant, code: landed.searchParams.get('code')!, code_verifier };
    expect((await token({ ...own, redirect_uri: 'https://app.example.com/in?x=1' })).status).toBe(
      400,
    );
  });

  it('asks for the second factor, as /auth/exchange does', async () => {
    const { grant } = await codeFor();
    const access: string = (await token(grant)).body.access_token;
    const member = {
      ask: (method: string, path: string, question = {}) =>
        ask(method, path, { token: access, ...question }),
    };
    const { code } = await addApp(ctx, member);
    const refused = await token((await codeFor()).grant);
    expect(refused.body).toMatchObject({
      error: 'invalid_grant',
      status: 400,
      code: 'mfa_required',
      factors: expect.arrayContaining(['totp']),
    });
    const answer = { mfaToken: refused.body.mfaToken, code: code() };
    expect((await ask('POST', '/auth/mfa', { body: answer })).status).toBe(200);
  });
});

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const refresh = 'grant_type=refresh_token&refresh_token=x';

it.each<[what: string, status: number, error: string, raw: string, more?: object]>([
  ['no grant type', 400, 'invalid_request', 'refresh_token=x'],
  ['an empty grant type', 400, 'invalid_request', 'grant_type='],
  ['no token', 400, 'invalid_request', 'grant_type=refresh_token'],
  [
    'no code',
    400,
    'invalid_request',
    `grant_type=authorization_code&code_verifier=${'v'.repeat(43)}`,
  ],
  ['a parameter twice', 400, 'invalid_request', `${refresh}&refresh_token=x`],
  ['an unknown parameter twice', 400, 'invalid_request', `${refresh}&other=1&other=2`],
  ['a token of nobody', 400, 'invalid_grant', refresh],
  ['the credentials in the query', 400, 'invalid_request', refresh, { query: '?client_id=app' }],
  ['the grant in the query', 400, 'invalid_request', '', { query: `?${refresh}` }],
  ['a secret in the body', 401, 'invalid_client', `${refresh}&client_secret=x`],
  ['a service that is unknown', 401, 'invalid_client', 'grant_type=client_credentials'],
  ['JSON', 415, 'invalid_request', '{}', { headers: { 'content-type': 'application/json' } }],
  ['too much', 413, 'invalid_request', `${refresh}&x=${'x'.repeat(20_000)}`],
])('POST /oauth/token answers %s with %i %s (Q-05)', async (_what, status, error, raw, more) => {
  const { query = '', headers = form } = { ...more } as { query?: string; headers?: typeof form };
  const { body, ...answer } = await ask('POST', `/oauth/token${query}`, { headers, raw });
  expect([answer.status, body.error, typeof body.error_description]).toEqual([
    status,
    error,
    'string',
  ]);
  if (raw.includes('&refresh_token=x&refresh_token') || raw.includes('other=2'))
    expect(body.error_description).toMatch(/^Give it once \((refresh_token|other)\)\.$/);
});

describe('a service at POST /oauth/token', () => {
  it('is told that its tokens are not bound to a key, and they are refused with the scheme DPoP', async () => {
    const { headers, raw } = formOf(billing, { grant_type: 'client_credentials' });
    const bound = await ask('POST', '/oauth/token', {
      headers: { ...headers, dpop: 'x' },
      raw: raw!,
    });
    expect([bound.status, bound.body.error]).toEqual([400, 'invalid_request']);
    expect(bound.body.error_description).toContain('leave out the header DPoP');
    const { body } = await token({ grant_type: 'client_credentials' }, billing);
    for (const [scheme, status] of [
      ['Bearer', 200],
      ['DPoP', 401],
    ] as const) {
      const authorization = `${scheme} ${body.access_token}`;
      const answer = await ask('GET', '/oauth/changes', { headers: { authorization } });
      expect(answer.status, scheme).toBe(status);
    }
  });

  const credentials = { grant_type: 'client_credentials' };
  const bearer = (text: string) => ({ headers: { authorization: `Bearer ${text}` } });
  const changes = (text: string) => ask('GET', '/oauth/changes', bearer(text));

  it('gets no token of a user', async () => {
    const ada = await register();
    const { refreshToken: refresh_token } = ada.tokens;
    const refused = await token({ grant_type: 'refresh_token', refresh_token }, billing);
    expect([refused.status, refused.body.error]).toEqual([400, 'unauthorized_client']);
    const other = { ...billing, secret: `sps_${'A'.repeat(43)}` };
    const unknown = await token({ grant_type: 'refresh_token', refresh_token }, other);
    expect([unknown.status, unknown.body.error]).toEqual([401, 'invalid_client']);
    expect((await token({ grant_type: 'refresh_token', refresh_token })).status).toBe(200);
  });

  it('gets a token for its scopes, or for fewer', async () => {
    const whole = await token(credentials, billing);
    expect(whole.body).toEqual({
      access_token: expect.stringMatching(/^sat1\.[\w-]+$/),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'introspect changes',
    });
    expect((await changes(whole.body.access_token)).status).toBe(200);
    const less = await token({ ...credentials, scope: 'introspect' }, billing);
    expect((await changes(less.body.access_token)).body.code).toBe('unauthorized_client');
    for (const scope of ['revoke', 'introspect admin', '*', 'constructor']) {
      const { status, body } = await token({ ...credentials, scope }, billing);
      expect([status, body.error], scope).toEqual([400, 'invalid_scope']);
    }
  });

  it('has a token that opens nothing else, and makes no other one', async () => {
    const { access_token: own } = (await token(credentials, billing)).body;
    expect((await ask('GET', '/me', bearer(own))).status).toBe(401);
    expect((await introspect(own)).body).toEqual({ active: false });
    const headers = { ...form, ...bearer(own).headers };
    const raw = 'grant_type=client_credentials';
    expect((await ask('POST', '/oauth/token', { headers, raw })).status).toBe(401);
    for (const forged of [`${own}x`, own.slice(0, -1), own.slice(5), 'sat1.', 'sat1.AAAA'])
      expect((await changes(forged)).status, forged).toBe(401);
  });

  it('has a token for ten minutes, and no longer than its secret and its scope', async () => {
    const { service, secret } = await auth.services.create({ name: 'brief', scopes: ['changes'] });
    const brief = { id: service.id, secret };
    const { access_token: own } = (await token(credentials, brief)).body;
    setTime(ctx, ctx.clock.now() + 590_000);
    expect((await changes(own)).status).toBe(200);
    setTime(ctx, ctx.clock.now() + 11_000);
    expect((await changes(own)).status).toBe(401);
    vi.useRealTimers();
    expect((await changes(own)).status).toBe(200);
    await auth.services.update(service.id, { scopes: ['introspect'] });
    expect((await changes(own)).status).toBe(403);
    await auth.services.update(service.id, { scopes: ['changes'] });
    await auth.services.rotateSecret(service.id, { keepPrevious: false });
    expect((await changes(own)).status).toBe(401);
  });

  it('may not send its token and its secret', async () => {
    const { access_token: own } = (await token(credentials, billing)).body;
    const { authorization } = basicOf(billing);
    const twice = await rawRequest(
      url,
      [
        'GET /oauth/changes HTTP/1.1',
        'Host: localhost',
        `Authorization: ${authorization}`,
        `Authorization: Bearer ${own}`,
        'Connection: close\r\n\r\n',
      ].join('\r\n'),
    );
    expect(twice.answers.map(({ status }) => status)).toEqual([400]);
  });
});
