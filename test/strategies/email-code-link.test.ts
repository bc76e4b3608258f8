import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { engine } from '#test/support/database';
import { emailCodes, wrong } from '#test/support/email-code';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';

const APP = 'https://app.example.com/in?a=b';
const NATIVE = 'com.example.app:/signed-in';
const mailbox = await openMailbox();
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const { ask, register, Session, OneTimeToken, User } = await startApp({
  ...mailbox.env,
  PORT: String(port),
  PUBLIC_URL: here,
  EMAIL_CODE: 'on',
  REDIRECT_URIS: `${APP},${NATIVE},http://127.0.0.1/in`,
});
const { request, signIn, asked } = emailCodes(ask, mailbox);
let people = 0;
const address = () => `linked${++people}@example.com`;

/** A request for a link, with what the app keeps. */
async function linked(redirectUri = APP, email = address()) {
  const { codeVerifier, codeChallenge, state } = authorizationRequest(here, 'x', redirectUri);
  const sent = await asked(email, { redirectUri, codeChallenge, state });
  return { ...sent, email, codeVerifier, state, link: sent.mail.link };
}
const PAGE = `${here}/auth/email-code/link`;
/** The button of the page. */
const press = (link: string) =>
  fetch(PAGE, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ token: new URL(link).searchParams.get('token')! }),
  });
const arrivedAt = (answer: Response) => new URL(answer.headers.get('location')!);
const exchange = (code: string | null, codeVerifier: string) =>
  ask('POST', '/auth/exchange', { body: { code, codeVerifier } });

describe('the mail', () => {
  it('has a link if the app asked for one, built from PUBLIC_URL', async () => {
    expect((await asked(address())).mail.link).toBe('');
    expect((await linked()).link).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+\/auth\/email-code\/link\?token=[\w-]{64}$/,
    );
  });

  const { codeChallenge } = authorizationRequest(here, 'x', APP);
  it.each([
    ['an address that is not listed', { redirectUri: 'https://evil.example/', codeChallenge }],
    ['an address with more behind it', { redirectUri: `${APP}&c=d`, codeChallenge }],
    ['a script', { redirectUri: 'javascript:alert(1)', codeChallenge }],
    ['no challenge', { redirectUri: APP }],
    ['a plain challenge', { redirectUri: APP, codeChallenge: 'verifier' }],
    ['a challenge alone', { codeChallenge }],
    ['a state alone', { state: 'x' }],
    ['a state with line ends', { redirectUri: APP, codeChallenge, state: 'a\r\nb' }],
  ])('is not sent for %s', async (_what, more) => {
    const email = address();
    const before = await OneTimeToken.count();
    const answer = await request(email, more);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.errors[0].pointer).toMatch(/^\/(redirectUri|codeChallenge|state)$/);
    expect(await OneTimeToken.count()).toBe(before);
  });
});

