import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient, memoryStorage } from '#src/client/index';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { bundle } from '#test/support/clients/bundle';
import { startSite } from '#test/support/clients/site';
import { sharedTexts } from '#test/support/clients/sdk-harness';
import { freePort } from '#test/support/mysql';
import { clientSecret, startProvider } from '#test/support/open-id-provider';

const origin = await startSite({ 'sdk.js': (await bundle('index')).code });
const redirectUri = `${origin}/signed-in`;
const port = await freePort();
const here = `http://localhost:${port}`;
const people = { ida: { email: 'ida@idp.test', email_verified: true }, ora: {}, eli: {} };
const { issuer } = await startProvider([`${here}/auth/oidc/callback`], people);
const { register } = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  ALLOWED_ORIGINS: origin,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'sallyport',
  OIDC_CLIENT_SECRET: clientSecret,
});

describe('what comes back', () => {
  const asking = async () => {
    const client = createClient({ url: here, storage: memoryStorage() });
    const address = new URL(await client.redirectTo('oidc', redirectUri, { prompt: 'none' }));
    const { state, codeChallenge } = Object.fromEntries(address.searchParams);
    return { client, address, state: state!, codeChallenge: codeChallenge! };
  };

  it('begins with an address that has a challenge and a state of its own', async () => {
    const { address, state, codeChallenge, client } = await asking();
    expect(address.origin + address.pathname).toBe(`${here}/auth/oidc`);
    expect(Object.fromEntries(address.searchParams)).toEqual({
      redirectUri,
      prompt: 'none',
      state,
      codeChallenge,
    });
    for (const each of [state, codeChallenge]) expect(each).toMatch(/^[\w-]{43}$/);
    const other = await client.newChallenge();
    expect(new Set([state, codeChallenge, other.state, other.codeChallenge]).size).toBe(4);
  });

  it('is null without a state of this client, and nothing is sent', async () => {
    const { client } = await asking();
    for (const query of ['', '?code=x', '?code=x&state=', '?code=x&state=y', '?error=x&state=y'])
      expect(await client.comeBack(`${redirectUri}${query}`), query).toBeNull();
  });

  it.each([
    ['access_denied', 'sign_in'],
    ['interaction_required', 'sign_in'],
    ['unavailable', 'wait'],
    ['rate_limited', 'wait'],
    ['server_error', 'stop'],
  ])('says %s, once, with the action %s', async (error, action) => {
    const { client, state } = await asking();
    const address = `${redirectUri}?error=${error}&error_description=No+luck&state=${state}#x`;
    expect(await client.comeBack(address)).toEqual({
      ok: false,
      status: 0,
      body: { code: error, action, title: 'No luck', status: 0 },
    });
    expect(await client.comeBack(address)).toBeNull();
  });

  it('is exchanged once', async () => {
    const { client, state } = await asking();
    const address = `${redirectUri}?code=wrong&state=${state}`;
    expect(await client.comeBack(address)).toMatchObject({ body: { code: 'invalid_code' } });
    expect(await client.comeBack(address)).toBeNull();
  });

  it('is known for the last five that were begun, also after a restart', async () => {
    const shared = sharedTexts();
    const client = createClient({ url: here, storage: shared.tab() });
    const begun: string[] = [];
    for (let i = 0; i < 6; i++) begun.push((await client.newChallenge()).state);
    const next = createClient({ url: here, storage: shared.tab() });
    const back = (state: string) => next.comeBack(`${redirectUri}?code=wrong&state=${state}`);
    const [first, ...others] = begun;
    expect(await back(first!)).toBeNull();
    for (const state of others) expect(await back(state)).toMatchObject({ ok: false });
  });
});

describe.runIf(hasBrowser)('a provider in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const load = (storage: string) => `import('/sdk.js').then((sdk) => {
    window.client = sdk.createClient({ url: '${here}', storage: sdk.${storage}() });
  })`;
  async function open(storage: string): Promise<Page> {
    const tab = await (await browser.newContext()).newPage();
    await tab.goto(origin);
    await tab.evaluate(load(storage));
    return tab;
  }
  /** To the provider, where somebody signs in, or not, and back. */
  async function travel(tab: Page, storage: string, login: string | null): Promise<Page> {
    await tab.evaluate(
      `client.redirectTo('oidc', '${redirectUri}').then((address) => { location.assign(address); })`,
    );
    await tab.waitForURL(`${issuer}/**`);
    if (login) {
      await tab.fill('input[name=login]', login);
      await tab.fill('input[name=password]', 'any');
      await tab.click('button[type=submit]');
      await tab.click('button[type=submit]'); // consent
    } else await tab.click('text=Cancel');
    await tab.waitForURL(`${origin}/**`);
    await tab.evaluate(load(storage));
    return tab;
  }
  // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
  const comeBack = (tab: Page, given = '') => tab.evaluate<any>(`client.comeBack(${given})`);

  it.each(['localStorage', 'sessionStorage', 'memoryStorage'])(
    'signs in, with %s',
    async (storage) => {
      const tab = await travel(await open(storage), storage, 'ida');
      expect(await comeBack(tab)).toMatchObject({
        ok: true,
        body: { user: { email: 'ida@idp.test' } },
      });
      expect(await tab.evaluate('client.state.user.email')).toBe('ida@idp.test');
      expect(tab.url()).toBe(redirectUri); // the code has gone from the address
      expect(await comeBack(tab)).toBeNull();
      expect(
        await tab.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })'),
      ).not.toMatch(/redirects":"\[\[/);
      await tab.context().close();
    },
  );

  it('links a provider to the user who is signed in', async () => {
    const { username } = await register();
    const tab = await open('localStorage');
    await tab.evaluate(`client.signIn({ identifier: '${username}', password: '${password}' })`);
    await travel(tab, 'localStorage', 'ora');
    expect(await comeBack(tab, `undefined, 'oidc'`)).toMatchObject({
      status: 201,
      body: { provider: 'oidc' },
    });
    expect(await tab.evaluate('client.state.user.username')).toBe(username);
    const again = await travel(await open('localStorage'), 'localStorage', 'ora');
    expect(await comeBack(again)).toMatchObject({ body: { user: { username } } });
    for (const each of [tab, again]) await each.context().close();
  });

  it('says that the user has cancelled', async () => {
    const tab = await travel(await open('localStorage'), 'localStorage', null);
    expect(await comeBack(tab)).toMatchObject({ ok: false, body: { code: 'access_denied' } });
    expect(tab.url()).toBe(redirectUri);
    await tab.context().close();
  });

  it('brings nothing in for whoever follows a link of somebody else', async () => {
    const tab = await open('localStorage');
    const asked: string[] = [];
    tab.on('request', (request) => asked.push(request.url()));
    await tab.goto(`${redirectUri}?code=of-somebody-else&state=x`);
    await tab.evaluate(load('localStorage'));
    expect(await comeBack(tab)).toBeNull();
    expect(asked.filter((url) => url.startsWith(here))).toEqual([]);
    await tab.context().close();
  });
});
