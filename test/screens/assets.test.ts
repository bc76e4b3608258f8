import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { emptyFolder, root } from '#test/support/process';
import { buildScreens } from '#test/support/screens';

buildScreens();
const { ask, url } = await startApp();
const none = await startApp({ HOSTED_PAGES: 'none' });
const folder = join(root, 'src/screens/assets');
const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as {
  style: string;
  scripts: Record<string, string[]>;
  files: string[];
};

it('is the same however often it is built', () => {
  const other = emptyFolder();
  for (let i = 0; i < 2; i++) {
    buildScreens(other);
    expect(JSON.parse(readFileSync(join(other, 'manifest.json'), 'utf8'))).toEqual(manifest);
    buildScreens();
  }
  expect(readdirSync(other).sort()).toEqual(readdirSync(folder).sort());
});

const gzipped = (file: string) => gzipSync(readFileSync(join(folder, file))).length;

it.each([
  ['account', 40_000],
  ['console', 60_000],
])(
  '%s needs few bytes: its script, what that imports, and what it may load later',
  (name, most) => {
    const others = Object.entries(manifest.scripts).flatMap(([other, [entry]]) =>
      other === name ? [] : [entry],
    );
    const own = manifest.files.filter((file) => !others.includes(file));
    expect(own.reduce((sum, file) => sum + gzipped(file), 0)).toBeLessThan(most);
  },
);

it('sign-in needs fewer', () => {
  const own = manifest.scripts['sign-in']!;
  expect(own.reduce((sum, file) => sum + gzipped(file), 0)).toBeLessThan(15_000);
});

describe.each(manifest.files)('/screens/%s', (file) => {
  it.each(['gzip', 'identity'])('comes in %s, and may be kept for ever', async (encoding) => {
    const answer = await fetch(`${url}/screens/${file}`, {
      headers: { 'accept-encoding': encoding },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-encoding')).toBe(encoding === 'gzip' ? 'gzip' : null);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('vary')).toContain('Accept-Encoding');
    expect(answer.headers.get('content-type')).toMatch(/^text\/(javascript|css); charset=utf-8$/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toBe(readFileSync(join(folder, file), 'utf8'));
  });
});

it('nothing else of the folder is served', async () => {
  for (const path of ['manifest.json', `${manifest.style}.gz`, '..%2fui%2fclient.tsx', ''])
    expect((await ask('GET', `/screens/${path}`)).status, path).toBe(404);
  expect((await ask('POST', `/screens/${manifest.style}`)).status).toBe(405);
});

it.each(['/account', '/account/security', '/console', '/console/users/1'])(
  '%s lets no script run but the files of this server, and holds nothing private',
  async (path) => {
    const { status, headers, text } = await ask('GET', path);
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBe('DENY');
    const policy = headers.get('content-security-policy')!;
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'sha256-/);
    expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    const scripts = [...text.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes);
    expect(scripts).toEqual([
      expect.stringMatching(/^ type="module" src="\/screens\/[\w-]+\.js"$/),
      ' type="application/json" id="data"',
    ]);
  },
);

it('a page speaks the language that its reader asks for', async () => {
  const german = await ask('GET', '/account?ui_locales=ar');
  expect(german.text).toContain('<html lang="ar" dir="rtl">');
});

it('pages that are switched off are not there, nor are deeper paths', async () => {
  for (const path of ['/account', '/console', '/console/users'])
    expect((await none.ask('GET', path)).status, path).toBe(404);
  expect((await ask('GET', '/account/a/b/c')).status).toBe(404);
  expect((await ask('POST', '/account')).status).toBe(405);
});

it.each(['/account', '/console'])('%s is the same packed, in each language', async (path) => {
  const pages = new Set<string>();
  for (const locale of ['en', 'ar', 'ja', 'en']) {
    const get = (encoding: string) =>
      fetch(`${url}${path}?ui_locales=${locale}`, { headers: { 'accept-encoding': encoding } });
    const [packed, plain] = [await get('gzip'), await get('identity')];
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(plain.headers.get('content-encoding')).toBeNull();
    for (const { headers } of [packed, plain]) {
      expect(headers.get('vary')).toContain('Accept-Encoding');
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    }
    const text = await plain.text();
    expect(await packed.text()).toBe(text);
    expect(text).toContain(`<html lang="${locale}"`);
    const [, style] = /<style>(.*?)<\/style>/s.exec(text)!;
    const hash = createHash('sha256').update(style!).digest('base64');
    expect(packed.headers.get('content-security-policy')).toContain(`'sha256-${hash}'`);
    pages.add(text);
  }
  expect(pages.size).toBe(3);
});
