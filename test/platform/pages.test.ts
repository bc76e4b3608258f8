import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { CHROMIUM, hasBrowser, launchBrowser } from '#test/support/chromium';
import { engine } from '#test/support/database';
import { bodySchemas } from '#src/webhooks/catalogue';

const { ask, routes, url } = await startApp();
const withPath = await startApp({ PUBLIC_URL: 'https://example.com/identity' });

const PAGES = ['/docs', '/problems/token_expired', '/problems/internal'];

describe.each(PAGES)('%s', async (path) => {
  const { headers, text } = await ask('GET', path);
  const policy = Object.fromEntries(
    headers
      .get('content-security-policy')!
      .split(/;\s*/)
      .map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1)]),
  ) as Record<string, string[]>;

  it('lets nothing in, nothing out and nothing around it', () => {
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const directive of ['default-src', 'frame-ancestors', 'base-uri', 'form-action'])
      expect(policy[directive]).toEqual(["'none'"]);
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:|blob:/);
    for (const source of Object.values(policy).flat())
      expect(source).toMatch(/^('none'|'self'|data:|'sha256-[\w+/=]+')$/);
    expect(policy['script-src'] ?? []).not.toContain('data:');
  });

  it('refers to nothing on another host, and has no script of its own in it', () => {
    const references = [
      ...text.matchAll(/\b(?:src|href|action|poster|srcset)=["']?([^"'\s>]+)/g),
    ].map(([, target]) => target!);
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((target) => !/^\/[^/]/.test(target))).toEqual([]);
    expect(text).not.toMatch(
      /<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<base|<iframe|@import|url\(/i,
    );
    expect(text).toMatch(/^<!doctype html><html lang="en"(?: dir="ltr")?><meta charset="utf-8">/);
  });

  it('finds everything it refers to, with the right type', async () => {
    for (const [, target] of text.matchAll(/\b(?:src|href)="(\/[^"]+)"/g)) {
      const asset = await fetch(url + target);
      expect(asset.status, target).toBe(200);
      expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
      expect(asset.headers.get('cache-control')).toBe('public, max-age=300');
      const type = target === '/brand/icon' ? 'icon' : (/\.(\w+)$/.exec(target!)?.[1] ?? 'html');
      expect(asset.headers.get('content-type')).toMatch(
        { js: /javascript/, css: /text\/css/, png: /image\/png/, html: /text\/html/, icon: /svg/ }[
          type
        ]!,
      );
      await asset.body?.cancel();
    }
  });
});

it('serves no other file of Swagger UI, and none of anything else', async () => {
  for (const path of [
    '/docs/',
    '/docs/index.html',
    '/docs/package.json',
    '/docs/oauth2-redirect.html',
    '/docs/..%2fpackage.json',
    '/docs/%2e%2e/package.json',
  ])
    expect(path === '/docs/' ? 404 : (await fetch(url + path)).status, path).toBe(404);
});

if (engine === 'sqlite' && !hasBrowser) {
  const line = `Chromium is not on this machine (${CHROMIUM}), so no page is looked at in a browser. Install chromium.`;
  if (process.env['CI']) throw new Error(line);
  console.warn(`\n!!! ${line}\n`);
}

// Pages do not depend on the database, so one engine is enough.
describe.runIf(hasBrowser && engine === 'sqlite')('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser(
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    );
  });
  afterAll(() => browser?.close());

  /** Opens a page. `complaints`: its errors and warnings, and requests to other hosts. */
  async function opened(address: string, colorScheme: 'light' | 'dark' = 'light') {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
    const complaints: string[] = [];
    page.on(
      'console',
      (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()),
    );
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
    page.on(
      'request',
      (request) =>
        /^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url()) ||
        complaints.push(`asked ${request.url()}`),
    );
    await page.addInitScript(
      "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))",
    );
    await page.goto(address, { waitUntil: 'networkidle' });
    return { page, complaints };
  }
  const shoot = async (page: Page, name: string) => {
    const folder = process.env['SCREENSHOTS'];
    if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  };

  it.each([
    ['/docs', url],
    ['/identity/docs', `${withPath.url}/identity`],
  ])(
    '%s shows every operation, opens one, tries one out with a token, and breaks nothing',
    async (path, base) => {
      const { page, complaints } = await opened(`${base}/docs`);
      const name = path.replaceAll('/', '-').slice(1);
      await page.waitForSelector('.opblock');
      const verbs = await page.locator('.opblock-summary-method').allTextContents();
      const paths = await page.locator('.opblock-summary-path').all();
      const shown = await Promise.all(
        paths.map(async (path, i) => `${verbs[i]} ${await path.getAttribute('data-path')}`),
      );
      const mounted = routes.map(
        ({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
      );
      const told = Object.keys(bodySchemas()).map((name) => `POST ${name}`); // what webhooks are sent
      expect(shown.sort()).toEqual([...mounted, ...told].sort());
      expect(await page.title()).toBe('Sallyport API');
      await shoot(page, name);
      await page.click('.opblock-summary-path[data-path="/auth/login"]');
      await page.waitForSelector('.opblock.is-open .responses-table');
      await shoot(page, `${name}-open`);
      await page.click('.opblock-summary-path[data-path="/auth/login"]');
      await page.waitForSelector('.opblock.is-open', { state: 'detached' });

      await page.click('.opblock-summary-path[data-path="/livez"]');
      await page.click('.opblock.is-open .try-out__btn');
      await page.click('.opblock.is-open .execute');
      const answer = '.live-responses-table .response td.response-col_status';
      await page.waitForSelector(answer);
      expect(await page.textContent(answer)).toContain('200');
      expect(await page.textContent('.request-url')).toContain(`${base}/livez`);
      await page.click('.btn.authorize');
      await page.waitForSelector('.auth-container input');
      await shoot(page, `${name}-try`);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it.each(['light', 'dark'] as const)(
    '/problems/token_expired is a page in %s colours that breaks nothing',
    async (colours) => {
      const { page, complaints } = await opened(`${url}/problems/token_expired`, colours);
      expect(await page.textContent('h1')).toBe('The access token expired');
      const width = await page.evaluate(
        'getComputedStyle(document.querySelector("main")).maxWidth',
      );
      expect(width).toBe('512px');
      await shoot(page, `problem-${colours}`);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});
