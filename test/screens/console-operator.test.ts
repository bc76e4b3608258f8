import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomUUID } from 'node:crypto';
import { published } from '#src/webhooks/catalogue';
import { queueMail } from '#src/platform/mail/outbox';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { root } from '#test/support/process';
import { startReceiver, verified } from '#test/support/receiver';
import { buildScreens, MARKUP, visit } from '#test/support/screens';

buildScreens();
const port = await freePort();
const home = `http://localhost:${port}`;
const app = await startApp({
  PORT: String(port),
  PUBLIC_URL: home,
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
  SMTP_URL: `smtp://127.0.0.1:${await freePort()}`, // nobody answers there
  MAIL_FROM: 'auth@example.com',
});
const { ctx, register, logIn, AuditEntry, OutgoingMail, Role, Service, Webhook } = app;
const admin = await register({}, 'admin');

it('offers the events that webhooks are told of, and no other', async () => {
  const file = join(root, 'src/screens/console/operator/webhook-types.tsx');
  const offered = [...(await readFile(file, 'utf8')).matchAll(/^ {2}'([a-z_]+\.[a-z_]+)',$/gm)];
  expect(offered.map(([, type]) => type)).toEqual(Object.keys(published));
});

describe.runIf(hasBrowser)('the console of who runs the server', () => {
  let browser: Browser;
  let complaints: string[];
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser();
    ({ page, complaints } = await signedIn(admin.username));
  });
  afterAll(() => browser?.close());

  async function signedIn(username: string) {
    const seen = await visit(browser, { url: home });
    await seen.page.goto(`${home}/console`);
    await seen.page.fill('[name=identifier]', username);
    await seen.page.fill('[name=password]', password);
    await seen.page.press('[name=password]', 'Enter');
    await seen.page.waitForURL(`${home}/console**`);
    await seen.page.waitForSelector('main h1');
    return seen;
  }
  const open = async (name: string, tab = page) => {
    await tab.goto(`${home}/console${name && `/${name}`}`);
    await tab.waitForSelector('main h1');
  };
  const shows = (text: string) => page.getByText(text).first().waitFor();
  const click = (name: string, place: string = 'main') =>
    page.locator(place).getByRole('button', { name, exact: true }).first().click();
  const confirm = (name: string) => click(name, 'dialog[open]');
  const fill = (label: string, text: string) => page.getByLabel(label).first().fill(text);
  /** The secret that is shown this once. */
  async function secretShown() {
    const secret = await page.locator('dialog[open] .once').innerText();
    await confirm('Copy');
    await shows('Copied.');
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
    await confirm('I have stored it');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    return secret;
  }
  const nothingRan = async () => {
    expect(await page.locator('main img').count()).toBe(0);
    expect(complaints).toEqual([]);
  };

  it('says whether the audit trail is whole', async () => {
    await open('audit');
    await click('Verify the trail');
    await shows('The trail is whole.');
    const entry = (await AuditEntry.findOne({ where: { type: 'user.registered' } }))!;
    await entry.update({ ip: '203.0.113.9' });
    await click('Verify the trail');
    await shows('The trail is not whole. Faults found: 1.');
    await shows('Changed, or not written by the server');
  });

  it('shows the audit trail by filter, links users, and shows what strangers sent as text (Y-05)', async () => {
    const somebody = await register();
    await logIn(somebody.username, 'wrong');
    const refused = (await AuditEntry.findOne({ where: { type: 'session.refused' } }))!;
    await refused.update({ details: JSON.stringify({ strategy: MARKUP, more: [MARKUP] }) });
    await open('audit');
    await fill('Event', 'session.refused');
    await click('Filter');
    await page.waitForURL('**/console/audit?type=session.refused');
    await page.locator('td summary').first().click();
    await shows(MARKUP);
    expect(await page.locator('tbody tr').count()).toBe(1);
    const link = page.locator(`td a[href="/console/users/${somebody.id}"]`);
    expect(await link.getAttribute('title')).toBe(somebody.id);
    await open(`audit?subject=${somebody.id}`);
    expect(await page.getByLabel('ID of the user').inputValue()).toBe(somebody.id);
    await page.getByText('user.registered').waitFor();
    await open('audit?actor=nonsense');
    await page.getByRole('alert').waitFor();
    await nothingRan();
  });

  it('pages the audit trail, and saves it as a file', async () => {
    for (let i = 0; i < 15; i++) await register();
    await open('audit');
    await page.waitForSelector('tbody tr');
    const first = await page.locator('tbody tr').count();
    await click('Show more');
    await eventually(async () =>
      expect(await page.locator('tbody tr').count()).toBeGreaterThan(first),
    );
    await open('audit?type=user.registered');
    const coming = page.waitForEvent('download');
    await click('Download');
    const text = await readFile(await (await coming).path(), 'utf8');
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['user.registered']));
    await shows(`Saved. Entries: ${lines.length}.`);
  });

  it('draws what happened, with the numbers as a table and names as text (Y-05)', async () => {
    await open('');
    await page.getByRole('img', { name: /^Sign-ins\. Hour/ }).waitFor();
    await page.getByText('Show as a table').first().click();
    const newest = page.locator('table.numbers').first().locator('tbody tr').first();
    expect(Number(await newest.locator('td').first().innerText())).toBeGreaterThan(15);
    await page.getByRole('cell', { name: MARKUP }).waitFor();
    await click('30 days');
    await page.getByRole('img', { name: /^Sign-ins\. Day/ }).waitFor();
    expect(await page.locator('table.numbers').first().locator('tbody tr').count()).toBe(30);
    await nothingRan();
  });

  it('makes a webhook, tests it, shows what it answers as text, changes it, gives it a new secret and deletes it (Y-05)', async () => {
    const receiver = await startReceiver();
    await open('webhooks');
    await click('Create a webhook');
    await fill('Address', receiver.url);
    const tick = (name: string) => page.getByRole('checkbox', { name, exact: true });
    const all = tick('All, also those of later versions');
    expect(await tick('user.deleted').isDisabled(), 'all are chosen').toBe(true);
    await all.uncheck();
    await fill('Description', MARKUP);
    await confirm('Create a webhook');
    await page.locator('dialog[open] .error').waitFor();
    await tick('role.granted').check();
    await tick('role.*').check();
    expect(await tick('role.granted').isDisabled(), 'it is one of them').toBe(true);
    await tick('user.deleted').check();
    await confirm('Create a webhook');
    const secret = await secretShown();
    expect((await Webhook.findOne())!.types).toBe('user.deleted role.*');
    await page.getByRole('link', { name: receiver.url }).click();
    await shows(MARKUP);
    await click('Send a test');
    await confirm('Send a test');
    const [heard] = await receiver.hears(1);
    expect(verified(secret, heard!)).toMatchObject({ type: 'webhook.test' });
    receiver.answer((res) => res.writeHead(500).end(MARKUP));
    await click('Reload');
    await page.getByRole('cell', { name: 'Delivered' }).waitFor();
    await click('Deliver again');
    await confirm('Deliver again');
    await receiver.hears(2);
    await eventually(async () => {
      await click('Reload');
      expect(await page.getByRole('cell', { name: /^500/ }).count()).toBe(1);
    });
    await click('Edit');
    expect(await tick('role.*').isChecked()).toBe(true);
    expect(await tick('user.updated').isChecked()).toBe(false);
    await all.check();
    await confirm('Edit');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    expect((await Webhook.findOne())!.types).toBe('*');
    await click('New secret');
    await confirm('New secret');
    expect(await secretShown()).not.toBe(secret);
    await click('Disable');
    await confirm('Disable');
    await page.locator('main').getByRole('button', { name: 'Enable' }).waitFor();
    await click('Delete');
    await page.locator('dialog[open] input').fill('another');
    await confirm('Delete');
    await shows('This is not the name.');
    await page.locator('dialog[open] input').fill(new URL(receiver.url).host);
    await confirm('Delete');
    await shows('There is no webhook yet.');
    expect(await Webhook.count()).toBe(0);
    await nothingRan();
  });

  it('makes a service, changes it, gives it a new secret and deletes it', async () => {
    await open('services');
    await click('Create a service');
    await fill('Name', MARKUP.slice(0, 20));
    await confirm('Create a service');
    await page.locator('dialog[open] .error').waitFor();
    await fill('Name', 'billing');
    await confirm('Create a service');
    const secret = await secretShown();
    const { id } = (await Service.findOne())!;
    const introspect = (with_: string) =>
      fetch(`${app.url}/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${id}:${with_}`).toString('base64')}` },
        body: new URLSearchParams({ token: 'x' }),
      }).then(({ status }) => status);
    expect(await introspect(secret)).toBe(200);
    await click('Edit');
    await page
      .locator('dialog[open]')
      .getByLabel(/^revoke/)
      .check();
    await confirm('Edit');
    await page.getByRole('cell', { name: /revoke/ }).waitFor();
    await click('New secret');
    await page.locator('dialog[open]').getByRole('checkbox').uncheck();
    await confirm('New secret');
    expect(await introspect(await secretShown())).toBe(200);
    expect(await introspect(secret)).toBe(401);
    await click('Delete');
    await page.locator('dialog[open] input').fill('billing');
    await confirm('Delete');
    await shows('There is no service yet.');
    await nothingRan();
  });

  it('lists the mails that wait without whom they are for, sends one now, and deletes one', async () => {
    const template = `test-${randomUUID().slice(0, 8)}`;
    await queueMail(ctx, 'Ada.Secret@shown.example', {
      template,
      subject: MARKUP,
      parts: ['text'],
      goodFor: 3600,
    });
    await open('mails');
    await page.getByRole('cell', { name: template }).waitFor();
    await shows('shown.example');
    expect(await page.content()).not.toMatch(/ada\.secret/i);
    await click('Send now');
    await confirm('Send now');
    await click('Delete');
    await confirm('Delete');
    await shows('No mail waits.');
    expect(await OutgoingMail.count()).toBe(0);
  });

  it('makes the next signing key after it was told for which server', async () => {
    await open('keys');
    await page.waitForSelector('tbody tr');
    expect(await page.locator('tbody tr').count()).toBe(1);
    await click('Make the next key');
    await page.locator('dialog[open] input').fill(new URL(home).host);
    await confirm('Make the next key');
    await shows('A new key was made:');
    await eventually(async () => expect(await page.locator('tbody tr').count()).toBe(2));
  });

  it('finds a setting, and tells no secret', async () => {
    await open('settings');
    await fill('Search', 'app_secret');
    await eventually(async () => expect(await page.locator('tbody tr').count()).toBe(2));
    expect(await page.locator('tbody tr').first().innerText()).toMatch(/APP_SECRET\s+Set/);
    await fill('Search', 'no such setting');
    await shows('No setting is called so.');
  });

  it('shows nobody what they may not do, and leads them to what they may', async () => {
    const name = 'auditor';
    await Role.create({ id: randomUUID(), name, permissions: 'audit:read webhooks:read' });
    const auditor = await register({}, name);
    const other = await signedIn(auditor.username);
    await other.page.waitForURL(`${home}/console/audit`);
    expect(await other.page.locator('nav a').allInnerTexts()).toEqual(['Audit', 'Webhooks']);
    await open('webhooks', other.page);
    await other.page.getByText('There is no webhook yet.').waitFor();
    expect(await other.page.locator('main button').count()).toBe(0);
    await open('keys', other.page);
    expect(await other.page.locator('main').innerText()).toContain('keys:rotate');
    expect(other.complaints).toEqual([]);
  });

  it('has words of its own language for what the server names in English', async () => {
    const german = await visit(browser, { url: home, locale: 'de' });
    await german.signIn({ identifier: admin.username, password });
    const textsOf = async (path: string, place: string) => {
      await german.open(`/console${path}`);
      await german.page.locator(place).first().waitFor();
      return german.page.locator(place).allInnerTexts();
    };
    const values = await textsOf('/settings', 'td:nth-child(2)');
    expect(values).toEqual(expect.arrayContaining(['Gesetzt', 'Nicht gesetzt']));
    expect(values.filter((value) => /^(not )?set$/.test(value))).toEqual([]);
    expect(await textsOf('/audit', '.kind')).toContain('Der Server');
    expect(await textsOf('', 'td[data-title="Weg"]')).toContain('Passwort');
    const ways = await textsOf(`/users/${admin.id}`, 'tbody td:nth-child(2)');
    expect(ways.length).toBeGreaterThan(0);
    expect(ways.filter((way) => !way.startsWith('Passwort'))).toEqual([]);
    expect(german.complaints).toEqual([]);
    await german.context.close();
  });

  it('is complained about by no browser', () => expect(complaints).toEqual([]));
});
