import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { root } from '#test/support/process';
import { sources } from '#test/support/source';
import { buildScreens, MARKUP } from '#test/support/screens';

buildScreens();
const port = await freePort();
const home = `http://localhost:${port}`;
const app = await startApp({
  PORT: String(port),
  PUBLIC_URL: home,
  SMTP_URL: `smtp://127.0.0.1:${await freePort()}`, // nobody answers there
  MAIL_FROM: 'auth@example.com',
});
const { ctx, ask, register, Factor, Invitation, OutgoingMail, Role, Session, User } = app;
const admin = await register({ name: 'Ada Lovelace' }, 'admin');

it('offers the permissions that the server asks for, and no other', () => {
  const code = [...sources.values()].join('\n');
  const file = join(root, 'src/screens/console/permissions.tsx');
  const offered = [...readFileSync(file, 'utf8').matchAll(/^ {2}'(\w+:\w+)',$/gm)].map(
    ([, name]) => name!,
  );
  expect(offered.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  const asked = [...code.matchAll(/(?:requirePermission\(|administer\(ctx, )'(\w+:\w+)'\)/g)];
  const missing = asked.map(([, name]) => name!).filter((name) => !offered.includes(name));
  expect(missing.filter((name) => name !== 'invoices:read')).toEqual([]); // an example
});

describe.runIf(hasBrowser)('the console of who governs users', () => {
  let browser: Browser;
  let complaints: string[];
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser();
    ({ page, complaints } = await signedIn(admin.username));
  });
  afterAll(async () => {
    await browser?.close();
    expect(complaints).toEqual([]);
  });

  async function signedIn(username: string) {
    const context = await browser.newContext({ locale: 'en' });
    const tab = await context.newPage();
    const heard: string[] = [];
    tab.on('pageerror', ({ message }) => heard.push(message));
    tab.on('console', (message) => {
      // Chromium writes a line for each refusal. The page shows them.
      const isRefusal = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isRefusal) heard.push(message.text());
    });
    await tab.goto(`${home}/console/users`);
    await tab.fill('[name=identifier]', username);
    await tab.fill('[name=password]', password);
    await tab.press('[name=password]', 'Enter');
    await tab.waitForURL(`${home}/console**`);
    await tab.waitForSelector('main h1');
    return { context, complaints: heard, page: tab };
  }
  const open = async (path: string, tab = page) => {
    await tab.goto(`${home}/console/${path}`);
    await tab.waitForSelector('main h1');
  };
  const shows = (text: string | RegExp, tab = page) => tab.getByText(text).first().waitFor();
  const click = (name: string, place = 'main', tab = page) =>
    tab.locator(place).getByRole('button', { name, exact: true }).first().click();
  const button = (name: string, tab = page) =>
    tab.locator('main').getByRole('button', { name, exact: true }).first();
  /** Opens the dialog of a button, and says yes. */
  async function confirm(name: string, tab = page) {
    await click(name, 'main', tab);
    await click(name, 'dialog[open]', tab);
  }
  const closed = () => page.locator('dialog[open]').waitFor({ state: 'detached' });
  const rows = () => page.locator('tbody tr').allInnerTexts();
  const userRow = (id: string) => User.findByPk(id, { rejectOnEmpty: true });

  it('finds users by a part of a name, and keeps the search in the address', async () => {
    const { username } = await register({ email: 'grace@navy.example' });
    await open('users');
    await page.getByLabel('Search').fill('NAVY');
    await page.waitForURL('**/users?q=NAVY');
    await eventually(async () => expect(await rows()).toHaveLength(1));
    expect((await rows())[0]).toContain('grace@navy.example');
    expect(await page.evaluate('document.activeElement.type'), 'the caret stays').toBe('search');
    await page.reload();
    await eventually(async () => expect(await rows()).toHaveLength(1));
    await page.getByLabel('State').selectOption('true');
    await shows('Nobody is like this');
    await page.goBack();
    await eventually(async () => expect(await rows()).toHaveLength(1));
    await page.locator('tbody a').first().click();
    await page.waitForSelector('h2');
    expect(username ?? '').toBe('');
    await page.goBack();
    expect(await page.getByLabel('Search').inputValue()).toBe('NAVY');
  });

  it('pages the list, and filters it by role', async () => {
    await open('users?role=admin');
    await eventually(async () => expect(await rows()).toHaveLength(1));
    expect((await rows())[0]).toContain('Ada Lovelace');
    const names: string[] = [];
    for (let made = 0; made < 45; made++) {
      const email = `page${made}@pages.example`;
      await register({ email });
      names.unshift(email); // the newest first
    }
    await open('users?q=pages.example');
    for (const shown of [20, 40, 45]) {
      await eventually(async () => expect(await rows()).toHaveLength(shown));
      if (shown < 45) await click('Show more');
    }
    expect(await page.locator('tbody a').allInnerTexts()).toEqual(names);
    await button('Show more').waitFor({ state: 'detached' });
  });

  it.each(['en', 'ar'])(
    'has the open entry of the menu in sight on a phone (%s)',
    async (locale) => {
      const { page: theirs, context } = await signedIn(admin.username);
      const width = 390;
      await theirs.setViewportSize({ width, height: 800 });
      const inSight = () =>
        eventually(async () => {
          const box = (await theirs.locator('nav [aria-current]').boundingBox())!;
          expect(box.x).toBeGreaterThanOrEqual(0);
          expect(box.x + box.width).toBeLessThanOrEqual(width);
        });
      await open(`settings?ui_locales=${locale}`, theirs);
      await inSight();
      await theirs.locator('nav a').first().click();
      await theirs.locator('nav li:first-child [aria-current]').waitFor();
      await inSight();
      expect(await theirs.evaluate('scrollX')).toBe(0);
      await context.close();
    },
  );

  it('changes a profile, and says a conflict at its field', async () => {
    const user = await register();
    await open(`users/${user.id}`);
    await page.getByLabel('Username').fill(admin.username);
    await click('Save');
    await shows('This username is taken');
    expect(await page.getByLabel('Username').inputValue(), 'it stays').toBe(admin.username);
    await page.getByLabel('Username').fill('renamed');
    await page.locator('[name=name]').fill('Edsger');
    await click('Save');
    await shows('Saved.');
    await page.getByRole('heading', { name: 'Edsger', level: 1 }).waitFor();
    expect(await userRow(user.id)).toMatchObject({ username: 'renamed', name: 'Edsger' });
  });

  it('does not undo what somebody else has changed meanwhile', async () => {
    const user = await register({ name: 'Before' });
    await open(`users/${user.id}`);
    await (await userRow(user.id)).update({ name: 'Meanwhile' });
    await page.getByLabel('Username').fill('too-late');
    await click('Save');
    await page.getByRole('heading', { name: 'Meanwhile', level: 1 }).waitFor();
    expect(await userRow(user.id)).toMatchObject({ name: 'Meanwhile', username: user.username });
  });

  it('disables a user and enables them again', async () => {
    const user = await register();
    await open(`users/${user.id}`);
    await confirm('Disable user');
    await button('Enable user').waitFor();
    expect((await ask('GET', '/me', { token: user.token })).status).toBe(401);
    await confirm('Enable user');
    await button('Disable user').waitFor();
    expect((await userRow(user.id)).disabledAt).toBeNull();
  });

  it('says that the last administrator stays', async () => {
    await open(`users/${admin.id}`);
    await confirm('Disable user');
    await shows('The last active administrator must stay');
    await click('Cancel', 'dialog[open]');
    await closed();
    await confirm('Take “admin”');
    await shows('The last active administrator must stay');
  });

  it('gives a role and takes it', async () => {
    const user = await register();
    await open(`users/${user.id}`);
    await page.getByLabel('Another role').selectOption('moderator');
    await click('Give role');
    await button('Take “moderator”').waitFor();
    await confirm('Take “moderator”');
    await button('Take “moderator”').waitFor({ state: 'detached' });
  });

  it('ends one session, and then all', async () => {
    const user = await register();
    await app.logIn(user.username);
    await open(`users/${user.id}`);
    await eventually(async () => expect(await rows()).toHaveLength(2));
    await confirm('End');
    await eventually(async () => expect(await rows()).toHaveLength(1));
    await confirm('Sign out everywhere');
    await shows('Signed in nowhere');
    expect(await Session.count({ where: { userId: user.id, endedAt: null } })).toBe(0);
  });

  it('mails the link for a new password, and removes factors', async () => {
    const user = await register({ email: 'forgot@example.com' });
    await Factor.create({
      id: crypto.randomUUID(),
      userId: user.id,
      kind: 'totp',
      name: 'phone',
      secret: 'x',
      confirmedAt: new Date(),
    });
    await open(`users/${user.id}`);
    await confirm('Send password mail');
    await shows('The mail is on its way.');
    expect(await OutgoingMail.count({ where: { template: 'reset-password' } })).toBe(1);
    await confirm('Remove all second factors');
    await button('Remove all second factors').waitFor({ state: 'detached' });
    expect(await Factor.count({ where: { userId: user.id } })).toBe(0);
  });

  it('deletes a user whose name was typed, and nobody else', async () => {
    const user = await register();
    await open(`users/${user.id}`);
    await click('Delete user');
    await page.locator('dialog[open] input').fill('somebody else');
    await click('Delete user', 'dialog[open]');
    await shows('This is not the name.');
    await page.locator('dialog[open] input').fill(user.username);
    await click('Delete user', 'dialog[open]');
    await page.waitForURL('**/console/users');
    expect(await User.findByPk(user.id)).toBeNull();
  });

  it('invites somebody, sends it again and takes it back', async () => {
    await open('invitations');
    await shows('Nobody is invited');
    await page.locator('[name=email]').fill('new@example.com');
    await page.getByLabel('moderator').check();
    await click('Send invitation');
    await shows('new@example.com is invited.');
    expect(await Invitation.findOne()).toMatchObject({ roles: 'moderator user' });
    await confirm('Send again');
    await shows('Sent');
    await page.locator('[name=email]').fill('new@example.com');
    await click('Send invitation');
    await page.locator('main [role=alert]').waitFor();
    await confirm('Take back');
    await shows('Nobody is invited');
    expect(await Invitation.count()).toBe(0);
  });

  it('makes a role, changes and deletes it', async () => {
    await open('roles');
    await click('Create a role');
    await page.getByLabel('Name').fill('clerk');
    await page.getByLabel('Description').fill(MARKUP);
    await page.getByLabel('users:read').check();
    await page.getByLabel('Another permission').fill('invoices:read');
    await click('Add');
    await click('Create role');
    await page.getByRole('heading', { name: 'clerk', level: 1 }).waitFor();
    const stored = () => Role.findOne({ where: { name: 'clerk' }, rejectOnEmpty: true });
    expect((await stored()).permissions).toBe('invoices:read users:read');
    await page.getByLabel('users:read').uncheck();
    await page.getByLabel('roles:read').check();
    await click('Save');
    await shows('Saved.');
    expect(await stored()).toMatchObject({ permissions: 'invoices:read roles:read' });
    await open('roles');
    await shows(MARKUP); // Y-05: as text
    expect(await page.locator('main img').count()).toBe(0);
    await open('roles/clerk');
    await click('Delete this role');
    await page.locator('dialog[open] input').fill('clerk');
    await click('Delete this role', 'dialog[open]');
    await page.waitForURL('**/console/roles');
    expect(await Role.count({ where: { name: 'clerk' } })).toBe(0);
  });

  it('does not change a role by making it again', async () => {
    await open('roles');
    await click('Create a role');
    await page.getByLabel('Name').fill('moderator');
    await page.getByLabel('users:write').check();
    await click('Create role');
    await shows('There is a role with this name already.');
    const { permissions } = (await Role.findOne({ where: { name: 'moderator' } }))!;
    expect(permissions).not.toContain('users:write');
  });

  it('Y-05 shows scripts in names, devices and reasons as text', async () => {
    const user = await register({ name: MARKUP, device: { name: MARKUP } });
    await Session.update({ deviceName: MARKUP }, { where: { userId: user.id } });
    await open('users');
    await shows(MARKUP);
    await open(`users/${user.id}`);
    await eventually(async () => expect((await rows()).join()).toContain(MARKUP));
    expect(await page.title()).toContain(MARKUP);
    expect(await page.locator('main img').count()).toBe(0);
  });

  it('Y-08 shows nothing to who has no permission, and no button to who may only read', async () => {
    const { username } = await register();
    const { page: theirs, context } = await signedIn(username);
    await shows('The console is for administrators.', theirs);
    expect(await theirs.locator('nav').count()).toBe(0);
    await context.close();
    const role = await Role.create({
      id: crypto.randomUUID(),
      name: 'reader',
      permissions: 'users:read',
    });
    const reader = await register();
    await grantRole(ctx, await userRow(reader.id), role);
    const { page: readers, context: other } = await signedIn(reader.username);
    expect(await readers.locator('nav').innerText()).not.toContain('Roles');
    await open(`users/${admin.id}`, readers);
    await shows('How the user signs in', readers);
    expect(await readers.locator('main').getByRole('button').count()).toBe(0);
    await open('roles', readers);
    await shows('It needs: roles:read', readers);
    await other.close();
  });

  it('Y-08 shows less as soon as somebody may do less', async () => {
    const user = await register();
    const deputy = await register({}, 'admin');
    const { page: theirs, context } = await signedIn(deputy.username);
    await open(`users/${user.id}`, theirs);
    await button('Disable user', theirs).waitFor();
    const role = (await Role.findOne({ where: { name: 'admin' } }))!;
    await revokeRole(ctx, await userRow(deputy.id), role);
    await confirm('Disable user', theirs);
    await shows('You may do less than before', theirs);
    await shows('The console is for administrators.', theirs);
    expect((await userRow(user.id)).disabledAt).toBeNull();
    await context.close();
  });
});
