import { describe, expect, it } from 'vitest';
import { emailPages } from '#src/email/pages';
import { passwordPages } from '#src/passwords/pages';
import { sessionPages } from '#src/sessions/pages';
import { password, startApp } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';
import { rawRequest } from '#test/support/raw-socket';

// PUBLIC_URL with a path. Some proxies remove the path from a request, and some do not.
const BASE = '/identity';
const PUBLIC_URL = `https://example.com${BASE}`;
const mailbox = await openMailbox();
const { ctx, url, register } = await startApp({
  ...mailbox.env,
  PUBLIC_URL,
  EMAIL_VERIFICATION: 'optional',
  DIALECTS: 'bezkoder-cookies',
  REDIRECT_URIS: 'https://app.example/signed-in',
  GITHUB_CLIENT_ID: 'id',
  GITHUB_CLIENT_SECRET: 'of the app',
});
const ada = await register({ username: 'ada' });

interface Question {
  body?: object;
  form?: Record<string, string>;
  token?: string;
}
async function ask(method: string, path: string, { body, form, token }: Question = {}) {
  const response = await fetch(url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
    ...(form && { body: new URLSearchParams(form) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const json = isJson && text ? (JSON.parse(text) as Record<string, string>) : {};
  return { status: response.status, headers: response.headers, text, json };
}
const statusOf = async (path: string) => (await ask('GET', path)).status;
/** Where a page leads, and what it loads besides its icon and the script that is bundled for it. */
const targetsIn = (html: string) =>
  [...html.matchAll(/\b(?:src|href|action)=["']?([^"'\s>]+)/g)]
    .map(([, target]) => target!)
    .filter((target) => !target.startsWith(`${BASE}/screens/`) && target !== `${BASE}/brand/icon`);
const pages = [...passwordPages(ctx), ...emailPages(ctx), ...sessionPages(ctx)].map(
  ({ path }) => path,
);

describe.each([
  ['with its path', BASE],
  ['without its path, which a proxy removed', ''],
])('a request %s', (_how, prefix) => {
  it('is answered by the same route', async () => {
    for (const path of ['/livez', '/readyz', '/docs', '/openapi.json', '/.well-known/jwks.json'])
      expect(await statusOf(prefix + path), path).toBe(200);
    const body = { identifier: 'ada', password };
    const signedIn = await ask('POST', `${prefix}/auth/login`, { body });
    expect(signedIn.status).toBe(200);
    const token = signedIn.json['accessToken']!;
    const me = await ask('GET', `${prefix}/me`, { token });
    expect([me.status, me.json['id']]).toEqual([200, ada.id]);
    expect((await ask('GET', `${prefix}/me?x=1`, { token })).status).toBe(400);
    expect((await ask('PATCH', `${prefix}/me`, { token, body: { name: 'Ada' } })).status).toBe(200);
    expect((await ask('HEAD', `${prefix}/me`, { token })).status).toBe(200);
    expect(await statusOf(`${prefix}/api/test/all`)).toBe(200);
    expect(await statusOf(`${prefix}?x=1`)).toBe(200); // the greeting of the compatibility adapter
    expect(await statusOf(`${prefix}/`)).toBe(200);
  });

  it('is refused with a problem whose type is a page in the path', async () => {
    const refused = [
      await ask('GET', `${prefix}/nothing`),
      await ask('GET', `${prefix}/me`),
      await ask('DELETE', `${prefix}/auth/login`),
      await ask('POST', `${prefix}/auth/login`, { body: {} }),
      await ask('POST', `${prefix}/auth/login`, { form: { identifier: 'ada' } }),
      await ask('GET', `${prefix}/admin/users`, { token: ada.token }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 401, 405, 400, 415, 403]);
    for (const { json } of refused) {
      expect(json['type']).toBe(`${BASE}/problems/${json['code']}`);
      expect(await statusOf(json['type']!)).toBe(200);
    }
  });

  it('finds the API page, and everything that the page loads', async () => {
    const { text } = await ask('GET', `${prefix}/docs`);
    const targets = targetsIn(text);
    expect(targets.length).toBeGreaterThan(3);
    for (const target of targets) {
      expect(target.startsWith(`${BASE}/docs/`), target).toBe(true);
      expect(await statusOf(target), target).toBe(200);
    }
    const script = await ask(
      'GET',
      targets.find((target) => target.endsWith('start.js'))!,
    );
    expect(script.text).toContain(`location.origin + "${BASE}"`);
  });

  it('finds the explanation of a problem, which leads to the API page', async () => {
    const { text } = await ask('GET', `${prefix}/problems/token_expired`);
    expect(targetsIn(text)).toEqual([`${BASE}/docs`]);
    expect(text).toContain(`href="${BASE}/brand/icon"`);
  });

  it('finds an OpenAPI document that names PUBLIC_URL', async () => {
    const { text, json } = await ask('GET', `${prefix}/openapi.json`);
    expect(json['servers']).toEqual([{ url: PUBLIC_URL }]);
    const types = [...text.matchAll(/"type":"([^"]*\/problems\/\w+)"/g)].map(([, type]) => type!);
    expect(types.length).toBeGreaterThan(50);
    expect(types.filter((type) => !type.startsWith(`${BASE}/problems/`))).toEqual([]);
  });

  it.each(pages)('finds the page %s, whose form is sent to the path', async (path) => {
    const { status, text } = await ask('GET', `${prefix}${path}?token=abc`);
    expect(status).toBe(200);
    expect(targetsIn(text)).toEqual([BASE + path]);
    const sent = await ask('POST', prefix + path, { form: { token: 'abc' } });
    expect([400, 403]).toContain(sent.status);
    for (const target of targetsIn(sent.text)) expect(target).toMatch(/^\/identity\/[a-z]/);
  });

  it('goes to a provider, and comes back to the path', async () => {
    const query = new URLSearchParams({
      redirectUri: 'https://app.example/signed-in',
      codeChallenge: 'x'.repeat(43),
      state: 'of the app',
    });
    const { status, headers } = await ask('GET', `${prefix}/auth/github?${query.toString()}`);
    expect(status).toBe(302);
    const target = new URL(headers.get('location')!);
    expect(target.searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/auth/github/callback`);
    const lost = await ask('GET', `${prefix}/auth/github/callback?code=x&state=y`);
    expect([lost.status, lost.json['type']]).toEqual([400, `${BASE}/problems/invalid_state`]);
  });
});

it.each([
  '/identitylivez',
  '/identityx/livez',
  '/IDENTITY/livez',
  '/identity/identity/livez',
  '/x/identity/livez',
  '/identity%2flivez',
  '//identity/livez',
])('takes %s for no path of ours', async (path) => {
  const { answers } = await rawRequest(url, `GET ${path} HTTP/1.1\r\nHost: example.com\r\n\r\n`);
  expect(answers.map(({ status }) => status)).toEqual([404]);
});

it('tells who is not understood at all the address of the explanation, too', async () => {
  const { answers } = await rawRequest(url, 'BREW /coffee HTTP/1.1\r\nHost: example.com\r\n\r\n');
  expect(answers.map(({ status }) => status)).toEqual([400]);
  expect(JSON.parse(answers[0]!.body)).toMatchObject({ type: `${BASE}/problems/invalid_request` });
});

it('lists where to sign in, and signs tokens, under PUBLIC_URL', async () => {
  const { text } = await ask('GET', '/auth/strategies');
  const listed = JSON.parse(text) as { name: string; url: string | null }[];
  expect(listed.find(({ name }) => name === 'local')!.url).toBe(`${PUBLIC_URL}/auth/login`);
  expect(listed.find(({ name }) => name === 'github')!.url).toBe(`${PUBLIC_URL}/auth/github`);
  const claims = JSON.parse(
    Buffer.from(ada.token.split('.')[1]!, 'base64url').toString(),
  ) as object;
  expect(claims).toMatchObject({ iss: PUBLIC_URL });
});

it('sets cookies for this host alone, whatever its path', async () => {
  const body = { username: 'ada', password };
  const { status, headers } = await ask('POST', `${BASE}/api/auth/signin`, { body });
  expect(status).toBe(200);
  expect(headers.get('set-cookie')).toMatch(/^__Host-bezkoder-session=.*; Path=\/;.*Secure/);
});

describe('a link in a mail', () => {
  const following = async (to: string, page: string) => {
    const { link, html } = await mailbox.next(to);
    const { origin, pathname, search } = new URL(link);
    expect(origin + pathname).toBe(`${PUBLIC_URL}${page}`);
    expect(targetsIn(html).map((target) => target.replaceAll('&amp;', '&'))).toEqual([link]);
    const { status, text } = await ask('GET', pathname + search);
    expect(status).toBe(200);
    const others = targetsIn(text).filter((target) => target !== `${BASE}/sign-in`);
    expect(others).toEqual([`${BASE}${page}`]);
    return new URLSearchParams(search).get('token')!;
  };
  /** Sends the form of a page. */
  const submit = async (page: string, form: Record<string, string>) => {
    const { status, text } = await ask('POST', `${BASE}${page}`, { form });
    expect(status, text).toBe(200);
  };

  it('leads to the path, and does there what it says', async () => {
    const [old, changed] = ['old@example.com', 'new@example.com'];
    const grace = await register({ email: old });
    await submit('/confirm-email', { token: await following(old, '/confirm-email') });
    const taken = { email: changed, currentPassword: password };
    const { status } = await ask('POST', `${BASE}/me/email`, { token: grace.token, body: taken });
    expect(status).toBe(202);
    await following(changed, '/confirm-email');
    await submit('/restore-email', { token: await following(old, '/restore-email') });
    const token = await following(old, '/reset-password');
    await submit('/reset-password', { token, password: 'another long password' });
    await following(old, '/forgot-password'); // "your password was changed"

    await submit('/forgot-password', { email: old });
    await following(old, '/reset-password');
    const move = { email: old, currentPassword: password };
    await ask('POST', '/me/email', { token: ada.token, body: move });
    await following(old, '/forgot-password'); // "you are registered already"
  });
});
