import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { eventually } from '#test/support/eventually';
import { accountPages, buildScreens, MARKUP, visit } from '#test/support/screens';
import { freePort } from '#test/support/mysql';
import { addApp, totpCode } from '#test/support/second-factor';

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

  const at = accountPages({ url, register }, () => browser);

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
    await page.locator('.who').getByText(MARKUP).waitFor();
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

  it('asks for two factors where the session has not proved them, and says that a code is wrong', async () => {
    const { page, person, leave, press, fill, open } = await at('/account');
    const { recoveryCodes } = await addApp(ctx, person);
    await open('/account/security');
    await page.getByRole('button', { name: /^Rename / }).click();
    await fill('Name', 'my phone');
    await press('Save');
    const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
    await dialog.getByRole('textbox').fill('000000');
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByText('That was not right.').waitFor();
    await dialog.getByRole('button', { name: 'Use a recovery code' }).click();
    await dialog.getByRole('textbox').fill(recoveryCodes[0]!);
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('my phone').waitFor();
    await leave();
  });

  it('shows nothing private after a sign-out, also not to who goes back (Y-06)', async () => {
    const { page, press, context } = await at('/account', { name: 'Ada Private' });
    await page.locator('.who').getByText('Ada Private').waitFor();
    await press('Sign out');
    await page.waitForURL(/\/sign-in/);
    await page.goBack();
    await page.waitForURL(/\/sign-in/);
    expect(await page.content()).not.toContain('Ada Private');
    await context.close();
  });

  it('sends to sign in when the session was ended elsewhere, and comes back to the same page', async () => {
    const { page, person, identifier, press, leave } = await at('/account/data');
    await person.ask('DELETE', '/me/sessions');
    await press('Download');
    await page.waitForURL(/\/sign-in/);
    await page.locator('input[name=identifier]').fill(identifier);
    await page.locator('input[name=password]').fill(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your data' }).waitFor();
    expect(page.url()).toBe(`${url}/account/data`);
    await leave();
  });

  it('speaks the language that its user chooses', async () => {
    const { page, person, press, leave } = await at('/account');
    await page.getByLabel('Language').selectOption('de');
    await press('Save');
    await page.locator('html[lang=de]').waitFor();
    expect((await User.findByPk(person.id))!.locale).toBe('de');
    await page.goto(`${url}/account/data`);
    await page.locator('html[lang=de]').waitFor();
    await leave();
  });
});

describe.runIf(hasBrowser)('a role that demands a second factor', () => {
  it('leads to where one is added, and then lets its user go on', async () => {
    const strict = await startApp({ PORT: String(await freePort()), MFA_REQUIRED_ROLES: 'user' });
    const browser = await launchBrowser();
    const origin = strict.ctx.settings.publicUrl;
    const person = await strict.register();
    const visitor = await visit(browser, { url: origin, passkeys: true });
    await visitor.signIn({ identifier: person.username, password });
    await visitor.open('/account/sessions');
    const { page } = visitor;
    await page.getByText('Your role demands a second step.').waitFor();
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByRole('link', { name: 'Devices' }).click();
    await page.getByText('This device').waitFor();
    expect(visitor.complaints).toEqual([]);
    await browser.close();
  });
});
