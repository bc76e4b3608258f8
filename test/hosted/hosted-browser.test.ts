import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { addAuthenticator, hasBrowser, launchBrowser } from '#test/support/chromium';
import { SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { visitor } from '#test/support/hosted';
import { freePort } from '#test/support/mysql';
import { addApp } from '#test/support/second-factor';

/** An app of another origin, to which browsers come back. */
const site = createServer((_req, res) => {
  res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>App</title><h1>Back</h1>');
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
afterAll(() => site.close());
const REDIRECT = `http://127.0.0.1:${(site.address() as AddressInfo).port}/signed-in`;

const port = await freePort();
const url = `http://localhost:${port}`;
const { ctx, ask, register } = await startApp({
  HOST: '127.0.0.1',
  PORT: String(port),
  PUBLIC_URL: url,
  REDIRECT_URIS: REDIRECT,
  EMAIL_CODE: 'on',
  EMAIL_VERIFICATION: 'optional',
});
const newVisitor = () => visitor(url, REDIRECT);

describe.runIf(hasBrowser)('the pages of a sign-in in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** A browser, and what it complains of. */
  async function newPage(options: BrowserContextOptions = {}) {
    const page = await (await browser.newContext(options)).newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (/refused|policy|violat/i.test(message.text())) complaints.push(message.text());
    });
    return { page, complaints };
  }
  const press = (page: Page, name: string) =>
    page.getByRole('button', { name, exact: true }).click();
  async function signIn(page: Page, identifier: string) {
    await page.fill('#identifier', identifier);
    await page.fill('#password', password);
    await press(page, 'Sign in');
  }
  /** The app takes what came back to it. */
  async function exchanged(page: Page, person: ReturnType<typeof newVisitor>) {
    await page.waitForURL(`${REDIRECT}?**`);
    const { searchParams } = new URL(page.url());
    expect(searchParams.get('state')).toBe(person.state);
    const body = { code: searchParams.get('code'), codeVerifier: person.codeVerifier };
    const answer = await ask('POST', '/auth/exchange', { body });
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  }

  it('need no script: sign-up, sign-in, a wrong and a right second factor', async () => {
    const { page, complaints } = await newPage({ javaScriptEnabled: false });
    let person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in'));
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.fill('#identifier', 'ada');
    await page.fill('#name', 'Ada Lovelace');
    await page.fill('#password', '12345678');
    await press(page, 'Create account');
    expect(await page.textContent('#password-mistake')).toContain('first passwords');
    expect(await page.inputValue('#identifier')).toBe('ada');
    expect(await page.inputValue('#password')).toBe('');
    await page.fill('#password', password);
    await press(page, 'Create account');
    const tokens = await exchanged(page, person);
    expect(tokens.user.name).toBe('Ada Lovelace');

    const member = {
      ask: (method: string, path: string, question = {}) =>
        ask(method, path, { token: tokens.accessToken, ...question }),
    };
    const { code } = await addApp(ctx, member);
    person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in', { login_hint: 'ada' }));
    expect(await page.inputValue('#identifier')).toBe('ada');
    await signIn(page, 'ada');
    await page.fill('#code', '000000');
    await press(page, 'Continue');
    expect(await page.getAttribute('#code', 'aria-invalid')).toBe('true');
    await page.fill('#code', code());
    await press(page, 'Continue');
    expect((await exchanged(page, person)).session.acr).toBe('aal2');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('show a password to whoever wants to see it, and send it as one', async () => {
    const { page, complaints } = await newPage();
    const { username } = await register();
    const person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in'));
    await page.fill('#identifier', username);
    await page.fill('#password', password);
    await press(page, 'Show password');
    expect(await page.getAttribute('#password', 'type')).toBe('text');
    await press(page, 'Hide password');
    expect(await page.getAttribute('#password', 'type')).toBe('password');
    await press(page, 'Show password');
    await press(page, 'Sign in');
    await exchanged(page, person);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('take a passkey in the field for the name, by the button, and as a second factor', async () => {
    const { page, complaints } = await newPage();
    const { devTools, authenticatorId } = await addAuthenticator(page);
    const somebodyThere = (enabled: boolean) =>
      devTools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    const member = await register();
    await page.goto(`${url}/docs`);
    await enrol(page, member);

    let person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in'));
    expect((await exchanged(page, person)).session.strategy).toBe('passkey');

    await somebodyThere(false);
    person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in'));
    const button = page.getByRole('button', { name: 'Sign in with a passkey' });
    await button.waitFor();
    await eventually(async () => {
      await button.click();
      await somebodyThere(true);
      await page.waitForURL(`${REDIRECT}?**`, { timeout: 2000 });
    });
    const byButton = await exchanged(page, person);
    expect([byButton.session.strategy, byButton.session.acr]).toEqual(['passkey', 'aal2']);

    await somebodyThere(false); // or it would answer in the field at once
    person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in'));
    await signIn(page, member.username);
    await somebodyThere(true);
    await page.getByRole('button', { name: 'Use your passkey' }).click();
    const { session } = await exchanged(page, person);
    expect([session.strategy, session.acr]).toEqual(['local', 'aal2']);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('go on offering a passkey in the field when its challenge has run out', async () => {
    const { page, complaints } = await newPage();
    const { devTools, authenticatorId } = await addAuthenticator(page);
    const somebodyThere = (enabled: boolean) =>
      devTools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    const member = await register();
    await page.goto(`${url}/docs`);
    await enrol(page, member);
    await somebodyThere(false);
    let renewed = 0;
    page.on('request', (request) => {
      if (request.url() === `${url}/auth/passkey/options`) renewed++;
    });
    await page.clock.install();
    const person = newVisitor();
    await page.goto(url + person.addressOf('/sign-in'));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).waitFor();
    await page.waitForTimeout(200); // the browser has been asked, too
    wait(6 * 60 * SECOND); // a challenge is good for five minutes
    await somebodyThere(true); // what was asked before goes on waiting
    expect(renewed).toBe(0);
    await page.clock.fastForward(6 * 60 * SECOND);
    const { session, user } = await exchanged(page, person);
    expect([session.strategy, user.id, renewed]).toEqual(['passkey', member.id, 1]);
    expect(complaints).toEqual([]);
    vi.useRealTimers();
    await page.context().close();
  });

  /** Makes a passkey, as a page of the account does. */
  async function enrol(page: Page, { ask: by }: Awaited<ReturnType<typeof register>>) {
    const { body } = await by('POST', '/me/factors/passkeys/options', { body: {} });
    const credential = await page.evaluate(
      `navigator.credentials
        .create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(body.publicKey)}) })
        .then((made) => made.toJSON())`,
    );
    const { challengeToken } = body;
    const made = await by('POST', '/me/factors/passkeys', { body: { challengeToken, credential } });
    expect(made.status, made.text).toBe(201);
  }

  const LOOKS = [390, 768, 1440].flatMap((width) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
  );
  it.each(LOOKS)('fit into $width pixels, $colorScheme', async ({ width, colorScheme }) => {
    const { page, complaints } = await newPage({ viewport: { width, height: 900 }, colorScheme });
    const member = await register();
    const fits = async (name: string) => {
      const wider = 'document.documentElement.scrollWidth > innerWidth';
      expect(await page.evaluate(wider), name).toBe(false);
      const folder = process.env['SCREENSHOTS'];
      const path = `${folder}/${name}-${width}-${colorScheme}.png`;
      if (folder) await page.screenshot({ path, fullPage: true });
    };
    const open = (path: string) => page.goto(url + newVisitor().addressOf(path));
    await open('/sign-in');
    await fits('sign-in');
    await page.fill('#identifier', 'nobody');
    await page.fill('#password', 'wrong');
    await press(page, 'Sign in');
    await fits('sign-in-wrong');
    for (const path of ['/sign-up', '/sign-in/code', '/verify', '/forgot-password']) {
      await open(path);
      await fits(path.slice(1).replace('/', '-'));
    }
    await open('/sign-in/code');
    await page.fill('#email', 'ada@example.com');
    await press(page, 'Send me a code');
    await fits('code-sent');
    await addApp(ctx, member);
    await open('/sign-in');
    await page.evaluate('document.documentElement.style.fontSize = "200%"');
    await fits('sign-in-large');
    await signIn(page, member.username);
    await page.click('summary');
    await fits('second-factor');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
