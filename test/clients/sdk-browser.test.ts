import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { bundle } from '#test/support/clients/bundle';
import { halved } from '#test/support/clients/gate';
import { expire, REFRESH, startHarness } from '#test/support/clients/harness';
import { startSite } from '#test/support/clients/site';
import { eventually } from '#test/support/eventually';

const origin = await startSite({ 'sdk.js': (await bundle('index')).code });
const { gate, generationOf, register, Session } = await startHarness({ ALLOWED_ORIGINS: origin });

describe.runIf(hasBrowser)('sallyport/client in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** A client over a storage of the module; without a name, the one by default. `sleep` ends with `goOn()`. */
  const client = (storage = '') => `import('/sdk.js').then((sdk) => {
    window.pauses = 0;
    const sleep = () => new Promise((done) => { pauses++; window.goOn = done; });
    window.client = sdk.createClient({ url: '${gate.url}', sleep, ${storage && `storage: sdk.${storage}()`} });
  })`;
  async function open(context: BrowserContext, storage?: string): Promise<Page> {
    const tab = await context.newPage();
    await tab.goto(origin);
    await tab.evaluate(client(storage));
    return tab;
  }
  const ask = (tab: Page, path = '/me') =>
    tab.evaluate<number>(`client.request('GET', '${path}').then(({ status }) => status)`);
  const state = (tab: Page) => tab.evaluate<string>('client.state.status');
  const signIn = (tab: Page, identifier: string) =>
    tab.evaluate<boolean>(
      `client.signIn({ identifier: '${identifier}', password: '${password}' }).then(({ ok }) => ok)`,
    );
  const becomes = (tab: Page, status: string) =>
    eventually(async () => expect(await state(tab)).toBe(status));
  /** Somebody who has signed in in the first tab. */
  async function signedIn(storage?: string) {
    const context = await browser.newContext();
    const tab = await open(context, storage);
    const { username } = await register();
    expect(await signIn(tab, username)).toBe(true);
    const sessions = await Session.findAll({ order: [['id', 'DESC']], limit: 1 });
    return { context, tab, username, sessionId: sessions[0]!.id };
  }

  it('keeps the tokens in localStorage, refreshes for all tabs, and tells them who is there', async () => {
    const { context, tab, username, sessionId } = await signedIn();
    const others = await Promise.all([open(context), open(context)]);
    const tabs = [tab, ...others];
    for (const each of tabs) await becomes(each, 'signed_in');
    expire();
    const paths = ['/me', '/me/sessions', '/me/factors'];
    expect(await Promise.all(tabs.map((each, i) => ask(each, paths[i])))).toEqual([200, 200, 200]);
    expect([gate.together(REFRESH), await generationOf(sessionId)]).toEqual([1, 1]);
    await others[0].evaluate('client.signOut()');
    for (const each of tabs) await becomes(each, 'signed_out');
    expect(await tab.evaluate('Object.keys(localStorage)')).toEqual([]);
    expect(await signIn(others[1], username)).toBe(true);
    for (const each of tabs) await becomes(each, 'signed_in');
    await context.close();
    const again = await browser.newContext();
    expect(await state(await open(again))).not.toBe('signed_in');
    await again.close();
  });

  it('goes on after a lost reply and without a network, and nobody is signed out', async () => {
    const { context, tab, sessionId } = await signedIn();
    const pauses = (count: number) => tab.waitForFunction(`pauses === ${count}`);
    expire();
    gate.next(REFRESH, halved); // one that is lost as a whole a browser may repeat by itself
    const asked = ask(tab);
    await pauses(1);
    await context.setOffline(true);
    await tab.evaluate('goOn()');
    await pauses(2);
    expect(await state(tab)).toBe('signed_in');
    await context.setOffline(false);
    await tab.evaluate('goOn()');
    expect(await asked).toBe(200);
    expect([gate.count(REFRESH), await generationOf(sessionId)]).toEqual([2, 1]);
    await context.close();
  });

  it('goes on where the clock is a year off', async () => {
    const { context, tab: before } = await signedIn();
    await context.clock.setFixedTime(Date.now() + 365 * 24 * 3600 * 1000);
    const tab = await open(context);
    for (const each of [before, tab]) expect(await ask(each)).toBe(200);
    expect(gate.count(REFRESH)).toBe(0);
    expire();
    expect(await ask(tab)).toBe(200);
    expect(gate.count(REFRESH)).toBe(1);
    await context.close();
  });

  it.each(['sessionStorage', 'memoryStorage'])('keeps tabs apart with %s', async (storage) => {
    const { context, tab } = await signedIn(storage);
    const other = await open(context, storage);
    await becomes(other, 'signed_out');
    expect(await ask(tab)).toBe(200);
    await tab.reload();
    await tab.evaluate(client(storage));
    await becomes(tab, storage === 'sessionStorage' ? 'signed_in' : 'signed_out');
    expect(await tab.evaluate('Object.keys(localStorage)')).toEqual([]);
    await context.close();
  });

  it('keeps a tab signed in when it is duplicated, and its copy apart', async () => {
    const { context, tab, username } = await signedIn('sessionStorage');
    expect(await ask(tab)).toBe(200);
    const opened = context.waitForEvent('page');
    await tab.evaluate('void window.open(location.href)'); // with a copy, as “Duplicate tab” makes one
    const copy = await opened;
    await copy.waitForLoadState();
    expect(await copy.evaluate('Object.keys(sessionStorage)')).toContain('sallyport');
    await copy.evaluate(client('sessionStorage'));
    expect([await ask(copy), await state(copy), await state(tab)]).toEqual([
      401,
      'signed_out',
      'signed_in',
    ]);
    expect(await signIn(copy, username)).toBe(true);
    for (let i = 0; i < 2; i++) {
      expire();
      expect([await ask(tab), await ask(copy)]).toEqual([200, 200]);
    }
    for (const page of [tab, copy]) {
      await page.reload();
      await page.evaluate(client('sessionStorage'));
      expect(await ask(page)).toBe(200);
    }
    await context.close();
  });
});
