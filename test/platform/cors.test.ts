import { expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';

const ours = 'https://app.example.com';
const { ask, register } = await startApp({ ALLOWED_ORIGINS: `${ours},http://localhost:5173` });
await register({ username: 'ada' });
/** Has one session. Ada signs in so often that her first session is replaced. */
const member = await register();

const POLICY = {
  'content-security-policy': /^default-src 'none';\s?frame-ancestors 'none';/,
  'strict-transport-security': /^max-age=31536000; includeSubDomains$/,
  'x-content-type-options': /^nosniff$/,
  'referrer-policy': /^no-referrer$/,
  'cross-origin-resource-policy': /^same-origin$/,
  'x-frame-options': /^DENY$/i,
  'x-request-id': /^[A-Za-z0-9-]+$/,
};

it.each([
  'https://evil.example',
  'null',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com.evil.example',
  'https://evil-app.example.com',
  'https://sub.app.example.com',
  'https://app.example.com/',
  'https://APP.example.com',
  'https://app.example.com, https://evil.example',
  'http://localhost',
  '*',
])('gives the origin %s nothing to read (C-02)', async (origin) => {
  const answers = [
    await ask('GET', '/livez', { headers: { origin } }),
    await member.ask('GET', '/me', { headers: { origin } }),
    await ask('POST', '/auth/login', {
      headers: { origin },
      body: { identifier: 'ada', password },
    }),
    await ask('OPTIONS', '/auth/login', {
      headers: { origin, 'access-control-request-method': 'POST' },
    }),
  ];
  for (const { headers } of answers) {
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toContain('Origin');
  }
});

it.each([ours, 'http://localhost:5173'])(
  'lets pages of %s read answers and refusals, without credentials (C-01, C-04)',
  async (origin) => {
    const answers = [
      await ask('GET', '/livez', { headers: { origin } }),
      await ask('GET', '/me', { headers: { origin } }),
      await ask('GET', '/nothing', { headers: { origin } }),
      await ask('POST', '/auth/login', { headers: { origin }, raw: '{' }),
      await ask('POST', '/auth/login', {
        headers: { origin },
        body: { identifier: 'ada', password },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 415, 200]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('vary')).toContain('Origin');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      expect(headers.get('access-control-expose-headers')).toBe(
        'WWW-Authenticate,Retry-After,RateLimit,RateLimit-Policy,X-Request-Id',
      );
    }
  },
);

it('tells a preflight what is allowed, whatever it asked for (C-05)', async () => {
  const { status, headers, text } = await ask('OPTIONS', '/me', {
    headers: {
      origin: ours,
      'access-control-request-method': 'BREW',
      'access-control-request-headers': 'authorization, x-evil',
    },
  });
  expect([status, text]).toEqual([204, '']);
  expect(headers.get('access-control-allow-origin')).toBe(ours);
  expect(headers.get('access-control-allow-methods')).toBe('GET,HEAD,POST,PUT,PATCH,DELETE');
  expect(headers.get('access-control-allow-headers')).toBe(
    'Authorization,Content-Type,X-Request-Id,x-access-token',
  );
  expect(Number(headers.get('access-control-max-age'))).toBeLessThanOrEqual(7200);
  expect(headers.get('access-control-allow-private-network')).toBeNull();
});

it.each([
  [200, () => ask('GET', '/livez')],
  [
    204,
    () =>
      ask('OPTIONS', '/me', { headers: { origin: ours, 'access-control-request-method': 'GET' } }),
  ],
  [400, () => ask('POST', '/auth/login', { body: {} })],
  [400, () => ask('GET', '/problems/%ff')],
  [401, () => ask('GET', '/me')],
  [403, () => member.ask('GET', '/admin/users')],
  [404, () => ask('GET', '/nothing')],
  [405, () => ask('DELETE', '/auth/login')],
  [413, () => ask('POST', '/auth/login', { body: 'x'.repeat(16_385) })],
  [415, () => ask('POST', '/auth/login', { raw: 'x' })],
  [422, () => ask('POST', '/auth/register', { body: { username: 'eve', password: 'password1' } })],
])('sends the API’s policy with %i (C-12)', async (status, question) => {
  const answer = await question();
  expect(answer.status).toBe(status);
  for (const [name, value] of Object.entries(POLICY))
    expect(answer.headers.get(name), name).toMatch(value);
  expect(answer.headers.get('x-powered-by')).toBeNull();
});

it('wraps no answer in a callback (C-14)', async () => {
  for (const name of ['callback', 'jsonp', 'cb'])
    expect((await ask('GET', `/livez?${name}=alert`)).text).not.toContain('alert');
});
