import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { eventually } from '#test/support/eventually';
import { keyboard } from '#test/support/keyboard';
import { freePort } from '#test/support/mysql';
import { buildScreens, visit } from '#test/support/screens';
import { totpCode } from '#test/support/second-factor';

buildScreens();
const { ctx, register, logIn, Factor, Session, User } = await startApp({
  PORT: String(await freePort()),
});
const url = ctx.settings.publicUrl;
const IDENTIFIER = 'Username or e-mail address';

describe.runIf(hasBrowser)('by keyboard alone', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** Somebody at a page that demands a sign-in, with nothing but a keyboard. */
  async function at(path: string, more: object = {}) {
    const { page, complaints, context } = await visit(browser, { url, ...more });
    await page.goto(`${url}/${path}`, { waitUntil: 'commit' });
    const keys = keyboard(page);
    const heading = (name: string) =>
      page.getByRole('heading', { name, level: 1, exact: true }).waitFor();
    const signIn = async (username: string) => {
      await heading('Sign in');
      await keys.fill(IDENTIFIER, username);
      await keys.fill('Password', password);
      await keys.press('Enter');
    };
    const leave = async () => {
      expect(complaints).toEqual([]);
      await context.close();
    };
    return { page, keys, heading, signIn, leave };
  }
  const isInMain = (page: Page) =>
    page.evaluate<boolean>("document.activeElement.closest('main') !== null");

  const isClosed = async (page: Page) => {
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
  };

  it('somebody signs up, adds an authenticator app, and signs in with it', async () => {
    const { page, keys, heading, signIn, leave } = await at('account');
    await heading('Sign in');
    await keys.use('Create an account');
    await heading('Create an account');
    await keys.fill(IDENTIFIER, 'grace');
    await keys.to(/^Name/);
    await keys.type('Grace Hopper');
    await keys.fill('Password', '12345678');
    await keys.press('Enter');
    await page.locator('[aria-invalid]').waitFor();
    await keys.isAt('Password', 'input');
    await keys.type(password);
    await keys.use('Show password', 'Space');
    await keys.isAt('Hide password', 'button');
    await keys.to('Password', 'Shift+Tab');
    await keys.press('Enter');
    await heading('Profile');

    await keys.use('Skip to the content');
    await keys.isAt(/^Profile/, 'main');
    await keys.to(/./);
    expect(await isInMain(page)).toBe(true);
    await keys.to('Security', 'Shift+Tab');
    await keys.press('Enter');
    await keys.isAt('Security', 'h1');

    await keys.use('Add an authenticator app');
    await keys.isAt('Name', 'input');
    expect(await keys.round()).toEqual(['Cancel', 'Continue', 'Name']);
    await keys.press('Escape');
    await isClosed(page);
    await keys.isAt('Add an authenticator app', 'button');
    await keys.press('Enter');
    await keys.isAt('Name', 'input');
    await keys.press('Enter');
    await keys.isAt('Code that the app shows', 'input');
    const secret = (await page.locator('.secret code').textContent())!.replaceAll(' ', '');
    await keys.type(totpCode(secret, ctx.clock.now()));
    await keys.press('Enter');
    await page.locator('.codes').waitFor();
    await keys.use('I have kept them');
    await isClosed(page);
    await keys.isAt('Add an authenticator app', 'button');

    await keys.use('Make new codes');
    await page.getByRole('dialog').waitFor();
    await keys.press('Enter');
    await page.locator('.codes').waitFor();
    await keys.use('I have kept them');
    await isClosed(page);
    await keys.isAt('Make new codes', 'button');
    const grace = (await User.findOne({ where: { username: 'grace' } }))!;
    expect(await Factor.count({ where: { userId: grace.id } })).toBe(1);

    await keys.use('Sign out');
    await signIn('grace');
    await heading('One more step');
    await keys.fill('Code from your authenticator app', totpCode(secret, ctx.clock.now(), 1));
    await keys.press('Enter');
    await heading('Security');
    await leave();
  });

  it('somebody ends a session of theirs', async () => {
    const { username, id } = await register();
    await logIn(username);
    const { page, keys, heading, signIn, leave } = await at('account/sessions');
    await signIn(username);
    await heading('Devices');
    const ends = page.getByRole('button', { name: /^End the session of/ });
    await expect.poll(() => ends.count()).toBe(2);
    await keys.use(/^End the session of/);
    await expect.poll(() => ends.count()).toBe(1);
    await keys.isAt(/Devices|End|./);
    expect(await isInMain(page)).toBe(true);
    expect(await Session.count({ where: { userId: id, endedAt: null } })).toBe(2);
    await leave();
  });

  it('an administrator finds a user, disables and deletes them, and pages the list', async () => {
    const admin = await register({ name: 'Ada Lovelace' }, 'admin');
    for (let made = 0; made < 25; made++) await register();
    const { id } = await register({ username: 'mallory', name: 'Mallory' });
    const { page, keys, heading, signIn, leave } = await at('console/users');
    await signIn(admin.username);
    await heading('Users');

    const rows = page.locator('tbody tr');
    await expect.poll(() => rows.count()).toBe(20);
    await keys.use('Show more');
    await expect.poll(() => rows.count()).toBeGreaterThan(25);
    await keys.isAt(/./, 'tr');
    const [focused, last] = await page.evaluate<number[]>(
      "[[...document.querySelectorAll('tbody tr')].indexOf(document.activeElement), document.querySelectorAll('tbody tr').length]",
    );
    expect([focused, last! > 20]).toEqual([20, true]);

    await keys.to('Search', 'Shift+Tab');
    await keys.type('mallo');
    await expect.poll(() => rows.count()).toBe(1);
    await keys.use('Mallory');
    await keys.isAt('Mallory', 'h1');

    await keys.use('Disable user', 'Space');
    await page.getByRole('dialog').waitFor();
    expect(await keys.round()).toEqual(['Cancel', 'Disable user']);
    await keys.use('Cancel', 'Space');
    await isClosed(page);
    await keys.isAt('Disable user', 'button');
    await keys.press('Enter');
    await page.getByRole('dialog').waitFor();
    await keys.use('Disable user');
    await eventually(async () => expect((await User.findByPk(id))!.disabledAt).not.toBeNull());
    await eventually(async () => expect((await keys.focused()).name).not.toBe('Disable user'));
    await keys.isAt(/./);
    expect(await isInMain(page)).toBe(true);

    await keys.use('Delete user');
    await keys.isAt(/^Type mallory/, 'input');
    await keys.type('mallor');
    await keys.press('Enter');
    await page.getByText('This is not the name.').waitFor();
    await keys.isAt(/^Type mallory/, 'input');
    await keys.type('y');
    await keys.press('Enter');
    await heading('Users');
    await keys.isAt(/./);
    expect(await User.findByPk(id)).toBeNull();
    await leave();
  });
});
