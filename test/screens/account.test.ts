import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { eventually } from '#test/support/eventually';
import { buildScreens, MARKUP, visit } from '#test/support/screens';
import { freePort } from '#test/support/mysql';
import { totpCode } from '#test/support/second-factor';

buildScreens();
const { register, logIn, ctx, User, Session, ApiKey } = await startApp({
  PORT: String(await freePort()),
  API_KEYS: 'on',
});
const url = ctx.settings.publicUrl; // of the origin for which there are cookies and passkeys

describe.runIf(hasBrowser)('the account page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  /** Somebody at a page of their account. */
  async function at(path: string, fields: object = {}, more: object = {}) {
    const person = await register(fields);
    const identifier = person.username ?? (fields as { email: string }).email;
    const visitor = await visit(browser, { url, ...more });
    await visitor.signIn({ identifier, password });
    await visitor.open(path);
    const { page, complaints } = visitor;
    const leave = async () => {
      expect(complaints).toEqual([]);
      await visitor.context.close();
    };
    const said = (text: string) => page.getByRole('status').getByText(text).waitFor();
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const fill = (label: string, text: string) =>
      page.getByRole('textbox', { name: label, exact: true }).fill(text);
    return { ...visitor, person, identifier, leave, said, press, fill };
  }

  it('changes names, and says at the field that one is taken', async () => {
    const other = await register();
    const { page, person, leave, said, press, fill } = await at('/account');
    await fill('Username', other.username);
    await fill('Name', MARKUP);
    await press('Save');
    const field = page.getByRole('textbox', { name: 'Username' });
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
    await page.locator('input[name=username]:focus').waitFor();
    expect(await field.inputValue()).toBe(other.username);
    await fill('Username', `${person.username}-new`);
    await press('Save');
    await said('Saved.');
    const row = (await User.findByPk(person.id))!;
    expect([row.username, row.name]).toEqual([`${person.username}-new`, MARKUP]);
    await page.reload();
    await page.locator('.who').getByText(MARKUP).waitFor();
    await leave();
  });

  it('changes the password, and says at the field that the old one is wrong', async () => {
    const { page, identifier, leave, said, press } = await at('/account/security');
    const fresh = 'another horse battery';
    await page.getByLabel('Current password').fill('wrong');
    await page.getByLabel('New password').fill(fresh);
    await press('Change the password');
    await page.getByText('This is not your password.').waitFor();
    await page.getByLabel('Current password').fill(password);
    await press('Change the password');
    await said('Your password is changed.');
    expect((await logIn(identifier, fresh)).status).toBe(200);
    await page.reload();
    await page.getByRole('heading', { name: 'Security' }).waitFor();
    await leave();
  });

  it('adds an authenticator app, shows the codes once, and asks for it again', async () => {
    const { page, leave, press, fill, said } = await at('/account/security');
    await press('Add an authenticator app');
    await fill('Name', MARKUP);
    await press('Continue');
    const image = page.getByRole('img', { name: 'QR code' });
    await expect
      .poll(() => image.evaluate((each) => (each as { naturalWidth?: number }).naturalWidth))
      .toBeGreaterThan(0);
    const secret = (await page.locator('.secret code').textContent())!;
    await fill('Code that the app shows', '000000');
    await press('Add the app');
    await page.getByText('That was not right.').waitFor();
    await fill('Code that the app shows', totpCode(secret, ctx.clock.now()));
    await press('Add the app');
    const codes = page.locator('.codes li');
    await codes.first().waitFor();
    expect(await codes.count()).toBe(10);
    await press('Copy');
    await said('Copied.');
    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect((copied as string).trim().split('\n')).toHaveLength(10);
    await press('I have kept them');
    await page.getByText('Codes that are left: 10').waitFor();
    await page.getByText(MARKUP).first().waitFor();
    await page.getByRole('button', { name: `Remove ${MARKUP}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Your account has no second step.').waitFor();
    await leave();
  });

  it('adds a passkey, and renames it', async () => {
    const { page, leave, press, fill } = await at('/account/security', {}, { passkeys: true });
    await press('Add a passkey');
    await page.locator('.codes li').first().waitFor();
    await press('I have kept them');
    await page.getByRole('button', { name: /^Rename / }).click();
    await fill('Name', 'my laptop');
    await press('Save');
    await page.getByText('my laptop').waitFor();
    await leave();
  });

  it('lists sessions, and ends them', async () => {
    const { page, person, identifier, leave, press } = await at('/account/sessions');
    await logIn(identifier);
    await logIn(identifier);
    await page.reload();
    await page.getByText('This device').waitFor();
    const live = () => Session.count({ where: { userId: person.id, endedAt: null } });
    const before = await live();
    await page
      .getByRole('button', { name: /^End the session/ })
      .first()
      .click();
    await eventually(async () => expect(await live()).toBe(before - 1));
    await press('Sign out all other devices');
    await eventually(async () => expect(await live()).toBe(1));
    await leave();
  });

  it('makes an API key, shows it once, and deletes it', async () => {
    const { page, person, leave, press, fill } = await at('/account/api-keys');
    await page.getByText('You have no API keys.').waitFor();
    await press('New API key');
    await fill('Name', MARKUP);
    await press('Create the key');
    const key = await page.locator('.secret code').textContent();
    const answer = await fetch(`${url}/me`, { headers: { 'x-api-key': key! } });
    expect(answer.status).toBe(200);
    await press('I have kept it');
    await page.getByRole('button', { name: `Delete ${MARKUP}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('You have no API keys.').waitFor();
    expect(await ApiKey.count({ where: { userId: person.id } })).toBe(0);
    await leave();
  });

  it('exports what is known, and deletes the account by its name', async () => {
    const { page, person, identifier, press, fill, complaints, context } =
      await at('/account/data');
    const file = page.waitForEvent('download');
    await press('Download');
    expect((await file).suggestedFilename()).toBe('export.json');
    await press('Delete the account');
    await fill(`Type ${identifier} to confirm`, 'somebody else');
    await press('Delete for good');
    await page.getByText('This is not the name.').waitFor();
    await fill(`Type ${identifier} to confirm`, identifier);
    await press('Delete for good');
    await eventually(async () => expect(await User.findByPk(person.id)).toBeNull());
    await page.waitForURL(/\/sign-in/);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
