import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { engine } from '#test/support/database';
import { blocks } from '#test/support/clients/examples';
import { halved, heldUntil, pass, type Fate } from '#test/support/clients/gate';
import { eventually } from '#test/support/eventually';
import { rounds } from '#test/support/rounds';
import { expire, ME, REFRESH, startHarness } from '#test/support/clients/harness';

/** The app: an empty page of another origin, and the modules of docs/clients.md. */
const site = createServer((req, res) => {
  const module = blocks.get(req.url!.slice(1));
  res
    .setHeader('Content-Type', module === undefined ? 'text/html' : 'text/javascript')
    .end(module ?? '<!doctype html><title>App</title>');
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
const { gate, generationOf, register, Session } = await startHarness({ ALLOWED_ORIGINS: origin });
afterAll(() => site.close());

// What a browser does does not depend on the database, so one engine is enough.

describe.runIf(hasBrowser && engine === 'sqlite')('the fetch client in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const PAUSE = `window.pauses = 0; window.sleep = () => new Promise((done) => { pauses++; window.goOn = done; });`;
  const CLIENT = `Promise.all([import('/fetch-client.js'), import('/local-storage.js')]).then(([{ createClient }, { storage }]) => {
    window.client = createClient({ baseUrl: '${gate.url}', storage: window.shared ?? storage, sleep });
  })`;
  /** A store that all tabs see at once, which localStorage does not promise. */
  const SHARED =
    'window.shared = { get: () => kept(), set: (tokens) => kept(tokens), clear: () => kept(null) };';
  const ask = (tab: Page, path = '/me') =>
    tab.evaluate<number>(`client.request('GET', '${path}').then(({ status }) => status)`);
  /** Two tabs at once. Not the same path: a browser would send one after the other. */
  const askBoth = ([one, other]: Page[]) => {
    const [first, second] = together(2);
    gate.next(ME, first!);
    gate.next('GET /me/sessions', second!);
    return Promise.all([ask(one!), ask(other!, '/me/sessions')]);
  };

  /** Somebody who is signed in, with so many tabs of one browser. `before` runs in each tab first. */
  async function tabs(count: number, before = '') {
    const user = await register();
    const context = await browser.newContext();
    await context.addInitScript(PAUSE + before);
    let kept: object | null = user.tokens;
    await context.exposeFunction('kept', (tokens?: object | null) =>
      tokens === undefined ? kept : (kept = tokens),
    );
    const open = async () => {
      const tab = await context.newPage();
      await tab.goto(origin);
      await tab.evaluate(CLIENT);
      return tab;
    };
    const opened = await Promise.all(Array.from({ length: count }, open));
    await opened[0]!.evaluate(
      `localStorage.setItem('tokens', ${JSON.stringify(JSON.stringify(user.tokens))})`,
    );
    const sessions = () => Session.count({ where: { userId: user.id, endedAt: null } });
    return { context, tabs: opened, open, sessions, sessionId: user.tokens.session.id as string };
  }
  /** Lets requests through when so many are there. */
  const together = (count: number): Fate[] => {
    const there = Promise.withResolvers<void>();
    let missing = count;
    return Array.from({ length: count }, () => async (visit) => {
      if (--missing === 0) there.resolve();
      await there.promise;
      return pass(visit);
    });
  };

  it.each([
    ['a store that both see', SHARED, 1],
    ['localStorage, which may lag behind', '', 2],
  ])('sends a refresh for two tabs, one after the other, with %s', async (_store, before, most) => {
    const { context, tabs: both, sessionId, sessions } = await tabs(2, before);
    for (let generation = 1; generation <= rounds(2, 20); generation++) {
      expire();
      gate.forget();
      expect(await askBoth(both)).toEqual([200, 200]);
      expect([gate.together(REFRESH), await generationOf(sessionId), await sessions()]).toEqual([
        1,
        generation,
        1,
      ]);
      expect(gate.count(REFRESH)).toBeLessThanOrEqual(most);
    }
    await context.close();
  });

  it('leaves both tabs signed in when both refresh at once, without locks', async () => {
    const {
      context,
      tabs: both,
      sessionId,
      sessions,
    } = await tabs(2, 'delete Navigator.prototype.locks;');
    expect(await both[0]!.evaluate('navigator.locks')).toBeUndefined();
    for (let generation = 1; generation <= rounds(2, 20); generation++) {
      expire();
      gate.forget();
      gate.next(REFRESH, ...together(2));
      expect(await askBoth(both)).toEqual([200, 200]);
      expect([gate.together(REFRESH), await generationOf(sessionId), await sessions()]).toEqual([
        2,
        generation,
        1,
      ]);
    }
    await context.close();
  });

  it('goes on when the network was away during a refresh', async () => {
    const { context, tabs: one, sessionId } = await tabs(1);
    const [tab] = one as [Page];
    const pauses = (count: number) =>
      tab.waitForFunction(`pauses === ${count}`, undefined, { polling: 20 });
    expire();
    gate.next(REFRESH, halved); // one that is lost as a whole a browser may repeat by itself
    const asked = ask(tab);
    await pauses(1);
    await context.setOffline(true);
    await tab.evaluate('goOn()');
    await pauses(2);
    await context.setOffline(false);
    await tab.evaluate('goOn()');
    expect(await asked).toBe(200);
    expect([gate.count(REFRESH), await generationOf(sessionId)]).toEqual([2, 1]);
    await context.close();
  });

  it('goes on in the other tab when one is closed during a refresh', async () => {
    const { context, tabs: both, sessionId } = await tabs(2);
    const [tab, other] = both as [Page, Page];
    expire();
    const never = Promise.withResolvers<void>();
    gate.next(REFRESH, heldUntil(never.promise));
    ask(tab).catch(() => {});
    await eventually(() => expect(gate.count(REFRESH)).toBe(1));
    await tab.close();
    expect(await ask(other)).toBe(200);
    expect([gate.count(REFRESH), await generationOf(sessionId)]).toEqual([2, 1]);
    never.resolve();
    await context.close();
  });

  it('does not wait for a frozen tab that holds the lock', async () => {
    const { context, tabs: both, sessionId, sessions } = await tabs(2);
    const [frozen, tab] = both as [Page, Page];
    expire();
    const thawed = Promise.withResolvers<void>();
    gate.next(REFRESH, heldUntil(thawed.promise));
    const late = ask(frozen);
    await eventually(() => expect(gate.count(REFRESH)).toBe(1));
    const devTools = await context.newCDPSession(frozen);
    await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
    expect(await tab.evaluate('navigator.locks.query().then(({ held }) => held.length)')).toBe(1);
    expect(await ask(tab)).toBe(200);
    await devTools.send('Page.setWebLifecycleState', { state: 'active' });
    thawed.resolve();
    expect(await late).toBe(200);
    expect([await generationOf(sessionId), await sessions()]).toEqual([1, 1]);
    await context.close();
  });

  describe('with sessionStorage', () => {
    /** The same page again, with a copy of its sessionStorage: what “Duplicate tab” does. */
    async function duplicate(tab: Page, load: string): Promise<Page> {
      const opened = tab.context().waitForEvent('page');
      await tab.evaluate('void window.open(location.href)');
      const copy = await opened;
      await copy.waitForLoadState();
      await copy.evaluate(load);
      return copy;
    }
    const signInAgain = (tab: Page, identifier: string) =>
      tab.evaluate<number>(
        `client.login({ identifier: '${identifier}', password: '${password}' }).then(({ status }) => status)`,
      );
    async function oneTab(load: string) {
      const user = await register();
      const context = await browser.newContext();
      await context.addInitScript(PAUSE);
      const tab = await context.newPage();
      await tab.goto(origin);
      await tab.evaluate(
        `sessionStorage.setItem('tokens', ${JSON.stringify(JSON.stringify(user.tokens))})`,
      );
      await tab.evaluate(load);
      return { context, tab, user };
    }
    const OWN = CLIENT.replace('local-storage', 'session-storage');
    const NAIVE =
      CLIENT.slice(0, CLIENT.indexOf('.then')).replace(
        "import('/local-storage.js')",
        `({
        storage: {
          get: () => JSON.parse(sessionStorage.getItem('tokens')),
          set: (tokens) => sessionStorage.setItem('tokens', JSON.stringify(tokens)),
          clear: () => sessionStorage.removeItem('tokens'),
        },
      })`,
      ) + CLIENT.slice(CLIENT.indexOf('.then'));

    it('a duplicated tab and its copy are signed out, if they do not know of each other', async () => {
      const { context, tab } = await oneTab(NAIVE);
      const copy = await duplicate(tab, NAIVE);
      expire();
      expect(await ask(tab)).toBe(200);
      expire();
      await expect(ask(copy)).rejects.toThrow('Cannot refresh');
      await expect(ask(tab)).rejects.toThrow('Cannot refresh');
      await context.close();
    });

    it('keeps a tab signed in when it is duplicated, and its copy apart', async () => {
      const { context, tab, user } = await oneTab(OWN);
      expect(await ask(tab)).toBe(200);
      const copy = await duplicate(tab, OWN);
      expect(await ask(copy)).toBe(401);
      expect(await signInAgain(copy, user.username)).toBe(200);
      for (let i = 0; i < 2; i++) {
        expire();
        expect([await ask(tab), await ask(copy)]).toEqual([200, 200]);
      }
      for (const page of [tab, copy]) {
        await page.reload();
        await page.evaluate(OWN);
        expect(await ask(page)).toBe(200);
      }
      await context.close();
    });
  });

  it('goes on where the clock is a year off', async () => {
    const { context, open } = await tabs(1);
    await context.clock.setFixedTime(Date.now() + 365 * 24 * 3600 * 1000);
    const tab = await open();
    expect(await ask(tab)).toBe(200);
    expire();
    expect(await ask(tab)).toBe(200);
    expect(gate.count(REFRESH)).toBe(1);
    await context.close();
  });
});
