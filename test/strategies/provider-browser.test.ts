import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { blocks } from '#test/support/clients/examples';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { engine } from '#test/support/database';
import { clientSecret, startProvider } from '#test/support/open-id-provider';
import { freePort } from '#test/support/mysql';

/** The app: an empty page of another origin, and the modules of docs/clients.md. */
const site = createServer((req, res) => {
  const module = blocks.get(req.url!.slice(1));
  res
    .setHeader('Content-Type', module === undefined ? 'text/html' : 'text/javascript')
    .end(module ?? '<!doctype html><title>App</title>');
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
afterAll(() => site.close());
const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
const redirectUri = 'http://127.0.0.1/signed-in';

const port = await freePort();
const here = `http://localhost:${port}`;
const people = { ida: { email: 'ida@idp.test', email_verified: true }, ora: {} };
const { issuer } = await startProvider([`${here}/auth/oidc/callback`], people);
const { register } = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  ALLOWED_ORIGINS: origin,
  REDIRECT_URIS: redirectUri,
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'sallyport',
  OIDC_CLIENT_SECRET: clientSecret,
});

// What a browser does does not depend on the database, so one engine is enough.

describe.runIf(hasBrowser && engine === 'sqlite')('provider.js', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const LIBRARY = `import('/provider.js').then((module) => { window.provider = module; })`;
  /** A tab of a new browser that has been at the provider. */
  async function travel(atProvider: (tab: Page) => Promise<void>): Promise<Page> {
    const tab = await (await browser.newContext()).newPage();
    await tab.goto(origin);
    await tab.evaluate(LIBRARY);
    await tab.evaluate(`void provider.goTo('${here}', 'oidc', '${origin}/signed-in')`);
    await tab.waitForURL(`${issuer}/**`);
    await atProvider(tab);
    await tab.waitForURL(`${origin}/**`);
    await tab.evaluate(LIBRARY);
    return tab;
  }
  const signInAs = (who: string) => async (tab: Page) => {
    await tab.fill('input[name=login]', who);
    await tab.fill('input[name=password]', 'any');
    await tab.click('button[type=submit]');
    await tab.click('button[type=submit]'); // consent
  };
  const send = (tab: Page, path: string, token = '') =>
    tab.evaluate<{ status: number; body: Record<string, never> }>(`(async () => {
      const headers = { 'Content-Type': 'application/json', ${token && `Authorization: 'Bearer ${token}'`} };
      const answer = await fetch('${here}${path}', { method: 'POST', headers, body: JSON.stringify(provider.comeBack()) });
      return { status: answer.status, body: await answer.json() };
    })()`);

  it('signs in through a provider, in a browser', async () => {
    const tab = await travel(signInAs('ida'));
    expect(await send(tab, '/auth/exchange')).toMatchObject({
      status: 200,
      body: { user: { email: 'ida@idp.test', emailVerified: true } },
    });
    expect(tab.url()).toBe(`${origin}/signed-in`); // the code has gone from the address
    expect(await tab.evaluate('provider.comeBack()')).toBeNull();
    expect(await tab.context().cookies(here)).toEqual([]);
  });

  it('links a provider to the user who is signed in', async () => {
    const me = await register();
    const tab = await travel(signInAs('ora'));
    expect(await send(tab, '/me/identities/oidc', me.token)).toMatchObject({
      status: 201,
      body: { provider: 'oidc' },
    });
    const again = await travel(signInAs('ora'));
    expect(await send(again, '/auth/exchange')).toMatchObject({ body: { user: { id: me.id } } });
  });

  it('says what went wrong', async () => {
    const tab = await travel(async (page) => {
      await page.click('text=Cancel');
    });
    const error = await tab.evaluate(
      `(() => { try { provider.comeBack(); } catch (error) { return [error.code, error.message]; } })()`,
    );
    expect(error).toEqual(['access_denied', 'The sign-in was not completed']);
  });
});
