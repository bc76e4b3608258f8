import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { makeCertificate } from '#test/support/certificate';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { bundle } from '#test/support/clients/bundle';
import { halved, refused, says, startGate } from '#test/support/clients/gate';
import { expire } from '#test/support/clients/harness';
import { startSite } from '#test/support/clients/site';
import { eventually } from '#test/support/eventually';
import { clientSecret, startProvider } from '#test/support/open-id-provider';
import { addApp } from '#test/support/second-factor';

const BASE = '/identity';
const REFRESH = `POST ${BASE}/auth/refresh`;
const LOGOUT = `POST ${BASE}/auth/logout`;
const { code: sdk } = await bundle('index');

/** A page of another port is of another origin, and of the same site. */
const neighbour = (await startSite({})).replace('127.0.0.1', 'localhost');

/** An app, and the server at `/identity` of the same origin, as behind a proxy. */
async function startOrigin(scheme: string) {
  const nowhere = 'http://127.0.0.1:1';
  const gate = await startGate(
    nowhere,
    scheme === 'https' ? makeCertificate('DNS:localhost') : undefined,
  );
  afterAll(() => gate.close());
  const origin = gate.url.replace('127.0.0.1', 'localhost');
  const { issuer } = await startProvider([`${origin + BASE}/auth/oidc/callback`], {
    ida: { email: 'ida@idp.test', email_verified: true },
  });
  const app = await startApp({
    PUBLIC_URL: origin + BASE,
    REDIRECT_URIS: `${origin}/`,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: 'sallyport',
    OIDC_CLIENT_SECRET: clientSecret,
  });
  gate.lead(app.url);
  const serve = () => {
    gate.forget();
    gate.all('GET /', says(200, '<!doctype html><title>App</title>'));
    gate.all('GET /other', says(200, '<!doctype html><title>Another page</title>'));
    gate.all('GET /sdk.js', says(200, sdk, { 'content-type': 'text/javascript' }));
  };
  return { ...app, gate, origin, issuer, serve };
}

describe.runIf(hasBrowser).each(['http', 'https'])(
  'sallyport/client with a cookie, over %s',
  async (scheme) => {
    const { ask, ctx, gate, issuer, origin, register, serve, Session } = await startOrigin(scheme);
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

    it('comes back from a provider', async () => {
      const context = await newContext();
      const tab = await open(context);
      await tab.evaluate(
        `client.redirectTo('oidc', location.origin + '/').then((address) => { location.assign(address); })`,
      );
      await tab.waitForURL(`${issuer}/**`);
      await tab.fill('input[name=login]', 'ida');
      await tab.fill('input[name=password]', 'any');
      await tab.click('button[type=submit]');
      await tab.click('button[type=submit]'); // consent
      await tab.waitForURL(`${origin}/?*`);
      await tab.evaluate(client);
      expect(await tab.evaluate('client.comeBack().then(({ ok }) => ok)')).toBe(true);
      expect(await tab.evaluate('client.state.user.email')).toBe('ida@idp.test');
      expect(await cookies(context)).toContain(COOKIE);
      await load(tab);
      await becomes(tab, 'signed_in');
    });

    it('shows nothing private when somebody goes back after they signed out (Y-06)', async () => {
      const { context, tab } = await signedIn();
      await tab.goto(`${origin}/other`);
      const other = await open(context);
      await becomes(other, 'signed_in');
      await other.evaluate('client.signOut()');
      await tab.goBack();
      await tab.evaluate(client);
      await becomes(tab, 'signed_out');
      expect([await get(tab), await cookies(context)]).toEqual([401, []]);
    });

    it('is out of reach for a page of another port (Y-03, Y-04)', async () => {
      const { context, sessionId } = await signedIn();
      const [held] = await context.cookies();
      const mallory = await register();
      const evil = await context.newPage();
      await evil.goto(neighbour);
      const answers = await evil.evaluate<string[]>(`(async () => {
        const attempts = [];
        const headers = { 'X-Refresh-Token': 'cookie' };
        const json = { ...headers, 'Content-Type': 'application/json' };
        const login = '{"identifier":"${mallory.username}","password":"${password}"}';
        for (const [path, body] of [['refresh', '{}'], ['logout', '{}'], ['login', login]]) {
          const url = '${origin + BASE}/auth/' + path;
          const given = { method: 'POST', credentials: 'include', body };
          attempts.push(
            () => fetch(url, { ...given, headers: json }),
            () => fetch(url, { ...given, headers, mode: 'no-cors' }),
            () => fetch(url, { ...given, headers: json, mode: 'no-cors' }),
            () => fetch(url, given),
          );
        }
        const all = await Promise.all(attempts.map((attempt) => attempt().then(({ type }) => type, () => 'refused')));
        return [...new Set(all)];
      })()`);
      expect(answers).toEqual(['refused']);
      expect(Math.min(gate.count(REFRESH), gate.count(LOGOUT))).toBeGreaterThan(0); // some arrived
      for (const path of ['refresh', 'logout']) {
        await evil.setContent(
          `<form method="post" enctype="text/plain" action="${origin + BASE}/auth/${path}"><input name='{"a":"' value='"}'><button>x</button></form>`,
        );
        await Promise.all([evil.waitForURL(`${origin}/**`), evil.click('button')]);
        await evil.goto(neighbour);
      }
      expect(await context.cookies()).toEqual([held]);
      expect((await Session.findByPk(sessionId))!).toMatchObject({ generation: 0, endedAt: null });
    });
  },
);
