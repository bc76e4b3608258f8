import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { freePort } from '#test/support/mysql';
import { buildScreens, watch } from '#test/support/screens';

buildScreens();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const port = await freePort();
const { url, register } = await startApp({
  PORT: String(port),
  PUBLIC_URL: `http://localhost:${port}`,
  BRAND_NAME: 'Example',
  BRAND_URL: 'https://example.com',
  BRAND_SUPPORT: 'help@example.com',
});
const home = `http://localhost:${new URL(url).port}`;
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
  locale: string;
  dark: boolean;
  /** 2: the text is twice as large. */
  text?: number;
}
const VIEWS: View[] = [
  { name: 'phone', width: 390, locale: 'en', dark: false },
  { name: 'phone, dark, Arabic', width: 390, locale: 'ar', dark: true },
  { name: 'tablet, German', width: 768, locale: 'de', dark: false },
  { name: 'desktop', width: 1440, locale: 'en', dark: false },
  { name: 'desktop, dark', width: 1440, locale: 'en', dark: true },
  { name: 'large text', width: 1440, locale: 'en', dark: false, text: 2 },
];

/** What axe-core finds that keeps people out (WCAG 2.2 A and AA). */
async function barriersOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
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

describe.runIf(hasBrowser)('every page, looked at in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** `/account` leads whoever is not signed in to `/sign-in`, with what the account needs to go on. */
  async function openSignIn(page: Page) {
    await page.goto(`${home}/account`, { waitUntil: 'commit' });
    await page.waitForSelector('[name=identifier]');
  }
  async function signIn(page: Page) {
    await openSignIn(page);
    await page.fill('[name=identifier]', admin.username);
    await page.fill('[name=password]', password);
    await page.press('[name=password]', 'Enter');
    await page.waitForURL(`${home}/account`);
    await page.waitForSelector('nav');
  }
  const open = (page: Page, path: string) =>
    page.goto(`${home}/${path}`, { waitUntil: 'networkidle' });

  async function look(page: Page, path: string, { name, text = 1 }: View) {
    await page.waitForSelector('h1');
    if (text > 1) await page.evaluate(`document.documentElement.style.fontSize = '${text * 100}%'`);
    expect(await page.locator('h1').count(), path).toBe(1);
    expect.soft(await tooWide(page), `${path} is wider than the window`).toEqual([]);
    expect.soft(await barriersOf(page), path).toEqual([]);
    const folder = process.env['SCREENSHOTS'];
    if (!folder) return;
    const file = `${path.replace(admin.id, 'one').replaceAll('/', '-')} ${name}.png`;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, file.replaceAll(/[ ,]+/g, '-')), fullPage: true });
  }

  it.each(VIEWS)('has no barrier and fits: $name', async (view) => {
    const context = await browser.newContext({
      viewport: { width: view.width, height: 900 },
      colorScheme: view.dark ? 'dark' : 'light',
      locale: view.locale,
    });
    const page = await context.newPage();
    const complaints = watch(page);
    await openSignIn(page);
    await look(page, 'sign-in', view);
    for (const path of STRANGERS) {
      await open(page, path);
      await look(page, path, view);
    }
    await signIn(page);
    for (const path of MEMBERS) {
      await open(page, path);
      await look(page, path, view);
      expect(new URL(page.url()).pathname, 'it is still there').toBe(`/${path}`);
    }
    expect(complaints).toEqual([]);
    await context.close();
  });
});
