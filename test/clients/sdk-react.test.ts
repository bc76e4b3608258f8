import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '#src/client/index';
import { SallyportProvider, useClient, useSession } from '#src/client/react';
import { password } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { bundle, reactBundle } from '#test/support/clients/bundle';
import { startHarness } from '#test/support/clients/harness';
import { startSite } from '#test/support/clients/site';

const origin = await startSite(
  { 'app.js': await reactBundle() },
  '<title>App</title><div id="app"></div>',
);
const { gate, register } = await startHarness({ ALLOWED_ORIGINS: origin });

describe('sallyport/react', () => {
  it('has less than 1 kB, and brings nothing along but React', async () => {
    const { code, imports } = await bundle('react', ['react']);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(1000);
    expect(imports).toEqual(['react']);
  });

  const Who = () => {
    const { status, user } = useSession();
    return createElement('p', null, user?.username ?? status);
  };

  it('renders on a server, where nobody knows yet who is there', () => {
    const client = createClient({ url: gate.url });
    const page = createElement(SallyportProvider, { client }, createElement(Who));
    expect(renderToString(page)).toBe('<p>loading</p>');
    client.close();
  });

  it('says so when the provider is missing', () => {
    const Alone = () => createElement('p', null, useClient().state.status);
    for (const component of [Who, Alone])
      expect(() => renderToString(createElement(component))).toThrow('no SallyportProvider');
  });
});

describe.runIf(hasBrowser)('sallyport/react in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** Two components that show who is signed in. What each has shown is in `shown`. */
  const PAGE = `import('/app.js').then((app) => {
    const { createElement: h } = app;
    window.app = app;
    window.client = app.createClient({ url: '${gate.url}' });
    window.shown = [];
    const Who = ({ at }) => {
      const { status, user } = app.useSession();
      const same = app.useClient() === client;
      shown.push(at + ' ' + (user?.username ?? status) + (same ? '' : ' with another client'));
      return h('p', null, user?.username ?? status);
    };
    window.page = (...at) => h(app.SallyportProvider, { client }, ...at.map((at) => h(Who, { at, key: at })));
  })`;
  const SHOW = `document.title = 'shown', window.root = app.createRoot(document.querySelector('#app')), root.render(page('a', 'b'))`;
  async function open(context: Awaited<ReturnType<Browser['newContext']>>): Promise<Page> {
    const tab = await context.newPage();
    tab.on('pageerror', (error) => expect.unreachable(String(error)));
    await tab.goto(origin);
    await tab.evaluate(PAGE);
    return tab;
  }
  const says = (tab: Page, text: string) =>
    tab.waitForFunction(
      `document.querySelector('#app').innerText.trim() === '${text}\\n\\n${text}'`,
    );
  const signIn = (tab: Page, identifier: string) =>
    tab.evaluate(
      `client.signIn({ identifier: '${identifier}', password: '${password}' }).then(({ ok }) => ok)`,
    );

  it('shows who is signed in, in every component and tab, and renders once for each change', async () => {
    const context = await browser.newContext();
    const [tab, other] = [await open(context), await open(context)];
    for (const each of [tab, other]) {
      await each.evaluate(SHOW);
      await says(each, 'signed_out');
    }
    const { username } = await register();
    await tab.evaluate('shown.length = 0');
    expect(await signIn(tab, username)).toBe(true);
    for (const each of [tab, other]) await says(each, username);
    expect(await tab.evaluate('client.request("GET", "/me").then(({ status }) => status)')).toBe(
      200,
    );
    expect(await tab.evaluate('shown')).toEqual([`a ${username}`, `b ${username}`]);
    await other.evaluate('client.signOut()');
    for (const each of [tab, other]) await says(each, 'signed_out');
    await context.close();
  });

  it('listens no more when a component has gone', async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    await tab.evaluate(`window.listening = 0, window.onChange = client.onChange, client.onChange = (listener) => {
      const end = onChange(listener);
      listening++;
      return () => (listening--, end());
    }`);
    await tab.evaluate(SHOW);
    await tab.waitForFunction('listening === 2');
    await tab.evaluate(`root.render(page('b'))`);
    await tab.waitForFunction('listening === 1');
    await tab.evaluate('root.unmount()');
    await tab.waitForFunction('listening === 0');
    await context.close();
  });

  it('takes over what a server has rendered, where somebody is signed in', async () => {
    const context = await browser.newContext();
    const tab = await open(context);
    const { username } = await register();
    expect(await signIn(tab, username)).toBe(true);
    await tab.evaluate(`window.complaints = [], document.querySelector('#app').innerHTML = '<p>loading</p><p>loading</p>',
      app.hydrateRoot(document.querySelector('#app'), page('a', 'b'), { onRecoverableError: (error) => complaints.push(String(error)) })`);
    await says(tab, username);
    expect(await tab.evaluate('complaints')).toEqual([]);
    await context.close();
  });
});
