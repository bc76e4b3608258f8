import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { eventually } from '#test/support/eventually';
import { acting } from '#test/support/impersonation';
import { freePort } from '#test/support/mysql';
import { buildScreens, MARKUP, visit } from '#test/support/screens';
import { addApp } from '#test/support/second-factor';

buildScreens();
const app = await startApp({ PORT: String(await freePort()), API_KEYS: 'on' });
const { ask, register, ctx, Session } = app;
const { allow } = acting(app);
const url = ctx.settings.publicUrl;
await allow('helper', 'users:read users:impersonate');

describe.runIf(hasBrowser)('an administrator who acts for a user in a tab', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** An administrator in the console. Their session has proved one factor, and they have two. */
  async function governing(role = 'admin', more: object = {}) {
    const admin = await register({ name: `The ${role}` }, role);
    const visitor = await visit(browser, { url, ...more });
    await visitor.signIn({ identifier: admin.username, password });
    const { code } = await addApp(ctx, admin);
    return { ...visitor, admin, code };
  }
  type Governing = Awaited<ReturnType<typeof governing>>;

  async function askToAct({ page, open }: Governing, userId: string) {
    await open(`/console/users/${userId}`);
    await page.getByRole('button', { name: 'Sign in as this user' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign in as this user' });
    await dialog.getByLabel('Reason').fill(MARKUP);
    await dialog.getByRole('button', { name: 'Sign in as this user' }).click();
  }
  async function act(by: Governing, userId: string) {
    await askToAct(by, userId);
    const proof = by.page.getByRole('dialog', { name: 'Confirm that it is you' });
    await proof.getByRole('textbox').fill(by.code());
    await proof.getByRole('button', { name: 'Continue' }).click();
    await by.page.waitForURL(`${url}/account`);
    await banner(by.page).waitFor();
  }
  const banner = (page: Page) => page.locator('.acting').getByRole('status');
  const sessionOf = (userId: string) =>
    Session.findOne({ where: { userId, strategy: 'impersonation' }, rejectOnEmpty: true });

  it('hears that a second step is missing, and where to add one', async () => {
    const [admin, user] = [await register({}, 'admin'), await register()];
    const visitor = await visit(browser, { url });
    await visitor.signIn({ identifier: admin.username, password });
    await askToAct({ ...visitor, admin, code: () => '' }, user.id);
    const { page } = visitor;
    const said = page.getByRole('dialog', { name: 'Confirm that it is you' });
    await said.getByText('For this you need a second step').waitFor();
    expect(await said.getByRole('textbox').count()).toBe(0);
    await said.getByRole('link', { name: 'Add a second step' }).click();
    await page.waitForURL(`${url}/account/security`);
    await visitor.context.close();
  });

  it('proves two factors, sees what the user sees, and is offered nothing that the server refuses', async () => {
    const user = await register({ name: MARKUP });
    await addApp(ctx, user);
    await user.ask('POST', '/me/api-keys', { body: { name: 'nightly' } });
    const by = await governing();
    await act(by, user.id);
    const { page, open } = by;
    for (const path of ['', '/security', '/sessions', '/providers', '/api-keys', '/data']) {
      await open(`/account${path}`);
      await page.waitForLoadState('networkidle');
      expect(await banner(page).innerText(), path).toBe(`You are signed in as ${MARKUP}.`);
      const buttons = await page.getByRole('button').allInnerTexts();
      expect(buttons, path).toEqual(['Stop']);
      expect(await page.locator('input:enabled, select:enabled').count(), path).toBe(0);
    }
    await page.getByText('Nobody may do this in the name of somebody else').waitFor();
    await open('/account/sessions');
    await page.getByText('Somebody acts for you').waitFor();
    await open('/account/api-keys');
    await page.getByText('nightly').waitFor();
    expect(await page.locator('nav').innerText()).not.toContain('Your data');
    expect(by.complaints).toEqual([]);
    await by.context.close();
  });

  it('stays who they are in every other tab, also in one that is a copy', async () => {
    const user = await register();
    const by = await governing();
    await act(by, user.id);
    const { page, context } = by;
    const other = await context.newPage();
    await other.goto(`${url}/account`);
    await other.locator('.who').getByText('The admin').waitFor();
    expect(await banner(other).count()).toBe(0);
    const copying = context.waitForEvent('page');
    await page.evaluate("void open('/account')");
    const copy = await copying;
    await copy.waitForURL(`${url}/console/users/${user.id}?ended`);
    await page.reload();
    await banner(page).waitFor();
    await context.close();
  });

  it('stops: the session ends on the server, and theirs goes on', async () => {
    const user = await register();
    const by = await governing();
    await act(by, user.id);
    const { page } = by;
    const stop = page.getByRole('button', { name: 'Stop' });
    await page.route('**/auth/logout', (route) => route.abort());
    await stop.click();
    await page.getByRole('alert').getByText('the session goes on').waitFor();
    expect((await sessionOf(user.id)).endedAt).toBeNull();
    await page.unroute('**/auth/logout');
    await stop.click();
    await page.waitForURL(`${url}/console/users/${user.id}`);
    await page.getByRole('heading', { name: user.username, level: 1 }).waitFor();
    expect((await sessionOf(user.id)).endedAt).not.toBeNull();
    const theirs = await Session.findAll({ where: { userId: by.admin.id } });
    expect(theirs.map(({ endedAt }) => endedAt)).toEqual([null, null]);
    expect(await page.evaluate("sessionStorage.getItem('sallyport.impersonation')")).toBeNull();
    await by.open('/account');
    await page.locator('.who').getByText('The admin').waitFor();
    expect((await ask('GET', '/me', { token: user.token })).status).toBe(200);
    await by.context.close();
  });

  it('is told, and is back in the console, when the session was ended elsewhere', async () => {
    const user = await register();
    const by = await governing();
    await act(by, user.id);
    const { id } = await sessionOf(user.id);
    expect((await user.ask('DELETE', `/me/sessions/${id}`)).status).toBe(204);
    const { page } = by;
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.waitForURL(`${url}/console/users/${user.id}?ended`);
    await page.getByText(`You are no longer signed in as ${user.username}`).waitFor();
    await by.context.close();
  });

  it('reads why it is refused for somebody who may do more, and is not offered it for others', async () => {
    const chief = await register({}, 'admin');
    const by = await governing('helper');
    await askToAct(by, chief.id);
    const { page, open } = by;
    const proof = page.getByRole('dialog', { name: 'Confirm that it is you' });
    await proof.getByRole('textbox').fill(by.code());
    await proof.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').getByText('You are not allowed to do this').waitFor();
    expect(page.url()).toBe(`${url}/console/users/${chief.id}`);
    const disabled = await register();
    await app.User.update({ disabledAt: new Date() }, { where: { id: disabled.id } });
    for (const id of [by.admin.id, disabled.id]) {
      await open(`/console/users/${id}`);
      expect(await page.getByRole('button', { name: 'Sign in as this user' }).count()).toBe(0);
    }
    await by.context.close();
  });

  it.each([
    ['de', 390],
    ['ar', 390],
  ])('sees the banner on a phone, in %s, wherever the page is scrolled', async (locale, width) => {
    const user = await register({ name: 'An unusually long name of somebody '.repeat(2).trim() });
    const by = await governing('admin', { width });
    await act(by, user.id);
    const { page, open } = by;
    await open(`/account?ui_locales=${locale}`);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await eventually(async () =>
      expect(await page.evaluate('scrollY'), 'it is scrolled').toBeGreaterThan(100),
    );
    const box = (await page.locator('.acting').boundingBox())!;
    expect([box.x, box.y, box.width]).toEqual([0, 0, width]);
    expect(await page.locator('.acting').getByRole('button').isVisible()).toBe(true);
    const folder = process.env['SCREENSHOTS'];
    if (folder) await page.screenshot({ path: `${folder}/acting-${locale}.png` });
    await by.context.close();
  });
});
