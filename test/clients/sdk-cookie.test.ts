import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { makeCertificate } from '#test/support/certificate';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { bundle } from '#test/support/clients/bundle';
import { halved, refused, says, startGate } from '#test/support/clients/gate';
import { expire } from '#test/support/clients/harness';
import { eventually } from '#test/support/eventually';
import { addApp } from '#test/support/second-factor';

const BASE = '/identity';
const REFRESH = `POST ${BASE}/auth/refresh`;
const LOGOUT = `POST ${BASE}/auth/logout`;
const { code: sdk } = await bundle('index');

/** An app, and the server at `/identity` of the same origin, as behind a proxy. */
async function startOrigin(scheme: string) {
  const nowhere = 'http://127.0.0.1:1';
  const gate = await startGate(
    nowhere,
    scheme === 'https' ? makeCertificate('DNS:localhost') : undefined,
  );
  afterAll(() => gate.close());
  const origin = gate.url.replace('127.0.0.1', 'localhost');
  const app = await startApp({ PUBLIC_URL: origin + BASE });
  gate.lead(app.url);
  const serve = () => {
    gate.forget();
    gate.all('GET /', says(200, '<!doctype html><title>App</title>'));
    gate.all('GET /sdk.js', says(200, sdk, { 'content-type': 'text/javascript' }));
  };
  return { ...app, gate, origin, serve };
}

