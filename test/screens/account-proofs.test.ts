import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifetimes } from '#src/lifetimes';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { acting } from '#test/support/impersonation';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { clientSecret, startProvider } from '#test/support/open-id-provider';
import { accountPages, buildScreens, MARKUP } from '#test/support/screens';
import { addApp } from '#test/support/second-factor';

buildScreens();
const mailbox = await openMailbox();
const port = await freePort();
const url = `http://localhost:${port}`; // of the origin for which there are cookies and passkeys
const { issuer } = await startProvider([`${url}/auth/oidc/callback`], { ida: {}, eve: {} });
const app = await startApp({
  ...mailbox.env,
  PORT: String(port),
  PUBLIC_URL: url,
  REDIRECT_URIS: 'https://app.example/signed-in',
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'sallyport',
  OIDC_CLIENT_SECRET: clientSecret,
});
const { register, logIn, ctx, Identity, Session, User } = app;

describe.runIf(hasBrowser)('what the account page asks others to prove', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  const at = accountPages({ url, register }, () => browser);

  it('changes the address when the link of the mail is opened, and shows until then that it waits', async () => {
    const [email, to] = ['old@example.com', 'new@example.com'];
    const { page, person, leave, press, fill } = await at('/account', { email });
    await User.update({ emailVerifiedAt: new Date() }, { where: { id: person.id } });
    await page.reload();
    await page.getByText('Change the address').click();
    await fill('New e-mail address', to);
    await fill('Password', 'not the password');
    await press('Send the mail');
    await page.getByText('This is not your password.').waitFor();
    await fill('Password', password);
    await press('Send the mail');
    const waits = page.getByRole('status').getByText(`A mail is on its way to ${to}`);
    await waits.waitFor();
    await page.reload();
    await waits.waitFor();
    await page.locator('main').getByText(email, { exact: true }).waitFor();
    const tab = await page.context().newPage();
    await tab.goto((await mailbox.next(to)).link);
    await tab.getByRole('button').first().click();
    await tab.getByText('confirmed').first().waitFor();
    await page.reload();
    await page.locator('main').getByText(to, { exact: true }).waitFor();
    await page.locator('main').getByText('Confirmed', { exact: true }).waitFor();
    expect(await waits.count()).toBe(0);
    await leave();
  });

  it('sends the mail for an unconfirmed address again, and takes its code', async () => {
    const email = 'unconfirmed@example.com';
    const { page, person, leave, press, fill, said } = await at('/account', { email });
    await press('Send the mail again');
    await said(`A mail is on its way to ${email}`);
    const { code } = await mailbox.next(email);
    await fill('Six digits from the mail', code === '000000' ? '000001' : '000000');
    await press('Confirm');
    await page.locator('main').getByRole('alert').waitFor();
    await fill('Six digits from the mail', code);
    await press('Confirm');
    await said('Your e-mail address is confirmed.');
    await page.locator('main').getByText('Confirmed', { exact: true }).waitFor();
    expect((await User.findByPk(person.id))!.emailVerifiedAt).not.toBeNull();
    await leave();
  });

  const signInAtProvider = async (page: Page, who: string) => {
    await page.waitForURL(`${issuer}/**`);
    await page.fill('input[name=login]', who);
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
    await page.click('button[type=submit]'); // consent
    await page.waitForURL(`${url}/account/providers`);
  };

  it('links a provider, says when somebody else has that account, and unlinks it', async () => {
    const first = await at('/account/providers');
    await first.page.getByText('No provider is linked.').waitFor();
    await first.press('Link oidc');
    await signInAtProvider(first.page, 'ida');
    await first.said('The provider is linked.');
    const owned = { where: { userId: first.person.id } };
    expect(await Identity.count(owned)).toBe(1);
    const second = await at('/account/providers');
    await second.press('Link oidc');
    await signInAtProvider(second.page, 'ida');
    await second.page.getByRole('alert').waitFor();
    expect(await Identity.count({ where: { userId: second.person.id } })).toBe(0);
    await first.press('Unlink oidc');
    await first.said('The provider is unlinked.');
    expect(await Identity.count(owned)).toBe(0);
    for (const { complaints, context } of [first, second]) {
      // The pages of the provider ask for a font.
      expect(complaints.filter((each) => !each.includes('fonts.googleapis.com'))).toEqual([]);
      await context.close();
    }
  });

  it('says so when the user gives up at the provider', async () => {
    const { page, person, press } = await at('/account/providers');
    await press('Link oidc');
    await page.waitForURL(`${issuer}/**`);
    await page.click('text=Cancel');
    await page.waitForURL(`${url}/account/providers`);
    await page.getByRole('alert').waitFor();
    expect(await Identity.count({ where: { userId: person.id } })).toBe(0);
    await page.context().close();
  });

  /** A session whose two factors were proved too long ago to change how its user signs in. */
  const makeStale = (userId: string) => {
    const minutes = lifetimes.freshCredentialChangeMinutes + 1;
    const aal2At = new Date(Date.now() - minutes * 60_000);
    return Session.update({ aal2At, authenticatedAt: aal2At }, { where: { userId } });
  };

  it('asks for the passkey before a change, and goes on with it', async () => {
    const { page, person, leave, press, fill } = await at(
      '/account/security',
      {},
      { passkeys: true },
    );
    await press('Add a passkey');
    await press('I have kept them');
    await makeStale(person.id);
    await page.getByRole('button', { name: /^Rename / }).click();
    await fill('Name', 'my laptop');
    await press('Save');
    const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
    await dialog.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByText('my laptop').waitFor();
    await leave();
  });

  it('asks for the code of the app before a change, and goes on with it', async () => {
    const { page, person, leave, press, fill, open } = await at('/account');
    const { code } = await addApp(ctx, person);
    await open('/account/security');
    await page.getByRole('button', { name: /^Remove / }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await fill('Code from your authenticator app', code());
    await press('Continue');
    await page.getByText('Your account has no second step.').waitFor();
    await leave();
  });

  it('saves recovery codes as a file that signs in, and prints nothing else', async () => {
    const { page, identifier, leave, press } = await at(
      '/account/security',
      {},
      { passkeys: true },
    );
    await press('Add a passkey');
    const list = page.locator('.codes li');
    await list.first().waitFor();
    const shown = await list.allInnerTexts();
    const saving = page.waitForEvent('download');
    await press('Download');
    const file = await saving;
    expect(file.suggestedFilename()).toBe('recovery-codes.txt');
    const saved = readFileSync(await file.path(), 'utf8')
      .trim()
      .split('\n');
    expect(saved).toEqual(shown);
    await page.evaluate('window.print = () => { window.printed = true; }');
    await press('Print');
    expect(await page.evaluate('window.printed')).toBe(true);
    await page.emulateMedia({ media: 'print' });
    expect(await list.first().isVisible()).toBe(true);
    expect(await page.getByRole('heading').or(page.getByRole('button')).count()).toBe(0);
    const { mfaToken } = (await logIn(identifier)).body as { mfaToken: string };
    const body = { mfaToken, recoveryCode: saved[9] };
    expect((await app.ask('POST', '/auth/mfa', { body })).status).toBe(200);
    await leave();
  });

  it('Y-05 shows scripts in devices, reasons, providers and addresses as text', async () => {
    const { page, person, leave, open } = await at('/account');
    const { administrator, actFor } = acting(app);
    await actFor(await administrator('admin'), person, MARKUP);
    await Session.update({ deviceName: MARKUP }, { where: { userId: person.id } });
    const provider = MARKUP.slice(0, 32);
    await Identity.create({
      id: crypto.randomUUID(),
      userId: person.id,
      provider,
      subject: 'x',
      email: MARKUP,
    });
    await open('/account/sessions');
    await page.getByText('Somebody acts for you').waitFor();
    await page.getByText(`The reason given: ${MARKUP}`).waitFor();
    await page.getByText(MARKUP, { exact: true }).first().waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await open('/account/providers');
    await page.getByText(provider, { exact: true }).waitFor();
    await page.getByText(`${MARKUP} · `).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await leave();
  });

  it('ends the session of somebody who acts for the user', async () => {
    const { page, person, leave, open } = await at('/account');
    const { administrator, actFor } = acting(app);
    const { ask: asThem, id } = await actFor(await administrator('admin'), person);
    await open('/account/sessions');
    const row = page.getByRole('listitem').filter({ hasText: 'Somebody acts for you' });
    await row.getByRole('button').click();
    await row.waitFor({ state: 'detached' });
    expect((await Session.findByPk(id))!.endedAt).not.toBeNull();
    expect((await asThem('GET', '/me')).status).toBe(401);
    await leave();
  });
});
