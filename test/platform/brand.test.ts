import { get, type IncomingHttpHeaders } from 'node:http';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { textOn } from '#src/platform/http/look';
import { LOCALES } from '#src/platform/messages/locales';
import { startApp, testEnv } from '#test/support/app';
import { serve } from '#src/server-program';
import { emptyDatabase } from '#test/support/database';
import { openMailbox } from '#test/support/mailbox';
import { runs } from '#test/support/properties';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
const file = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script></svg>';

const mailbox = await openMailbox();
const branded = await startApp({
  ...mailbox.env,
  MAIL_FROM: 'auth@example.com',
  EMAIL_VERIFICATION: 'required',
  BRAND_NAME: "Ünïcode & Söhne's",
  BRAND_LOGO: file('logo.SVG', SVG),
  BRAND_COLOR: '#FFDD00',
  BRAND_URL: 'https://example.com/?a=1&b=2',
  BRAND_SUPPORT: 'help@example.com',
});
const plain = await startApp();

const navigate = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };
const browser = { ...navigate, 'sec-fetch-mode': 'navigate' };
/** What a browser gets that opens an address. `fetch` says itself that it does not navigate. */
const opened = (url: string, path: string, headers: Record<string, string> = browser) =>
  new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    get(url + path, { headers, agent: false }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, text }));
    }).on('error', reject);
  });
const VARY = 'Origin, Accept, Sec-Fetch-Mode, Upgrade-Insecure-Requests, Accept-Language';
const NAME = 'Ünïcode &amp; Söhne&#39;s';

it.each(['/', '/docs/nothing', '/me', '/forgot-password', '/problems/forbidden'])(
  'Y-05 the brand is on %s, as text',
  async (path) => {
    const { text, headers } = await opened(branded.url, path);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toContain(` · ${NAME}</title>`);
    expect(text).toContain(`<header><img src="/brand/logo" alt="${NAME}"></header>`);
    expect(text).toContain(`<a href="https://example.com/?a=1&amp;b=2">Back to ${NAME}</a>`);
    expect(text).toContain('<a href="mailto:help@example.com">Help</a>');
    expect(text).toContain('--accent:#FFDD00;--on-accent:#000}');
    expect(headers['content-security-policy']).toContain(
      "; img-src 'self'; frame-ancestors 'none'",
    );
    expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:/);
  },
);

it.each(LOCALES.filter((each) => each !== 'en'))(
  'the page of a problem is in %s, and says which parts of it are English',
  async (locale) => {
    const asked = { ...browser, 'accept-language': locale };
    const { text, headers } = await opened(branded.url, '/problems/forbidden', asked);
    const language = branded.ctx.messages.language(locale);
    expect(headers.vary).toMatch(/Accept-Language/);
    expect(text).toContain(`<html lang="${locale}" dir="${language.dir}">`);
    const own = text.replaceAll(/<(\w+) lang="en" dir="ltr">.*?<\/\1>/gs, '');
    expect(own).toContain(`<h1>${language.text('problems', 'forbidden')}</h1>`);
    const frame = (
      ['problem.status', 'problem.code', 'problem.next', 'problem.docs', 'help'] as const
    ).map((key) => language.text('pages', key));
    for (const words of frame) expect(own).toContain(words);
    for (const english of ['What to do next', 'API documentation', 'Back to', 'Help<', ' the '])
      expect(own).not.toContain(english);
    expect(text).toContain('<dd lang="en" dir="ltr">Do not repeat the request.</dd>');
  },
);

it('a page without a brand shows none, and loads nothing but an icon', async () => {
  const { text, headers } = await opened(plain.url, '/');
  expect(text).toContain('<title>Signing in</title>');
  expect(text).toContain('<header></header>');
  expect(text).toContain('<footer></footer>');
  expect(headers['content-security-policy']).not.toMatch(/https?:/);
  expect((await plain.ask('GET', '/brand/logo')).status).toBe(404);
});

it('Y-05 a script in the logo does not run: the answer is a picture, and its policy forbids scripts', async () => {
  const { status, headers, text } = await branded.ask('GET', '/brand/logo');
  expect([status, text]).toEqual([200, SVG]);
  expect(headers.get('content-type')).toBe('image/svg+xml');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*; sandbox;/);
  expect(headers.get('cache-control')).toBe('public, max-age=300');
});