describe.runIf(hasBrowser).each(['http', 'https'])(
  'sallyport/client with a cookie, over %s',
  async (scheme) => {
    const { ask, ctx, gate, origin, register, serve, Session } = await startOrigin(scheme);
    const COOKIE = scheme === 'https' ? '__Host-sallyport-refresh' : 'sallyport-refresh';
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser?.close());
    beforeEach(serve);
    afterEach(() => void vi.useRealTimers());

    const contexts: BrowserContext[] = [];
    afterEach(async () => {
      for (const context of contexts.splice(0)) await context.close();
    });
    async function newContext(): Promise<BrowserContext> {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      contexts.push(context);
      return context;
    }
    /** Its pauses end at once. */
    const client = `import('/sdk.js').then((sdk) => {
      window.states = [];
      window.client = sdk.createClient({
        url: location.origin + '${BASE}',
        credentials: 'cookie',
        sleep: async () => {},
        prompt: async () => ({ code: window.code }),
      });
      client.onChange(({ status }) => states.push(status));
    })`;
    async function load(tab: Page): Promise<Page> {
      await tab.goto(origin);
      await tab.evaluate(client);
      return tab;
    }
    const open = async (context: BrowserContext) => load(await context.newPage());
    const get = (tab: Page, path = '/me') =>
      tab.evaluate<number>(`client.request('GET', '${path}').then(({ status }) => status)`);
    const whoIn = (tab: Page) => tab.evaluate<string>('client.state.user?.username');
    const signIn = (tab: Page, identifier: string) =>
      tab.evaluate<boolean>(
        `client.signIn({ identifier: '${identifier}', password: '${password}' }).then(({ ok }) => ok)`,
      );
    const becomes = (tab: Page, status: string) =>
      eventually(async () => expect(await tab.evaluate('client.state.status')).toBe(status));
    const stored = (tab: Page) => tab.evaluate<Record<string, string>>('({ ...localStorage })');
    const cookies = async (context: BrowserContext) =>
      (await context.cookies()).map(({ name }) => name);
    /** Somebody who has signed in in the first tab. */
    async function signedIn() {
      const context = await newContext();
      const tab = await open(context);
      await becomes(tab, 'signed_out');
      const user = await register();
      expect(await signIn(tab, user.username)).toBe(true);
      return { ...user, context, tab, sessionId: (await stored(tab))['sallyport']! };
    }
    const isLive = async (id: string) => (await Session.findByPk(id))!.endedAt === null;

    it('keeps no token where a script can read it, and asks nothing without a session', async () => {
      const context = await newContext();
      const stranger = await open(context);
      await becomes(stranger, 'signed_out');
      expect(gate.seen.filter(({ what }) => what.includes(BASE))).toEqual([]);
      const { tab, context: own, sessionId } = await signedIn();
      expect(await stored(tab)).toEqual({ sallyport: sessionId });
      expect(await tab.evaluate('document.cookie')).toBe('');
      const [cookie] = await own.cookies();
      expect(cookie).toMatchObject({
        name: COOKIE,
        path: '/',
        httpOnly: true,
        secure: scheme === 'https',
        sameSite: 'Strict',
      });
      expect(await get(tab)).toBe(200);
      expect(gate.count(REFRESH)).toBe(0);
    });

    it('refreshes once when a page loads, in three tabs at once, too', async () => {
      const { context, tab, username } = await signedIn();
      await load(tab);
      await becomes(tab, 'signed_in');
      expect(await tab.evaluate('states')).toEqual(['signed_in']);
      expect(gate.count(REFRESH)).toBe(1);
      const tabs = await Promise.all([open(context), open(context), open(context)]);
      for (const each of tabs) await becomes(each, 'signed_in');
      for (const each of [tab, ...tabs]) expect(await whoIn(each)).toBe(username);
      expect([gate.count(REFRESH), gate.together(REFRESH)]).toEqual([4, 1]);
      expire();
      expect(await Promise.all([tab, ...tabs].map((each) => get(each)))).toEqual([
        200, 200, 200, 200,
      ]);
      expect([gate.count(REFRESH), gate.together(REFRESH)]).toEqual([8, 1]);
    });

    it('signs out everywhere, and in again as somebody else', async () => {
      const { context, tab, sessionId } = await signedIn();
      const others = [await open(context), await open(context)] as const;
      for (const each of others) await becomes(each, 'signed_in');
      await others[0].evaluate('client.signOut()');
      for (const each of [tab, ...others]) {
        await becomes(each, 'signed_out');
        expect(await get(each)).toBe(401);
      }
      expect([await cookies(context), await stored(tab)]).toEqual([[], {}]);
      expect(await isLive(sessionId)).toBe(false);
      const bob = await register();
      expect(await signIn(others[1], bob.username)).toBe(true);
      for (const each of [tab, ...others]) {
        await becomes(each, 'signed_in');
        expect(await whoIn(each)).toBe(bob.username);
      }
    });

    it('becomes whoever signs in in another tab', async () => {
      const { context, tab } = await signedIn();
      const other = await open(context);
      await becomes(other, 'signed_in');
      const bob = await register();
      expect(await signIn(other, bob.username)).toBe(true);
      await eventually(async () => expect(await whoIn(tab)).toBe(bob.username));
      expect(await get(tab)).toBe(200);
    });

    it('goes on after a lost reply', async () => {
      const { tab, sessionId } = await signedIn();
      expire();
      gate.next(REFRESH, halved);
      expect(await get(tab)).toBe(200);
      expect([gate.count(REFRESH), await isLive(sessionId)]).toEqual([2, true]);
    });

    it('waits no longer for a server that is away, and goes on when the network is back', async () => {
      const { context, tab, username } = await signedIn();
      gate.all(REFRESH, refused);
      await load(tab);
      await becomes(tab, 'signed_out');
      expect(await tab.evaluate('client.state.problem.action')).toBe('wait');
      expect(await cookies(context)).toEqual([COOKIE]);
      serve();
      await context.setOffline(true);
      await context.setOffline(false);
      await becomes(tab, 'signed_in');
      expect(await whoIn(tab)).toBe(username);
    });

    it('tells the server later of a sign-out without a network', async () => {
      const { context, tab, sessionId } = await signedIn();
      const other = await open(context);
      await becomes(other, 'signed_in');
      gate.all(LOGOUT, refused);
      await tab.evaluate('client.signOut()');
      for (const each of [tab, other]) await becomes(each, 'signed_out');
      expect(await stored(tab)).toEqual({ 'sallyport.ended': '[{}]' });
      expect([await get(other), await isLive(sessionId)]).toEqual([401, true]);
      serve();
      await load(other);
      await eventually(async () => expect(await isLive(sessionId)).toBe(false));
      await eventually(async () => expect(await stored(tab)).toEqual({}));
      expect([await cookies(context), gate.count(REFRESH)]).toEqual([[], 0]);
    });

    it('ends the session of such a sign-out before somebody signs in, and not the new one', async () => {
      const { context, tab, sessionId } = await signedIn();
      await context.setOffline(true);
      await tab.evaluate('client.signOut()');
      await context.setOffline(false);
      const bob = await register();
      expect(await signIn(tab, bob.username)).toBe(true);
      expect(await isLive(sessionId)).toBe(false);
      const { sallyport: now, ...others } = await stored(tab);
      expect([others, await isLive(now!)]).toEqual([{}, true]);
      await load(tab);
      await becomes(tab, 'signed_in');
      expect(await whoIn(tab)).toBe(bob.username);
    });

    it('signs out where the session was ended elsewhere', async () => {
      const { context, tab, username } = await signedIn();
      const other = await open(context);
      await becomes(other, 'signed_in');
      const { body } = await ask('POST', '/auth/login', {
        body: { identifier: username, password },
      });
      await ask('DELETE', '/me/sessions', { token: body.accessToken });
      expect(await get(tab)).toBe(400);
      for (const each of [tab, other]) await becomes(each, 'signed_out');
      expect([await cookies(context), await stored(tab)]).toEqual([[], {}]);
      expect(await other.evaluate('client.state.problem')).toBeUndefined();
    });

    it('says that nobody is there if the cookie was deleted', async () => {
      const { context, tab } = await signedIn();
      await context.clearCookies();
      await load(tab);
      await becomes(tab, 'signed_out');
      expect(await stored(tab)).toEqual({});
    });

    it('asks for a second factor, and for a new proof', async () => {
      const context = await newContext();
      const tab = await open(context);
      const user = await register();
      const { code } = await addApp(ctx, user);
      await tab.evaluate(`window.code = '${code()}'`);
      expect(await signIn(tab, user.username)).toBe(true);
      expect(await cookies(context)).toEqual([COOKIE]);
      expect(await get(tab, '/me/export')).toBe(200);
      await load(tab);
      await becomes(tab, 'signed_in');
    });
  },
);
