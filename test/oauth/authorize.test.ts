import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';

const APP = 'https://app.example.com/in';
const one = await startApp({
  REDIRECT_URIS: APP,
  GITHUB_CLIENT_ID: 'x',
  GITHUB_CLIENT_SECRET: 'x',
});
const two = await startApp({
  REDIRECT_URIS: APP,
  GITHUB_CLIENT_ID: 'x',
  GITHUB_CLIENT_SECRET: 'x',
  GOOGLE_CLIENT_ID: 'x',
  GOOGLE_CLIENT_SECRET: 'x',
});
const none = await startApp({ REDIRECT_URIS: APP });
const asked = {
  response_type: 'code',
  client_id: 'app',
  redirect_uri: APP,
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
  state: 'xyz',
};
const authorize = async ({ url }: typeof one, query: Record<string, string> | string) => {
  const text = new URLSearchParams(query).toString();
  const answer = await fetch(`${url}/oauth/authorize?${text}`, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  });
  const location = answer.headers.get('location');
  return {
    status: answer.status,
    text: await answer.text(),
    to: location === null ? null : new URL(location),
  };
};

describe('GET /oauth/authorize', () => {
  it('leads to the provider, if there is one, or to the one that is named', async () => {
    for (const [app, more] of [
      [one, {}],
      [two, { provider: 'github', scope: 'openid', unknown: '1', prompt: '' }],
    ] as const) {
      const { status, to } = await authorize(app, { ...asked, ...more });
      expect([status, to?.pathname]).toEqual([302, '/auth/github']);
      expect(Object.fromEntries(to!.searchParams)).toEqual({
        redirectUri: APP,
        codeChallenge: asked.code_challenge,
        state: 'xyz',
        clientId: 'app',
      });
    }
  });

  it('lets the person choose among several', async () => {
    const { status, text } = await authorize(two, { ...asked, state: '"><b>' });
    expect(status).toBe(200);
    expect([...text.matchAll(/href="[^"]+\/auth\/(\w+)\?/g)].map(([, name]) => name)).toEqual([
      'github',
      'google',
    ]);
    expect(text).not.toContain('<b>');
  });

  it.each<[string, string, Record<string, string>]>([
    ['another response type', 'unsupported_response_type', { response_type: 'token' }],
    ['no response type', 'invalid_request', { response_type: '' }],
    ['no challenge', 'invalid_request', { code_challenge: '' }],
    ['the method plain', 'invalid_request', { code_challenge_method: 'plain' }],
    ['no method, which means plain', 'invalid_request', { code_challenge_method: '' }],
    ['an unknown provider', 'invalid_request', { provider: 'local' }],
    ['another response mode', 'invalid_request', { response_mode: 'form_post' }],
  ])('tells the client of %s (Q-05)', async (_what, error, more) => {
    const { status, to } = await authorize(one, { ...asked, ...more });
    expect([status, to?.origin, to?.pathname]).toEqual([302, 'https://app.example.com', '/in']);
    expect(Object.fromEntries(to!.searchParams)).toEqual({
      error,
      error_description: expect.any(String),
      state: 'xyz',
    });
  });

  it('tells the client of a parameter that is there twice, and of a server without providers', async () => {
    const query = new URLSearchParams(asked).toString();
    for (const twice of [`${query}&state=abc`, `${query}&other=1&other=2`]) {
      const { to } = await authorize(one, twice);
      expect(to?.searchParams.get('error')).toBe('invalid_request');
      expect(to?.searchParams.get('error_description')).toMatch(/^Give it once: (state|other)\.$/);
    }
    expect((await authorize(none, asked)).to?.searchParams.get('error')).toBe('server_error');
  });

  it.each<[string, Record<string, string>]>([
    ['another redirect URI', { redirect_uri: 'https://evil.example/in' }],
    ['none', { redirect_uri: '' }],
    ['one that only begins like it', { redirect_uri: `${APP}/../x` }],
    ['no client', { client_id: '' }],
    ['a client with control characters', { client_id: 'a\nb' }],
  ])('sends nobody anywhere with %s (Q-05)', async (_what, more) => {
    const { status, to, text } = await authorize(one, { ...asked, ...more });
    expect([status, to]).toEqual([400, null]);
    expect(text).toContain('<h1>');
  });
});

it('says the same of the methods of /oauth/authorize whatever is asked', async () => {
  for (const method of ['HEAD', 'POST', 'DELETE']) {
    const { status, headers } = await fetch(`${one.url}/oauth/authorize`, { method });
    expect([method, status, headers.get('allow')]).toEqual([method, 405, 'GET']);
  }
  const other = await one.ask('POST', '/livez', { body: {} });
  expect([other.status, other.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('names the addresses of OAuth clients at /.well-known/oauth-authorization-server (RFC 8414)', async () => {
  const { ask, ctx } = one;
  const { publicUrl } = ctx.settings;
  const { body } = await ask('GET', '/.well-known/oauth-authorization-server');
  expect(body).toMatchObject({
    issuer: publicUrl,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
  });
  const paths = new Set(one.routes.map(({ path }) => path));
  const named = Object.entries<string>(body).filter(([name]) => /_(endpoint|uri)$/.test(name));
  expect(named).toHaveLength(5);
  for (const [name, address] of named)
    expect(paths, name).toContain(address.slice(publicUrl.length));
});
