import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { freePort } from '#test/support/mysql';
import { buildScreens, settling, visit } from '#test/support/screens';

buildScreens();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const port = await freePort();
const home = `http://localhost:${port}`;
const { register } = await startApp({
  PORT: String(port),
  PUBLIC_URL: home,
  BRAND_NAME: 'Example',
  BRAND_URL: 'https://example.com',
  BRAND_SUPPORT: 'help@example.com',
});
const admin = await register({ name: 'Ada Lovelace' }, 'admin');
for (const name of ['Grace Hopper', 'Alan Turing', 'Edsger Dijkstra']) await register({ name });

/** Pages for whoever is signed in. */
const MEMBERS = [
  'account',
  'account/security',
  'account/sessions',
  'account/providers',
  'account/api-keys',
  'account/data',
  'console',
  'console/users',
  `console/users/${admin.id}`,
  'console/roles',
  'console/audit',
  'console/webhooks',
  'console/mails',
  'console/keys',
  'console/services',
  'console/settings',
];
const STRANGERS = ['forgot-password', 'no-such-page', 'problems/token_expired'];

interface View {
  name: string;
  width: number;
  dark?: boolean;
  /** 2: the text is twice as large. */
  text?: number;
}
/** A page is opened once in a language, and looked at in each of its views. */
const LANGUAGES: [locale: string, views: View[]][] = [
  [
    'en',
    [
      { name: 'phone', width: 390 },
      { name: 'desktop', width: 1440 },
      { name: 'desktop, dark', width: 1440, dark: true },
      { name: 'large text', width: 1440, text: 2 },
    ],
  ],
  ['ar', [{ name: 'phone, dark, Arabic', width: 390, dark: true }]],
  ['de', [{ name: 'tablet, German', width: 768 }]],
];

/** What axe-core finds that keeps people out (WCAG 2.2 A and AA). */
async function barriersOf(page: Page): Promise<string[]> {
  const found = await page.evaluate<{ id: string; impact: string; nodes: { html: string }[] }[]>(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => ({ html })) })))",
  );
  return found
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 200)}`);
}

/** What does not fit into the window. */
const tooWide = (page: Page) =>
  page.evaluate<string[]>(
    "document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.outerHTML.slice(0, 100))",
  );

/** Tables of which a part is hidden where they are. */
const cutOff = (page: Page) =>
  page.evaluate<string[]>(
    "[...document.querySelectorAll('table, :has(> table)')].filter((each) => each.scrollWidth > each.clientWidth).map((each) => `${each.scrollWidth} > ${each.clientWidth}: ${each.outerHTML.slice(0, 100)}`)",
  );

/** Entries of the menu that are open, and not to be seen. */
const outOfSight = (page: Page) =>
  page.evaluate<string[]>(
    "[...document.querySelectorAll('nav [aria-current]')].filter((each) => { const { left, right } = each.getBoundingClientRect(); return left < 0 || right > innerWidth; }).map((each) => each.textContent)",
  );

async function shoot(page: Page, path: string, { name }: View) {
  const folder = process.env['SCREENSHOTS'];
  if (!folder) return;
  const file = `${path.replace(admin.id, 'one').replaceAll('/', '-')} ${name}.png`;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, file.replaceAll(/[ ,]+/g, '-')), fullPage: true });
}

describe.runIf(hasBrowser)('every page, looked at in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  it.concurrent.for(LANGUAGES)(
    'has no barrier and fits: %s',
    async ([locale, views], { expect }) => {
      const { page, complaints, signIn } = await visit(browser, { url: home, locale });
      const settled = settling(page);

      async function look(path: string, view: View) {
        const { name, width, dark, text = 1 } = view;
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
        await page.evaluate(`document.documentElement.style.fontSize = '${text * 100}%'`);
        await settled();
        expect(await page.locator('h1').count(), path).toBe(1);
        expect.soft(await tooWide(page), `${path} is wider than the window: ${name}`).toEqual([]);
        expect.soft(await cutOff(page), `${path} hides a part of a table: ${name}`).toEqual([]);
        expect.soft(await outOfSight(page), `${path} hides where it is: ${name}`).toEqual([]);
        expect.soft(await barriersOf(page), `${path}: ${name}`).toEqual([]);
        await shoot(page, path, view);
      }
      async function lookAt(path: string) {
        await page.waitForSelector('h1');
        await settled();
        await page.evaluate(axe);
        for (const view of views) await look(path, view);
      }

      await page.goto(`${home}/account`, { waitUntil: 'commit' }); // leads to `/sign-in`
      await page.waitForSelector('[name=identifier]');
      await lookAt('sign-in');
      for (const path of STRANGERS) {
        await page.goto(`${home}/${path}`);
        await lookAt(path);
      }
      await signIn({ identifier: admin.username, password });
      for (const path of MEMBERS) {
        await page.goto(`${home}/${path}`);
        await lookAt(path);
        expect(new URL(page.url()).pathname, 'it is still there').toBe(`/${path}`);
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  it('asks for little', async ({ expect }) => {
    const { page, context, signIn } = await visit(browser, { url: home });
    const settled = settling(page);
    let asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    async function requestsOf(path: string): Promise<string[]> {
      asked = [];
      await page.goto(home + path);
      await page.waitForSelector('main h1');
      await settled();
      return asked.filter((address) => !address.endsWith('/brand/icon')); // browsers ask for it when they like
    }
    const flow = { redirectUri: `${home}/account`, codeChallenge: 'a'.repeat(43), state: 'state' };
    const forSignIn = await requestsOf(`/sign-in?${new URLSearchParams(flow).toString()}`);
    expect(forSignIn.length, forSignIn.join('\n')).toBeLessThanOrEqual(4);
    await signIn({ identifier: admin.username, password });
    const forAccount = await requestsOf('/account');
    expect(forAccount.length, forAccount.join('\n')).toBeLessThanOrEqual(11);
    const forConsole = await requestsOf('/console');
    expect(forConsole.length, forConsole.join('\n')).toBeLessThanOrEqual(9);
    await context.close();
  });
});
