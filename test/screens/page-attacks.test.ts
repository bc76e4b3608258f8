import { beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { formsIn } from '#test/support/hosted';
import { MARKUP, buildScreens } from '#test/support/screens';
import { folderOf } from '#test/support/strategy-folder';

buildScreens();
const EVIL = 'https://evil.example';
/** A strategy of an operator, with a name that is HTML. */
const provider = `export default {
  name: 'marked', kind: 'redirect', summary: ${JSON.stringify(`Sign in with ${MARKUP}`)},
  create: () => ({ authenticate() { this.fail(); } }) };`;
const { url, ctx, register } = await startApp({
  EMAIL_CODE: 'on',
  EMAIL_VERIFICATION: 'optional',
  REDIRECT_URIS: 'https://app.example.com/signed-in',
  STRATEGIES_DIR: folderOf({ 'marked.ts': provider }),
});
const own = new URL(ctx.settings.publicUrl).origin;

/** Of a sign-in: an app waits. */
const FLOW = new URLSearchParams({
  redirectUri: 'https://app.example.com/signed-in',
  codeChallenge: 'a'.repeat(43),
  state: 'some-state',
}).toString();
const HOSTED = [
  '/sign-in',
  '/sign-in/second-factor',
  '/sign-in/code',
  '/sign-in/code/enter',
  '/sign-up',
  '/verify',
];
const MAILED = [
  '/forgot-password',
  '/reset-password',
  '/confirm-email',
  '/confirm-sign-up',
  '/restore-email',
];
const SCREENS = ['/account', '/account/security', '/console', '/console/users', '/console/users/x'];
const OTHERS = ['/', '/docs', '/problems/forbidden', '/no-such-page', '/me'];
const PAGES = [...HOSTED, ...MAILED, ...SCREENS, ...OTHERS];

const navigate = { accept: 'text/html', 'upgrade-insecure-requests': '1' };
const open = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(url + path, { redirect: 'manual', headers: navigate, ...init });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

describe.each(PAGES)('%s', (path) => {
  const address = HOSTED.includes(path) ? `${path}?${FLOW}` : path;
  let page: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    page = await open(address);
  });

  it('can be framed by nobody, nor held by its opener (Y-01)', () => {
    expect(page.status).toBeLessThan(500);
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is kept by no cache, unless it is the same for everybody (Y-06)', () => {
    const isPublic = ['/', '/docs', '/problems/forbidden'].includes(path);
    expect(page.headers.get('cache-control')).toBe(isPublic ? 'public, max-age=300' : 'no-store');
    expect(page.headers.has('set-cookie')).toBe(false);
  });

  it('shows the name of a provider as text (Y-05)', () => {
    expect(page.text).not.toContain(MARKUP);
    expect(page.text).not.toMatch(/<img src=x|javascript:/);
    if (path === '/sign-in') expect(page.text.match(/&lt;img src=x/g)!.length).toBeGreaterThan(0);
  });

  it('sends what is typed to this server only, and loads from nowhere else (Y-04)', () => {
    for (const { action } of formsIn(page.text)) expect(action).toMatch(/^\/[a-z]/);
    const addresses = [...page.text.matchAll(/\s(?:src|href|action|formaction)="([^"]*)"/g)];
    const elsewhere = addresses
      .map(([, each]) => each!)
      .filter((each) => !/^[/#](?!\/)/.test(each));
    expect(elsewhere).toEqual([]);
    const [, formAction] = /form-action ([^;]*)/.exec(
      page.headers.get('content-security-policy')!,
    )!;
    const app = HOSTED.includes(path) ? ' https://app.example.com' : '';
    expect(["'none'", `'self'${app}`]).toContain(formAction);
  });

  const NAMES =
    'redirectUri redirect_uri returnTo return_to next continue url to state code login_hint ui_locales done token issuer publicUrl';
  it.each(NAMES.split(' '))('leads nowhere by its parameter %s (Y-02)', async (name) => {
    for (const value of [EVIL, '//evil.example', '/\\evil.example', `javascript:alert('evil')`]) {
      const query = new URLSearchParams(HOSTED.includes(path) ? FLOW : '');
      query.set(name, value);
      const { headers, text, status } = await open(`${path}?${query.toString()}`);
      expect(status).toBeLessThan(500);
      const location = headers.get('location');
      if (location !== null) expect(new URL(location, url).host).toBe(new URL(url).host);
      expect(headers.get('refresh')).toBeNull();
      expect(headers.get('content-security-policy')).not.toContain('evil');
      const ways = [...text.matchAll(/\s(?:src|href|action)="([^"]*)"/g)].map(([, each]) => each!);
      for (const way of ways) expect(new URL(way, url).origin).toBe(new URL(url).origin);
    }
  });

  it('takes no form of a page elsewhere, nor another method in its place (Y-03)', async () => {
    const { token } = await register();
    for (const headers of [
      { origin: EVIL, 'sec-fetch-site': 'cross-site' },
      { origin: own, 'sec-fetch-site': 'same-site' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
    ]) {
      const body = new URLSearchParams({ _method: 'DELETE', identifier: 'ada', token: 'x' });
      const posted = await open(address, {
        method: 'POST',
        body,
        headers: { ...navigate, ...headers },
      });
      expect([401, 403, 404, 405]).toContain(posted.status);
      expect(posted.headers.has('set-cookie')).toBe(false);
    }
    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      const headers = { ...navigate, authorization: `Bearer ${token}`, [name]: 'POST' };
      const { status } = await open(address, { headers });
      expect(status).toBe(
        (await open(address, { headers: { ...navigate, authorization: `Bearer ${token}` } }))
          .status,
      );
    }
  });
});

it.each([
  '//evil.example',
  '//evil.example/account',
  '/account//evil.example',
  '/%5cevil.example',
  '/account/%2f%2fevil.example',
  '/console/..%2f..%2fevil.example',
])('the address %s leads nowhere (Y-02)', async (path) => {
  const { headers, text } = await open(path);
  expect(headers.get('location')).toBeNull();
  expect(text).not.toMatch(/(?:src|href|action)="[^"]*evil/);
});
