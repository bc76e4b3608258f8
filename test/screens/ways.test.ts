import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { freePort } from '#test/support/mysql';
import { buildScreens, visit } from '#test/support/screens';

buildScreens();
/** Neither API keys nor providers are on. */
const both = await startApp({ PORT: String(await freePort()) });
const accountOnly = await startApp({
  PORT: String(await freePort()),
  HOSTED_PAGES: 'sign-in,account',
});
const bare = await startApp({ HOSTED_PAGES: 'none' });
const consoleOnly = await startApp({
  PORT: String(await freePort()),
  HOSTED_PAGES: 'sign-in,console',
});

describe.runIf(hasBrowser)('the ways between the pages', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** Opens a page as somebody with these roles. */
  async function at(app: typeof both, path: string, ...roles: string[]) {
    const person = await app.register({ email: `${randomUUID()}@example.com` }, ...roles);
    const visitor = await visit(browser, { url: app.ctx.settings.publicUrl });
    await visitor.signIn({ identifier: (await app.User.findByPk(person.id))!.email!, password });
    await visitor.open(path.replace(':me', person.id));
    const leave = async () => {
      expect(visitor.complaints).toEqual([]);
      await visitor.context.close();
    };
    return { ...visitor, leave };
  }
  const menu = async (page: Page) => {
    await page.waitForSelector('main h1');
    await page.waitForLoadState('networkidle');
    return page.locator('nav a').allInnerTexts();
  };

  it('lead from the account to the console and back', async () => {
    const { page, leave } = await at(both, '/account', 'admin');
    expect(await page.locator('.who a').count()).toBe(0);
    await page.locator('nav').getByRole('link', { name: 'Console' }).click();
    await page.waitForURL('**/console');
    await page.locator('.who a').click();
    await page.waitForURL('**/account');
    await page.getByRole('heading', { name: 'Profile', level: 1 }).waitFor();
    await leave();
  });

  it('lead nobody to a console that is not for them, or not there', async () => {
    const { Role } = both;
    await Role.create({ id: randomUUID(), name: 'clerk', permissions: 'invoices:read' });
    await Role.create({ id: randomUUID(), name: 'auditor', permissions: 'audit:*' });
    const shown = async (app: typeof both, ...roles: string[]) => {
      const { page, leave } = await at(app, '/account', ...roles);
      const entries = await menu(page);
      await leave();
      return entries.includes('Console');
    };
    expect(await shown(both, 'auditor')).toBe(true);
    expect(await shown(both, 'clerk')).toBe(false);
    expect(await shown(both)).toBe(false);
    expect(await shown(accountOnly, 'admin')).toBe(false);
  });

  it('lead to the account where one’s own address is changed', async () => {
    const own = await at(both, '/console/users/:me', 'admin');
    await own.page.locator('input[name=username]').waitFor();
    expect(await own.page.locator('input[name=email]').count()).toBe(0);
    await own.page.locator('dd').getByRole('link', { name: 'You change your own' }).click();
    await own.page.waitForURL('**/account');
    await own.leave();
    const { page, leave } = await at(consoleOnly, '/console/users/:me', 'admin');
    await page.getByText('You change your own address').waitFor();
    expect(await page.locator('a[href$="/account"]').count()).toBe(0);
    await leave();
  });

  it('sign out of the session that is one’s own', async () => {
    const { page, leave } = await at(both, '/console/users/:me', 'admin');
    const main = page.locator('main');
    await main.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByText('this one too').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    const own = main.locator('tr').filter({ hasText: 'This is you' });
    expect(await own.getByRole('button').allInnerTexts()).toEqual(['Sign out']);
    await own.getByRole('button').click();
    await page.waitForURL('**/sign-in**');
    await leave();
  });

  it.each([
    ['api-keys', 'This server offers no API keys.'],
    ['providers', 'This server offers no providers.'],
  ])('say that there is no %s, and light nothing else in the menu', async (path, words) => {
    const { page, leave } = await at(both, `/account/${path}`);
    await page.locator('.empty').getByText(words).waitFor();
    expect(await page.locator('main p').allInnerTexts()).toEqual([words]);
    expect((await menu(page)).length).toBeGreaterThan(2);
    expect(await page.locator('nav [aria-current]').count()).toBe(0);
    await page.getByRole('link', { name: 'Profile' }).click();
    await page.locator('nav [aria-current]').getByText('Profile').waitFor();
    await leave();
  });
});

describe('an address where nothing is', () => {
  /** `fetch` says itself that it does not navigate. */
  const opened = (app: typeof both, language = 'en') =>
    new Promise<string>((resolve, reject) => {
      const headers = {
        accept: 'text/html',
        'accept-language': language,
        'sec-fetch-mode': 'navigate',
      };
      get(`${app.url}/nothing`, { headers, agent: false }, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        res.on('end', () => resolve(text));
      }).on('error', reject);
    });

  it('leads to the account', async () => {
    const page = await opened(both);
    expect(page).toContain('<p>The address may be mistyped, or the link is old.</p>');
    expect(page).toContain('<a href="/account">Go to your account</a>');
    expect(await opened(both, 'de')).toContain('<a href="/account">Zu Ihrem Konto</a>');
  });
  it('leads nowhere where there are no pages', async () => {
    const page = await opened(bare);
    expect(page).toContain('The address may be mistyped');
    expect(page).not.toMatch(/href="\/(account|sign-in|false)"/);
  });
  it('leads to the sign-in where there is no account page', async () => {
    expect(await opened(consoleOnly)).toMatch(/<a href="\/sign-in">[^<]+<\/a>/);
  });
});
