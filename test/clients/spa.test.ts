import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { addAuthenticator, hasBrowser, launchBrowser } from '#test/support/chromium';
import { halved } from '#test/support/clients/gate';
import { expire, REFRESH, startHarness } from '#test/support/clients/harness';
import { freePort } from '#test/support/mysql';
import { eventually } from '#test/support/eventually';
import { clientSecret, startProvider } from '#test/support/open-id-provider';
import { installPackages } from '#test/support/own-packages';
import { emptyFolder, root } from '#test/support/process';
import { totpCode } from '#test/support/second-factor';

const home = join(root, 'examples/spa');
installPackages('examples/spa');
const built = emptyFolder();
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' };
/** The app as it is built: its files, and the page for every other path. */
const site = createServer((req, res) => {
  const file = join(built, req.url!.split('?')[0]!);
  const isFile = extname(file) !== '' && existsSync(file);
  res.setHeader('Content-Type', isFile ? TYPES[extname(file)]! : 'text/html');
  createReadStream(isFile ? file : join(built, 'index.html')).pipe(res);
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
afterAll(() => site.close());
const origin = `http://localhost:${(site.address() as AddressInfo).port}`;

const port = await freePort();
const publicUrl = `http://localhost:${port}`;
const people = { ida: { email: 'ida@idp.test', email_verified: true, name: 'Ida P' } };
const { issuer } = await startProvider([`${publicUrl}/auth/oidc/callback`], people);
const { gate, generationOf, Session } = await startHarness({
  PORT: String(port),
  PUBLIC_URL: publicUrl,
  ALLOWED_ORIGINS: origin,
  REDIRECT_URIS: `${origin}/signed-in`,
  PASSKEY_RP_ID: 'localhost',
  PASSKEY_ORIGINS: origin,
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'sallyport',
  OIDC_CLIENT_SECRET: clientSecret,
});

/** The gate under the name that the provider leads back to: cookies belong to a name, not to a port. */
const url = gate.url.replace('127.0.0.1', 'localhost');

const compiled = (program: string, args: string[]) =>
  execFileSync(join(home, 'node_modules/.bin', program), args, {
    cwd: home,
    encoding: 'utf8',
    env: { ...process.env, VITE_SALLYPORT_URL: url, NODE_ENV: 'production' },
  });

it('compiles, and has less than 300 lines', () => {
  expect(compiled('tsc', [])).toBe('');
  const files = readdirSync(join(home, 'src')).filter((file) => /\.tsx?$/.test(file));
  const lines = files.flatMap((file) => readFileSync(join(home, 'src', file), 'utf8').split('\n'));
  expect(lines.filter((line) => line.trim() !== '').length).toBeLessThan(300);
});

describe.runIf(hasBrowser)('the example for browsers', () => {
  let browser: Browser;
  beforeAll(async () => {
    compiled('vite', ['build', '--outDir', built, '--emptyOutDir', '--logLevel', 'error']);
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  let count = 0;
  const button = (tab: Page, name: string) => tab.getByRole('button', { name, exact: true });
  const press = (tab: Page, name: string) => button(tab, name).click();
  const sees = (tab: Page, text: string | RegExp) => tab.getByText(text).first().waitFor();
  async function open(context: BrowserContext): Promise<Page> {
    const tab = await context.newPage();
    tab.on('pageerror', (error) => expect.unreachable(String(error)));
    await tab.goto(origin);
    return tab;
  }
  /** Somebody who has signed up in a new browser. */
  async function signedUp() {
    const context = await browser.newContext();
    const tab = await open(context);
    const username = `ada${++count}`;
    await press(tab, 'I am new here');
    await tab.getByLabel('Username').fill(username);
    await tab.getByLabel('Password').fill(password);
    await press(tab, 'Sign up');
    await sees(tab, `Hello ${username}`);
    const { id } = (await Session.findOne({ order: [['id', 'DESC']] }))!;
    return { context, tab, username, sessionId: id };
  }
  async function signIn(tab: Page, username: string, typed = password) {
    await tab.getByLabel('Username or e-mail').fill(username);
    await tab.getByLabel('Password').fill(typed);
    await press(tab, 'Sign in');
  }
  const proves = async (tab: Page, label: string, text: string) => {
    await tab.getByRole('dialog').getByLabel(label).fill(text);
    await press(tab, 'Go on');
  };

  it('signs up, in and out, in three tabs, and refreshes once for them', async () => {
    const { context, tab, username, sessionId } = await signedUp();
    const tabs = [tab, await open(context), await open(context)];
    for (const each of tabs) await sees(each, 'this one');
    expire();
    gate.forget();
    await Promise.all(tabs.map((each) => press(each, 'Refresh')));
    await eventually(async () => expect(await generationOf(sessionId)).toBe(1));
    for (const each of tabs) await sees(each, 'this one');
    expect(gate.together(REFRESH)).toBe(1);
    await press(tabs[1]!, 'Sign out');
    for (const each of tabs) await button(each, 'Sign in').waitFor();
    await signIn(tab, username, 'wrong');
    await sees(tab, 'Those credentials are not correct');
    await signIn(tab, username);
    for (const each of tabs) await sees(each, `Hello ${username}`);
    await context.close();
  });

  it('stays signed in after a lost reply and without a network', async () => {
    const { context, tab, username, sessionId } = await signedUp();
    await sees(tab, 'this one');
    expire();
    gate.next(REFRESH, halved);
    await press(tab, 'Refresh');
    await eventually(async () => expect(await generationOf(sessionId)).toBe(1));
    await sees(tab, 'this one');
    await context.setOffline(true);
    await press(tab, 'Refresh');
    await sees(tab, 'The server cannot be reached');
    await sees(tab, `Hello ${username}`);
    await context.setOffline(false);
    await press(tab, 'Refresh');
    await tab.getByRole('alert').waitFor({ state: 'detached' });
    await context.close();
  });

  it('says why, in every tab, when the session was ended elsewhere', async () => {
    const { context, tab, username } = await signedUp();
    const other = await browser.newContext();
    const [second, elsewhere] = [await open(context), await open(other)];
    await signIn(elsewhere, username);
    await elsewhere.getByRole('region', { name: 'Sessions' }).getByText('End').click();
    await button(elsewhere, 'End').waitFor({ state: 'detached' });
    await press(tab, 'Refresh');
    await sees(tab, 'You were signed out');
    for (const each of [tab, second]) await button(each, 'Sign in').waitFor();
    await sees(elsewhere, `Hello ${username}`);
    for (const each of [context, other]) await each.close();
  });

  it('signs in with a provider', async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    await press(tab, 'Go on with oidc');
    await tab.waitForURL(`${issuer}/**`);
    await tab.fill('input[name=login]', 'ida');
    await tab.fill('input[name=password]', 'any');
    await tab.click('button[type=submit]');
    await tab.click('button[type=submit]'); // consent
    await sees(tab, 'Hello Ida P');
    expect(tab.url()).toBe(`${origin}/signed-in`);
    await context.close();
  });

  it('adds an app, asks for its code when signing in, and again after an hour', async () => {
    const { context, tab, username } = await signedUp();
    await press(tab, 'Add an app');
    const secret = await tab.locator('form code').innerText();
    await tab.getByLabel('Code that the app shows').fill(totpCode(secret, Date.now()));
    await press(tab, 'Add it');
    await sees(tab, 'Keep these recovery codes');
    await press(tab, 'Sign out');
    await signIn(tab, username);
    await proves(tab, 'Code of your app', '000 000');
    await sees(tab, 'That was not right');
    await proves(tab, 'Code of your app', totpCode(secret, Date.now(), 1));
    await sees(tab, `Hello ${username}`);
    for (let tenMinutes = 0; tenMinutes < 7; tenMinutes++) expire();
    await press(tab, 'Remove');
    await proves(tab, 'Code of your app', totpCode(secret, Date.now()));
    await button(tab, 'Remove').waitFor({ state: 'detached' });
    await context.close();
  });

  it('adds a passkey, and signs in with it, alone and after the password', async () => {
    const { context, tab, username } = await signedUp();
    await addAuthenticator(tab);
    await press(tab, 'Add a passkey');
    await sees(tab, 'Keep these recovery codes');
    await press(tab, 'Sign out');
    await press(tab, 'Use a passkey');
    await sees(tab, `Hello ${username}`);
    await press(tab, 'Sign out');
    await signIn(tab, username);
    await tab.getByRole('dialog').getByRole('button', { name: 'Use a passkey' }).click();
    await sees(tab, `Hello ${username}`);
    await context.close();
  });
});