it.each(['/brand/icon', '/favicon.ico'])('%s is the logo, or else a keyhole', async (path) => {
  const [own, other] = [await branded.ask('GET', path), await plain.ask('GET', path)];
  expect(own.text).toBe(SVG);
  expect(other.text).toMatch(/^<svg [^>]*><rect [^>]*fill="#0a58ca"\/><path fill="#fff"/);
  for (const { status, headers } of [own, other]) {
    expect([status, headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*; sandbox;/);
  }
  expect((await opened(plain.url, '/')).text).toContain('<link rel="icon" href="/brand/icon">');
});

it('mails say who sends them, why, and where help is', async () => {
  const email = 'ada@example.com';
  await branded.ask('POST', '/auth/register', {
    body: { email, password: 'correct horse battery' },
  });
  const { headers, text, html } = await mailbox.next(email);
  expect(headers.get('from')).toMatch(/<auth@example\.com>$/);
  expect(decoded(headers.get('from')!)).toContain("Ünïcode & Söhne's");
  expect(decoded(headers.get('subject')!)).toBe("Ünïcode & Söhne's: Confirm your e-mail address");
  const host = new URL(branded.ctx.settings.publicUrl).host;
  const why = `You get this mail because this address was given at Ünïcode & Söhne's (${host}). Help: help@example.com`;
  expect(text).toContain(`-- \n${why}`);
  expect(html).toContain(why.replace('&', '&amp;').replace("'", '&#39;'));
});

/** Words of a header as RFC 2047 writes them. */
const decoded = (header: string) =>
  header
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?(b|q)\?([^?]*)\?=/gi, (_, kind: string, words: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(words, 'base64').toString()
        : decodeURIComponent(words.replaceAll('_', ' ').replaceAll(/=([\dA-F]{2})/g, '%$1')),
    );

it.each([
  ['/', 200],
  ['/nothing', 404],
  ['/me', 401],
])('GET %s is a page for a person, and JSON for a program', async (path, status) => {
  const upgrading = { ...navigate, 'upgrade-insecure-requests': '1' };
  for (const headers of [browser, upgrading]) {
    const page = await opened(plain.url, path, headers);
    expect([page.status, page.headers['content-type']]).toEqual([
      status,
      'text/html; charset=utf-8',
    ]);
    const caches = path === '/' ? 'public, max-age=300' : 'no-store';
    expect(page.headers['cache-control']).toBe(caches);
    if (path === '/') expect(page.headers['vary']).toBe(VARY);
  }
  for (const accept of ['*/*', 'application/json', 'application/json, text/html']) {
    const { status: answered, body } = await plain.ask('GET', path, {
      headers: { accept, 'sec-fetch-mode': 'cors' },
    });
    expect([answered, typeof body]).toEqual([status, 'object']);
  }
});

it('a program that asks for HTML without wanting it gets a problem, as from Java', async () => {
  const headers = { accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' };
  const { body } = await plain.ask('GET', '/me', { headers });
  expect(body.code).toBe('token_missing');
});

it.each([
  ['BRAND_NAME', ['a\nb', '   ', '<b>', 'a'.repeat(61), 'Evil <evil@example.com>']],
  ['BRAND_COLOR', ['red', '#fff', '#0a58ca;}', 'url(x)']],
  [
    'BRAND_URL',
    [
      'javascript:alert(1)',
      'http://example.com',
      '//evil',
      'https://u:p@example.com',
      'https://a.b/"x',
    ],
  ],
  ['BRAND_SUPPORT', ['javascript:alert(1)', 'a b@example.com', 'help', 'mailto:x@y.zz']],
  [
    'BRAND_LOGO',
    ['logo.html', 'logo', '.svg', `${folder}/missing.png`, file('big.png', Buffer.alloc(200_001))],
  ],
])('%s that could do harm is refused at the start', async (name, values) => {
  for (const value of values) {
    const starting = serve(testEnv(await emptyDatabase(), { [name]: value }));
    await expect(starting, `${name}=${value}`).rejects.toThrow(name);
  }
});

it('text on any color has a contrast of at least 4.5', () => {
  const part = fc.integer({ min: 0, max: 255 });
  const hex = (n: number) => n.toString(16).padStart(2, '0');
  const linear = (n: number) =>
    n / 255 <= 0.04045 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]: number[]) =>
    0.2126 * linear(r!) + 0.7152 * linear(g!) + 0.0722 * linear(b!);
  fc.assert(
    fc.property(fc.tuple(part, part, part), (color) => {
      const ground = luminance(color);
      const text = textOn(`#${color.map(hex).join('')}`) === '#fff' ? 1 : 0;
      const contrast = (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
      expect(contrast).toBeGreaterThanOrEqual(4.5);
    }),
    runs(),
  );
});
