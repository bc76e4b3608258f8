import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { engine } from '#test/support/database';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';

const mailbox = await openMailbox();
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const { ask, register, logIn, User } = await startApp({
  ...mailbox.env,
  PORT: String(port),
  PUBLIC_URL: here,
  EMAIL_VERIFICATION: 'optional',
});
const wanted = 'another long password';
let people = 0;
const address = () => `page${++people}@example.com`;
const PATHS = [
  '/accept-invitation',
  '/confirm-email',
  '/confirm-sign-up',
  '/restore-email',
  '/reset-password',
  '/forgot-password',
  '/end-session',
];
const send = (path: string, fields: Record<string, string>) =>
  fetch(here + path, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'x-request-id': 'x' },
  });

describe.each(PATHS)('%s', (path) => {
  it('is a page without a script in it, that no other page can frame, keep or hear from', async () => {
    const answer = await fetch(`${here}${path}?token=abc`);
    const text = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=utf-8',
    ]);
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src 'self'; (script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; )?frame-ancestors 'none'; base-uri 'none'; form-action 'self'$/,
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(text).not.toMatch(
      /<script(?! type="module" src="\/screens\/)|onload|onclick|https?:\/\//i,
    );
    expect(text).toContain(`<form method="post" action="${path}">`);
  });

  it.each<[string, Record<string, string>, number]>([
    [
      'a page of another site',
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      403,
    ],
    ['a neighbouring domain', { origin: 'null', 'sec-fetch-site': 'same-site' }, 403],
    ['a foreign page in an old browser', { origin: 'https://evil.example' }, 403],
    [
      'the page itself, which tells nobody its address',
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
      400,
    ],
    ['the page itself in an old browser', { origin: here }, 400],
    ['a program', {}, 400],
  ])('takes its form from %s or not (Y-03)', async (_who, headers, status) => {
    const body = new URLSearchParams({ token: 'not one', email: 'not one' });
    const answer = await fetch(here + path, { method: 'POST', body, headers });
    expect(answer.status).toBe(status);
    expect((await answer.text()).includes('<h1>')).toBe(true);
  });

  it('shows nothing that a link brings but a token of the right form', async () => {
    expect((await fetch(here + path)).status).toBe(path === '/forgot-password' ? 200 : 400);
    for (const token of ['"><script>alert(1)</script>', "'onload=x", 'a b', 'x'.repeat(200)])
      expect(
        await (await fetch(`${here}${path}?${new URLSearchParams({ token }).toString()}`)).text(),
      ).not.toContain('name="token"');
    const twice = await fetch(`${here}${path}?token=a&token=b`);
    expect(await twice.text()).not.toContain('name="token"');
  });

  it('takes a form, and refuses what is none in words for a person', async () => {
    const json = await fetch(here + path, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect([json.status, json.headers.get('content-type')]).toEqual([
      415,
      'text/html; charset=utf-8',
    ]);
    expect((await fetch(here + path, { method: 'DELETE' })).status).toBe(405);
    const empty = await send(path, {});
    expect([empty.status, empty.headers.get('content-type')]).toEqual([
      400,
      'text/html; charset=utf-8',
    ]);
    expect((await send(path, { surplus: 'x' })).status).toBe(400);
  });
});

describe('a link in a mail', () => {
  it('may be opened by programs that look at mails before their reader does, as often as they like', async () => {
    const email = address();
    await register({ email });
    const { link, secrets } = await mailbox.next(email);
    for (let i = 0; i < 3; i++) expect((await fetch(link)).status).toBe(200);
    expect((await fetch(link, { method: 'HEAD' })).status).toBe(200);
    expect((await User.findOne({ where: { emailCanonical: email } }))!.emailVerifiedAt).toBeNull();
    expect((await send('/confirm-email', secrets)).status).toBe(200);
    expect(
      (await User.findOne({ where: { emailCanonical: email } }))!.emailVerifiedAt,
    ).not.toBeNull();
    expect((await send('/confirm-email', secrets)).status).toBe(400);
  });

  it('says in the form why a password is not taken, and keeps the link good', async () => {
    const email = address();
    await register({ email });
    await mailbox.next(email);
    await send('/forgot-password', { email });
    const { secrets } = await mailbox.next(email);
    const weak = await send('/reset-password', { ...secrets, password: '12345678' });
    const text = await weak.text();
    expect(weak.status).toBe(422);
    expect(text).toContain(
      'id="password-mistake">This is one of the first passwords that are tried.</p>',
    );
    expect(text).toContain(`value="${secrets['token']}"`);
    expect(text).not.toContain('12345678');
    expect((await send('/reset-password', { ...secrets, password: wanted })).status).toBe(200);
    expect((await logIn(email, wanted)).status).toBe(200);
  });

  it('answers the same to everybody who asks for a mail', async () => {
    const email = address();
    await register({ email });
    const [known, unknown] = await Promise.all([
      send('/forgot-password', { email }),
      send('/forgot-password', { email: address() }),
    ]);
    expect([known.status, await known.text()]).toEqual([unknown.status, await unknown.text()]);
  });
});

// What a browser does does not depend on the database, so one engine is enough.

describe.runIf(hasBrowser && engine === 'sqlite')('in a browser that runs no script', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it('somebody forgets their password, gets a mail, chooses another and signs in', async () => {
    const email = address();
    await register({ email });
    await mailbox.next(email);
    const tab = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    const refused: string[] = [];
    tab.on(
      'console',
      (message) =>
        void (/Refused|Security Policy/i.test(message.text()) && refused.push(message.text())),
    );
    await tab.goto(`${here}/forgot-password`);
    await tab.fill('input[name=email]', email);
    await tab.click('button');
    expect(await tab.textContent('body')).toContain('a mail with a link is on its way');
    const { link } = await mailbox.next(email);
    await tab.goto(link);
    await tab.fill('input[name=password]', wanted);
    await tab.click('button');
    expect(await tab.textContent('body')).toContain('Your new password is set');
    expect((await logIn(email, wanted)).status).toBe(200);
    expect(
      (await ask('POST', '/auth/login', { body: { identifier: email, password } })).status,
    ).toBe(401);
    expect(refused).toEqual([]);
  });
});
