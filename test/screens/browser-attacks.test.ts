import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { hasBrowser, launchBrowser } from '#test/support/chromium';
import { freePort } from '#test/support/mysql';
import { buildScreens, MARKUP, visit } from '#test/support/screens';

buildScreens();
const port = await freePort();
const { ctx, register } = await startApp({ PORT: String(port) });
const url = ctx.settings.publicUrl;

/** A page of somebody else, who knows the addresses of ours. */
const evil = createServer((_req, res) => {
  res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Evil</title><h1>Win!</h1>');
});
await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
afterAll(() => evil.close());
const elsewhere = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/`;

describe.runIf(hasBrowser)('the pages in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function signedIn(...roles: string[]) {
    const { username } = await register({ name: 'Ada Lovelace' }, ...roles);
    const visitor = await visit(browser, { url });
    await visitor.signIn({ identifier: username, password });
    return visitor;
  }

  it.each(['account', 'console', 'forgot-password'])(
    '/%s shows nothing in a frame (Y-01)',
    async (path) => {
      const { page, context } = await signedIn('admin');
      await page.goto(elsewhere);
      const refused = page.waitForEvent('console', (message) =>
        message.text().includes('frame-ancestors'),
      );
      await page.evaluate(
        `document.body.append(Object.assign(document.createElement('iframe'), { src: '${url}/${path}' }))`,
      );
      await refused;
      const frame = page.frames().find((each) => each !== page.mainFrame())!;
      await expect.poll(() => frame.locator('body').innerText()).toContain('refused to connect');
      await context.close();
    },
  );

  it('tell who opened them nothing, and cannot be moved by them (Y-01)', async () => {
    const { page, context } = await signedIn();
    await page.goto(elsewhere);
    const coming = context.waitForEvent('page');
    await page.evaluate(`window.ours = window.open('${url}/account')`);
    const ours = await coming;
    await ours.getByRole('heading', { name: 'Profile' }).waitFor();
    expect(await ours.evaluate('window.opener')).toBeNull();
    expect(await page.evaluate('window.ours.closed')).toBe(true);
    await page.evaluate(`window.ours.location = '${elsewhere}'`);
    expect(ours.url()).toBe(`${url}/account`);
    await context.close();
  });

  it('take what is dropped on them as text (Y-01)', async () => {
    const { page, context, complaints, open } = await signedIn();
    await open('/account');
    const devTools = await context.newCDPSession(page);
    const box = (await page.getByRole('textbox', { name: 'Name', exact: true }).boundingBox())!;
    const data = {
      items: ['text/html', 'text/plain'].map((mimeType) => ({ mimeType, data: MARKUP })),
      dragOperationsMask: 1,
    };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await devTools.send('Input.dispatchDragEvent', { type, x: box.x + 5, y: box.y + 5, data });
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(page.url()).toBe(`${url}/account`);
    expect(complaints).toEqual([]);
    await context.close();
  });

  it.each([
    ['account', [], 'Profile', 'Ada Lovelace'],
    ['console/users', ['admin'], 'Users', 'user1'],
  ] as const)(
    '/%s shows nothing private to who goes back after a sign-out (Y-06)',
    async (path, roles, heading, secret) => {
      const { page, context, open } = await signedIn(...roles);
      await open(`/${path}`);
      await page.getByRole('heading', { name: heading }).waitFor();
      await page.getByText(secret).first().waitFor();
      await page.goto(elsewhere);
      await page.goBack();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.waitForURL(/\/sign-in\?/);
      for (const step of ['goBack', 'goForward', 'goBack'] as const) {
        await page[step]();
        await page.waitForSelector('[name=identifier], h1');
        expect(await page.content()).not.toContain(secret);
      }
      await context.close();
    },
  );

  it('lead to the right origin before anybody can type a password (Y-04)', async () => {
    const { page, context } = await visit(browser, { url });
    const asked: string[] = [];
    page.on('framenavigated', (frame) => asked.push(new URL(frame.url()).origin));
    await page.goto(`http://127.0.0.1:${port}/account`, { waitUntil: 'commit' });
    await page.waitForSelector('[name=password]');
    expect(new URL(page.url()).origin).toBe(url);
    expect(asked.slice(0, 2)).toEqual([`http://127.0.0.1:${port}`, url]);
    const target = "new URL(document.querySelector('[name=password]').form.action).origin";
    expect(await page.evaluate(target)).toBe(url);
    await context.close();
  });
});
