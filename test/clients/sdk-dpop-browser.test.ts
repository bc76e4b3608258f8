import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { bundle } from '#test/support/clients/bundle';
import { expire, ME, REFRESH, startHarness } from '#test/support/clients/harness';
import { startSite } from '#test/support/clients/site';
import { listening, secondService } from '#test/support/second-service';

const origin = await startSite({
  'sdk.js': (await bundle('index')).code,
  'dpop.js': (await bundle('dpop')).code,
});
const app = await startHarness({ ALLOWED_ORIGINS: origin }, { isPublic: true });
const { gate, register } = app;
app.startSealing();

/** As an app lets pages of another origin in. */
const CORS = {
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Allow-Headers': 'Authorization, DPoP',
  'Access-Control-Expose-Headers': 'DPoP-Nonce, WWW-Authenticate, Date',
};
/** Another service at an address of its own. */
async function startService() {
  let target = '';
  const url = await listening(async (req, res) => {
    if (req.method === 'OPTIONS') return void res.writeHead(204, CORS).end();
    const { authorization = '', dpop = '' } = req.headers;
    const answer = await fetch(target + req.url, {
      headers: { authorization, dpop: String(dpop) },
    });
    const {
      'content-length': _,
      'transfer-encoding': __,
      ...own
    } = Object.fromEntries(answer.headers);
    res.writeHead(answer.status, { ...own, ...CORS }).end(await answer.text());
  });
  target = (await secondService(app, { dpop: { url } })).url;
  return url;
}

describe.runIf(hasBrowser)('sallyport/client/dpop in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function open(context: BrowserContext, api = 'http://unused.example'): Promise<Page> {
    const tab = await context.newPage();
    await tab.goto(origin);
    await tab.evaluate(`Promise.all([import('/sdk.js'), import('/dpop.js')]).then(([sdk, own]) => {
      window.client = sdk.createClient({ url: '${gate.url}', apis: ['${api}'], dpop: own.dpop() });
    })`);
    return tab;
  }
  const ask = (tab: Page, path = '/me') =>
    tab.evaluate<number>(`client.request('GET', '${path}').then(({ status }) => status)`);
  const signIn = (tab: Page, identifier: string) =>
    tab.evaluate<string>(
      `client.signIn({ identifier: '${identifier}', password: '${password}' }).then(({ body }) => body.tokenType)`,
    );
  const tokenIn = (tab: Page) =>
    tab.evaluate<string>(`JSON.parse(localStorage.getItem('sallyport')).accessToken`);
  const jktIn = async (tab: Page) =>
    JSON.parse(Buffer.from((await tokenIn(tab)).split('.')[1]!, 'base64url').toString()).cnf.jkt;
  const inKeys = (work: string) => `new Promise((done) => {
    const opening = indexedDB.open('sallyport');
    opening.onsuccess = () => {
      const db = opening.result;
      const store = db.transaction('keys', 'readwrite').objectStore('keys');
      ${work}
    };
  })`;

  it('has one key for all tabs, also if they begin together, and after a reload', async () => {
    const context = await browser.newContext();
    const tabs = await Promise.all([open(context), open(context), open(context)]);
    const users = await Promise.all(tabs.map(() => register()));
    const types = await Promise.all(tabs.map((tab, i) => signIn(tab, users[i]!.username)));
    expect(types).toEqual(['DPoP', 'DPoP', 'DPoP']);
    const count = inKeys('store.count().onsuccess = (event) => done(event.target.result);');
    expect(await tabs[0].evaluate(count)).toBe(1);
    const before = await jktIn(tabs[0]);
    for (const tab of tabs) expect(await ask(tab)).toBe(200);
    expire();
    const paths = ['/me', '/me/sessions', '/me/factors'];
    expect(await Promise.all(tabs.map((tab, i) => ask(tab, paths[i])))).toEqual([200, 200, 200]);
    const again = await open(context);
    expect(await ask(again)).toBe(200);
    expect(await jktIn(again)).toBe(before);
    await context.close();
  });

  it('keeps a key that no script can read, and tokens that are of no use without it', async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    await signIn(tab, (await register()).username);
    const exported = await tab.evaluate(
      inKeys(`store.getAll().onsuccess = async ({ target: { result: [pair] } }) => done([
        pair.privateKey.extractable,
        await crypto.subtle.exportKey('jwk', pair.privateKey).then(() => 'read', (error) => error.name),
      ]);`),
    );
    expect(exported).toEqual([false, 'InvalidAccessError']);
    const token = await tokenIn(tab);
    for (const scheme of ['Bearer', 'DPoP']) {
      const headers = { authorization: `${scheme} ${token}` };
      expect((await app.ask('GET', '/me', { headers })).status).toBe(401);
    }
    // Another browser that got the tokens, and not the key.
    const elsewhere = await browser.newContext();
    const thief = await open(elsewhere);
    const kept = await tab.evaluate<string>(`localStorage.getItem('sallyport')`);
    await thief.evaluate(`localStorage.setItem('sallyport', ${JSON.stringify(kept)})`);
    const [refreshes, asked] = [gate.count(REFRESH), gate.count(ME)];
    expect(await ask(thief)).toBe(400);
    expect(gate.count(ME)).toBe(asked);
    expect(gate.count(REFRESH)).toBeGreaterThan(refreshes);
    expect(await ask(tab)).toBe(200);
    await context.close();
    await elsewhere.close();
  });

  it('is signed out where the key was cleared, and signs in again', async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    const { username } = await register();
    await signIn(tab, username);
    await tab.evaluate(inKeys('store.clear().onsuccess = () => { db.close(); done(); };'));
    const fresh = await open(context);
    expect(await ask(fresh)).toBe(400);
    expect(await fresh.evaluate('client.state.problem.reason')).toBe('key');
    expect(await signIn(fresh, username)).toBe('DPoP');
    expect(await ask(fresh)).toBe(200);
    await context.close();
  });

  it.each([-2, 2])('reaches another service where the clock is %i days off', async (days) => {
    const api = await startService();
    const context = await browser.newContext();
    await context.clock.setFixedTime(Date.now() + days * 86_400_000);
    const tab = await open(context, api);
    await signIn(tab, (await register()).username);
    const reached = (page: Page) =>
      page.evaluate<number>(`client.fetch('${api}/who').then(({ status }) => status)`);
    expect(await reached(tab)).toBe(200);
    expect(await reached(await open(context, api))).toBe(200);
    await context.close();
  });
});
