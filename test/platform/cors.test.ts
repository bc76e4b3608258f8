import { describe, expect, it } from 'vitest';
import { checkSettings, settingsFrom } from '#src/platform/settings/read';
import { password, startApp } from '#test/support/app';

const ours = 'https://app.example.com';
const { ask, register } = await startApp({
  ALLOWED_ORIGINS: `${ours},http://localhost:5173,capacitor://localhost,https://*.preview.example:8443,http://*.localhost`,
  CORS_ALLOWED_HEADERS: 'X-Tenant, x-app-version',
});
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
  'capacitor://localhost.evil.example',
  'capacitor://evil',
  'ionic://localhost',
  'https://preview.example:8443',
  'https://a.b.preview.example:8443',
  'https://a.preview.example',
  'https://.preview.example:8443',
  'https://evil.example:8443/.preview.example:8443',
  'https://apreview.example:8443',
  'https://a.previewxexample:8443',
  'https://a.preview.example:84430',
  'http://a.preview.example:8443',
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

it.each([
  ours,
  'http://localhost:5173',
  'capacitor://localhost',
  'https://pr-7.preview.example:8443',
  'https://a.preview.example:8443',
  'http://shop.localhost',
])(
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
        'Date,DPoP-Nonce,ETag,WWW-Authenticate,Retry-After,RateLimit,RateLimit-Policy,X-Request-Id',
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
    'Authorization,Content-Type,DPoP,If-Match,X-Request-Id,x-access-token,traceparent,tracestate,sentry-trace,baggage,X-Tenant,x-app-version',
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

describe('ALLOWED_ORIGINS', () => {
  const mistakesIn = (env: Record<string, string>) => checkSettings(settingsFrom(env)).mistakes;

  it.each([
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://obsidian.md',
    'chrome-extension://abcdefghijklmnop',
    'com.example.app://x',
    'http://[::1]:3000',
    'https://*.example.com',
    'https://*.app.example.co.uk',
    'https://*.mine.vercel.app',
    'http://*.localhost:5173',
    'https://*.example.com:8443',
    'https://xn--bcher-kva.example',
  ])('takes %s', (ALLOWED_ORIGINS) => {
    expect(mistakesIn({ ALLOWED_ORIGINS })).toEqual([]);
  });

  it.each([
    '*',
    'null',
    'https://*',
    'https://*.com',
    'https://*.co.uk',
    'https://*.github.io',
    'https://*.vercel.app',
    'https://*.netlify.app',
    'https://*.local',
    'https://*.1.2.3.4',
    'https://*.*.example.com',
    'https://a.*.example.com',
    'https://*example.com',
    '*.example.com',
    'https://a.example/',
    'https://a.example/x',
    'https://A.example',
    'https://a.example:443',
    'http://a.example:80',
    'https://u@a.example',
    'https://a..example',
    'https://bücher.example',
    'a.example',
    'localhost:3000',
    'file://',
    'file://x',
    'data://x',
    'wss://a.example',
    'Capacitor://localhost',
    'capacitor://',
    'capacitor://localhost/',
    'capacitor:localhost',
    'capacitor://*',
    'capacitor://*.localhost',
    'https://a.example?',
    'https://[*.]x.example',
  ])('refuses %s, which can never match or would match strangers', (ALLOWED_ORIGINS) => {
    expect(mistakesIn({ ALLOWED_ORIGINS })).toEqual([
      expect.stringMatching(/^ALLOWED_ORIGINS must be/),
    ]);
  });

  it.each(['*', 'X Tenant', 'X-Tenant:', 'Cookie', 'Origin', 'Sec-Fetch-Site', 'proxy-x', 'é'])(
    'refuses the header %s in CORS_ALLOWED_HEADERS',
    (CORS_ALLOWED_HEADERS) => {
      expect(mistakesIn({ CORS_ALLOWED_HEADERS })).toEqual([
        expect.stringMatching(/^CORS_ALLOWED_HEADERS must be/),
      ]);
    },
  );
});
