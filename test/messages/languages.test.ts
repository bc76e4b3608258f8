import { globSync } from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import * as emailMails from '#src/email/mails';
import * as factorMails from '#src/factors/mails';
import * as federationMails from '#src/federation/mails';
import * as impersonationMails from '#src/impersonation/mails';
import * as invitationMails from '#src/invitations/mails';
import * as passkeyMails from '#src/passkeys/mails';
import * as passwordMails from '#src/passwords/mails';
import { linkTo, render } from '#src/platform/mail/template';
import { LOCALES } from '#src/platform/messages/locales';
import * as sessionMails from '#src/sessions/mails';
import { startApp } from '#test/support/app';
import { root } from '#test/support/process';

const { url, ctx } = await startApp({ EMAIL_CODE: 'on' });
const german = await startApp({ DEFAULT_LOCALE: 'de' });

const pageOf = (path: string, language?: string, base = url) => {
  const headers: Record<string, string> = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
  if (language !== undefined) headers['accept-language'] = language;
  // `fetch` says itself that it does not navigate.
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>(
    (resolve, reject) => {
      get(base + path, { headers, agent: false }, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers, text }));
      }).on('error', reject);
    },
  );
};
const localeOf = ({ text }: { text: string }) =>
  /^<!doctype html><html lang="(\w+)"/.exec(text)?.[1];

describe('the language of a page', () => {
  it.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-CH, en;q=0.5', 'de'],
    ['en;q=0.5, fr;q=0.9', 'fr'],
    ['zh-Hans, ja;q=0.1', 'ja'],
    ['pt-PT', 'pt'],
    ['AR-eg', 'ar'],
    ['xx, yy', 'en'],
    ['de;q=0, fr', 'fr'],
    ['*', 'en'],
    ['*;q=0', 'en'],
    ['de;q=abc', 'en'],
    [';;;,,,;q=', 'en'],
    ['__proto__, constructor', 'en'],
    ['../../etc/passwd', 'en'],
    ['de,'.repeat(3400), 'en'],
    ['-'.repeat(10_000), 'en'],
    ['a-'.repeat(5000), 'en'],
    ['de;'.repeat(3400), 'en'],
  ])('Accept-Language %j', async (header, locale) => {
    const start = performance.now();
    const page = await pageOf('/forgot-password', header);
    expect(page.status).toBe(200);
    expect(performance.now() - start).toBeLessThan(2000);
    if (header !== 'de;q=abc') expect(localeOf(page)).toBe(locale);
  });

  it.each([
    ['fr', 'fr'],
    ['xx%20es-419%20fr', 'es'],
    ['ja+de', 'ja'],
    ['xx', 'de'],
    ['', 'de'],
    ['%00', 'de'],
    ['%E0%A4%A', 'de'],
    ['<script>', 'de'],
    ['a-'.repeat(400), 'de'],
    ['fr&ui_locales=es', 'fr'],
  ])('ui_locales=%s comes before Accept-Language', async (asked, locale) => {
    expect(localeOf(await pageOf(`/forgot-password?ui_locales=${asked}`, 'de'))).toBe(locale);
  });

  it('is DEFAULT_LOCALE where nobody asks for another one', async () => {
    for (const header of [undefined, 'xx', '*'])
      expect(localeOf(await pageOf('/forgot-password', header, german.url))).toBe('de');
    expect(localeOf(await pageOf('/forgot-password', 'fr', german.url))).toBe('fr');
  });

  it('is kept by forms, and caches are told of it', async () => {
    const asked = await pageOf('/forgot-password?ui_locales=ar', 'de');
    expect(asked.text).toContain('action="/forgot-password?ui_locales=ar"');
    expect((await pageOf('/forgot-password', 'de')).text).toContain('action="/forgot-password"');
    const { headers } = await pageOf('/', 'fr');
    expect(headers['vary']).toContain('Accept-Language');
  });
});

const PATHS = [
  '/',
  '/nothing-here',
  '/forgot-password',
  '/confirm-email',
  ...[
    '/reset-password',
    '/confirm-email',
    '/confirm-sign-up',
    '/restore-email',
    '/accept-invitation',
    '/end-session',
    '/auth/email-code/link',
  ].map((path) => `${path}?token=abc`),
];
describe.each(LOCALES)('in %s', (locale) => {
  const dir = locale === 'ar' ? 'rtl' : 'ltr';

  it.each(PATHS)('%s says language and direction, and has no open place', async (path) => {
    const { text } = await pageOf(path, locale);
    expect(text).toContain(`<html lang="${locale}" dir="${dir}">`);
    expect(text.replace(/<style>.*<\/style>/s, '')).not.toMatch(/[{}]|undefined|\[object/);
  });

  it('a mistake in a form is told', async () => {
    const answer = await fetch(`${url}/confirm-sign-up?ui_locales=${locale}`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'abc' }),
    });
    const required = ctx.messages.language(locale).text('problems', 'field.required');
    expect(await answer.text()).toContain(required);
  });

  const at = new Date('2026-11-20T14:03:59Z');
  const data = {
    name: '<b>Ada</b> {code}',
    link: linkTo(ctx.settings, '/here'),
    code: '012345',
    at,
    madeAt: at,
    provider: 'GitHub',
    kind: 'totp',
    left: 9,
    device: null,
    ip: null,
    strategy: 'local',
    actor: 'grace',
    reason: '<script>alert(1)</script>',
  };
  const mails = Object.entries({
    ...emailMails,
    ...factorMails,
    ...federationMails,
    ...impersonationMails,
    ...invitationMails,
    ...passkeyMails,
    ...passwordMails,
    ...sessionMails,
  });
  it.each(mails)('%s says language and direction, and has no open place (Y-05)', (_, write) => {
    const language = ctx.messages.language(locale);
    const { html, text, subject } = render(ctx.settings, write(data), language);
    expect(html).toContain(`<html lang="${locale}" dir="${dir}">`);
    expect(html).not.toMatch(/<b>|<script/);
    const said = `${subject}\n${text}`.replaceAll('<b>Ada</b> {code}', '');
    expect(said).not.toMatch(/[{}]|undefined|\[object/);
  });
});

it('knows every file of mails', () => {
  expect(globSync('src/**/mails.ts', { cwd: root })).toHaveLength(8);
});