describe('the link (E-03)', () => {
  it('may be opened by programs as often as they like: nothing is used up', async () => {
    const { link, codeVerifier, state, email } = await linked();
    const before = [await OneTimeToken.count(), await Session.count()];
    for (let i = 0; i < 3; i++) {
      const page = await fetch(link, { headers: { purpose: 'prefetch' } });
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('<form method="post" action="/auth/email-code/link">');
    }
    expect((await fetch(link, { method: 'HEAD' })).status).toBe(200);
    expect([await OneTimeToken.count(), await Session.count()]).toEqual(before);
    const answer = await press(link);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([303, 'no-store']);
    const target = arrivedAt(answer);
    expect(target.href.startsWith(`${APP}&code=`)).toBe(true);
    expect(target.searchParams.get('state')).toBe(state);
    const { status, body } = await exchange(target.searchParams.get('code'), codeVerifier);
    expect([status, body.session.strategy, body.user.email]).toEqual([200, 'email-code', email]);
  });

  it('works once, also of ten presses at once, and a second press says what to do', async () => {
    const { link } = await linked();
    const answers = await Promise.all(Array.from({ length: 10 }, () => press(link)));
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    const again = await press(link);
    expect([again.status, again.headers.get('content-type')]).toEqual([
      400,
      'text/html; charset=utf-8',
    ]);
    expect(await again.text()).toContain('Go back to your app and ask for another mail.');
    expect((await fetch(link)).status).toBe(200);
  });

  it('and the code are one: who uses either has used both', async () => {
    const one = await linked();
    expect((await press(one.link)).status).toBe(303);
    expect((await signIn(one.requestToken, one.code)).status).toBe(401);
    const other = await linked();
    expect((await signIn(other.requestToken, other.code)).status).toBe(200);
    expect((await press(other.link)).status).toBe(400);
    const guessed = await linked();
    for (let i = 0; i < 5; i++) await signIn(guessed.requestToken, wrong(guessed.code));
    expect((await press(guessed.link)).status).toBe(400);
    const replaced = await linked();
    await linked(APP, replaced.email);
    expect((await press(replaced.link)).status).toBe(400);
  });

  it('is no request token, and the reverse', async () => {
    const { link, requestToken, code } = await linked();
    const linkToken = new URL(link).searchParams.get('token')!;
    expect((await signIn(linkToken, code)).status).toBe(401);
    expect((await press(`${PAGE}?token=${requestToken}`)).status).toBe(400);
    expect((await press(link)).status).toBe(303);
  });

  it('does not work for a request without an app', async () => {
    const { requestToken, code } = await asked(address());
    expect((await press(`${PAGE}?token=${requestToken}`)).status).toBe(400);
    expect((await signIn(requestToken, code)).status).toBe(200);
  });

  it.each([
    [APP, "'self' https://app.example.com"],
    [NATIVE, "'self' com.example.app:"],
    ['http://127.0.0.1:5173/in', "'self' http://127.0.0.1:5173"],
  ])('opens a page that may lead to %s and nowhere else', async (redirectUri, sources) => {
    const { link } = await linked(redirectUri);
    const policy = (await fetch(link)).headers.get('content-security-policy')!;
    expect(policy).toContain(`; form-action ${sources}`);
    expect(policy.endsWith(sources)).toBe(true);
    expect((await press(link)).headers.get('location')!.startsWith(redirectUri)).toBe(true);
    const later = (await fetch(link)).headers.get('content-security-policy')!;
    expect(later.endsWith("form-action 'self'")).toBe(true);
  });

  it('shows nothing that an address brings', async () => {
    for (const token of ['"><script>', "'onload=x", 'x'.repeat(200)]) {
      const page = await fetch(`${PAGE}?${new URLSearchParams({ token }).toString()}`);
      expect(page.status).toBe(400);
      expect(await page.text()).not.toContain(token);
    }
    expect((await fetch(PAGE)).status).toBe(400);
    expect((await fetch(PAGE, { method: 'DELETE' })).status).toBe(405);
    expect((await press(`${PAGE}?token=${'A'.repeat(64)}`)).status).toBe(400);
  });
});

describe('a link that was forwarded (E-04)', () => {
  it('brings a code that is of no use without the verifier of whoever asked, and is spent then', async () => {
    const { link, codeVerifier } = await linked();
    const code = arrivedAt(await press(link)).searchParams.get('code');
    const { codeVerifier: other } = authorizationRequest(here, 'x', APP);
    expect(await exchange(code, other)).toMatchObject({
      status: 400,
      body: { code: 'invalid_code' },
    });
    expect((await exchange(code, codeVerifier)).body.code).toBe('invalid_code');
  });

  it('makes no user and no session before the exchange', async () => {
    const { link, email } = await linked();
    const before = await Session.count();
    expect((await press(link)).status).toBe(303);
    expect(await User.count({ where: { emailCanonical: email } })).toBe(0);
    expect(await Session.count()).toBe(before);
  });

  it('passes the sign-in pipeline: a user who was disabled meanwhile is refused', async () => {
    const email = address();
    const { id } = await register({ email });
    const { link, codeVerifier } = await linked(APP, email);
    const code = arrivedAt(await press(link)).searchParams.get('code');
    await User.update({ disabledAt: new Date() }, { where: { id } });
    expect((await exchange(code, codeVerifier)).status).toBe(401);
    expect((await User.findByPk(id))!.emailVerifiedAt).toBeNull();
  });
});

// What a browser does does not depend on the database, so one engine is enough.
describe.runIf(hasBrowser && engine === 'sqlite')('in a browser', () => {
  let browser: Browser;
  const theApp = createServer((req, res) => {
    res.setHeader('content-type', 'text/html').end(`<p>the app at ${req.url}</p>`);
  }).listen(0, '127.0.0.1');
  beforeAll(async () => {
    if (!theApp.listening) await once(theApp, 'listening');
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    theApp.closeAllConnections();
    theApp.close();
  });

  it('somebody opens the link, presses the button and is back in the app', async () => {
    const redirectUri = `http://127.0.0.1:${(theApp.address() as AddressInfo).port}/in`;
    const { link, codeVerifier } = await linked(redirectUri);
    const tab = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await tab.goto(link);
    await tab.click('button');
    await tab.waitForURL(`${redirectUri}?*`);
    expect(await tab.textContent('body')).toContain('the app at /in?');
    const code = new URL(tab.url()).searchParams.get('code');
    expect((await exchange(code, codeVerifier)).status).toBe(200);
  });
});
