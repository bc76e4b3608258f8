import { execFileSync } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { addAuthenticator } from '#test/support/chromium';
import { password, type startApp } from '#test/support/app';
import { expect } from 'vitest';
import { root } from '#test/support/process';

/** Bundles the pages as they are now. Call it before the server starts: it reads then what there is. */
export const buildScreens = (...folder: string[]): void =>
  void execFileSync(process.execPath, ['src/build-screens.js', ...folder], { cwd: root });

/** A stranger's text that runs if it is ever taken for HTML. */
export const MARKUP = '<img src=x onerror=alert(1)>';

/** What a page complains of: refused scripts and styles, exceptions, requests to other hosts. */
function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!/^(data:|blob:|https?:\/\/(127\.0\.0\.1|localhost):)/.test(request.url()))
      complaints.push(`asked ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    complaints.push(`a script of a stranger ran: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    const text = message.text();
    const isRefusal = text.startsWith('Failed to load resource'); // an answer, which the page shows
    if (message.type() === 'error' && !isRefusal) complaints.push(text);
  });
  return complaints;
}

/** Waits until a page asks for nothing more and has drawn what it was answered. Call it before the page is opened. */
export function settling(page: Page): () => Promise<void> {
  const asked = new Set<unknown>();
  let count = 0;
  page.on('request', (request) => asked.add(request) && count++);
  page.on('requestfinished', (request) => asked.delete(request));
  page.on('requestfailed', (request) => asked.delete(request));
  const drawn =
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))';
  return async function settled(): Promise<void> {
    const before = count;
    await page.evaluate(drawn);
    if (asked.size > 0 || count > before) return settled();
  };
}

interface Visit {
  url: string;
  width?: number;
  locale?: string;
  /** Its own authenticator, which answers by itself. */
  passkeys?: boolean;
}

/** A browser of somebody, at a server. */
export async function visit(browser: Browser, given: Visit) {
  const { url, width = 1280, locale = 'en', passkeys = false } = given;
  const context = await browser.newContext({ viewport: { width, height: 900 }, locale });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url });
  const page = await context.newPage();
  if (passkeys) await addAuthenticator(page);
  const complaints = watch(page);

  /** Signs in as the hosted page does: the refresh token is a cookie, and the client knows that it is there. */
  async function signIn(body: { identifier: string; password: string }): Promise<void> {
    const answer = await context.request.post(`${url}/auth/login`, {
      headers: { 'X-Refresh-Token': 'cookie', Origin: url },
      data: body,
    });
    if (!answer.ok()) throw new Error(await answer.text());
    const { session } = (await answer.json()) as { session: { id: string } };
    await page.goto(`${url}/livez`);
    await page.evaluate(`localStorage.setItem('sallyport', '${session.id}')`);
  }
  const open = async (path: string) => {
    await page.goto(url + path);
    await page.waitForSelector('h1');
  };
  return { page, context, complaints, signIn, open };
}

type App = Awaited<ReturnType<typeof startApp>>;

/** Answers a function that registers somebody, and opens a page of their account. */
export const accountPages =
  ({ url, register }: Pick<App, 'url' | 'register'>, browser: () => Browser) =>
  async (
    path: string,
    fields: { email?: string; [field: string]: unknown } = {},
    more: object = {},
  ) => {
    const person = await register(fields);
    const identifier = person.username ?? fields.email!;
    const visitor = await visit(browser(), { url, ...more });
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
  };
