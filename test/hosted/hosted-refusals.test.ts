import express from 'express';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { embed } from '#test/support/host';
import { visitor } from '#test/support/hosted';

const REDIRECT = 'https://app.example.com/signed-in';
const { url, ctx } = await startApp({ REDIRECT_URIS: REDIRECT });
const { origin } = new URL(ctx.settings.publicUrl);
const newVisitor = () => visitor(url, REDIRECT, origin);
/** The page at this address, in this language. */
const at = (path: string, language = 'en', base = url) =>
  visitor(base, REDIRECT).page(path, {
    headers: { 'accept-language': language },
  });

describe('the address of an app that is not known', () => {
  const person = visitor(url, 'https://other.example.com/');

  it.each(['/sign-in', '/forgot-password', '/reset-password', '/end-session'])(
    'is refused at %s, in words for people',
    async (path) => {
      const { status, text } = await at(person.addressOf(path));
      expect([status, text.includes('other.example.com')]).toEqual([400, false]);
      expect(text).toContain(
        '<p>This app’s address is not known here. Ask the people who run the app.</p>',
      );
      expect(text).toContain('<h1>This app is not known here</h1>');
      expect(text).not.toContain('REDIRECT_URIS');
      const { text: japanese } = await at(person.addressOf(path), 'ja');
      expect(japanese).toContain('アプリの運営者にお問い合わせください。</p>');
    },
  );

  it('is in the log, for those who run the server', async () => {
    const lines: unknown[][] = [];
    const note = (...line: unknown[]) => void lines.push(line);
    const log = { debug: note, info: note, warn: note, error: note, fatal: note };
    const app = await embed('', (auth) => express().use(auth.router), {
      log,
      hostedPages: 'sign-in',
      redirectUris: REDIRECT,
    });
    await at(person.addressOf('/sign-in'), 'en', app.url);
    const said = lines.find(([, words]) => words === 'the redirectUri is not one of REDIRECT_URIS');
    expect(said?.[0]).toEqual({ origin: 'https://other.example.com' });
  });
});

describe('a page in place of what is refused', () => {
  it('says in plain words what is there twice, or too long', async () => {
    const person = newVisitor();
    const twice = await at(`${person.addressOf('/sign-in')}&state=again`);
    expect(twice.text).toContain('<code>state</code>: This may be given only once.');
    const long = await person.post(person.addressOf('/sign-in'), {
      identifier: 'x'.repeat(600),
      password: 'y',
    });
    expect(long.text).toContain('Use at most 512 characters.');
    const empty = await person.post(person.addressOf('/sign-in'), { identifier: '', password: '' });
    expect(empty.text).toContain('This field is required.');
    expect(empty.text).not.toMatch(/Too (small|big)|Give it once/);
  });

  it('ends its sentences as the language does', async () => {
    const person = newVisitor();
    const form = person.addressOf('/sign-in', { ui_locales: 'ja' });
    const { text } = await person.post(form, { identifier: '', password: '' });
    expect(text).toContain('この項目は必須です。');
    expect(text).not.toMatch(/[ぁ-んァ-ヶ一-龠]\./);
  });

  it.each(['/sign-in', '/forgot-password'])('%s says that it takes a form', async (path) => {
    const person = newVisitor();
    for (const type of ['text/plain', 'application/json']) {
      const { status, text } = await person.page(person.addressOf(path), {
        method: 'POST',
        body: '{}',
        headers: { origin, 'content-type': type },
      });
      expect(status).toBe(415);
      expect(text).toContain('<h1>This page takes a form (application/x-www-form-urlencoded)</h1>');
    }
  });

  it('is for what is switched on only', async () => {
    const person = newVisitor();
    for (const path of ['/sign-in/code', '/sign-in/code/enter', '/verify', '/verify/resend']) {
      const { status, text } = await at(person.addressOf(path));
      expect([path, status]).toEqual([path, 404]);
      expect(text).not.toContain('<form');
    }
  });
});

it('says how long to wait where there were too many attempts', async () => {
  const limited = await startApp({
    REDIRECT_URIS: REDIRECT,
    LIMITS: 'on',
    LIMIT_SIGN_INS_PER_NETWORK: '1/1h',
    LIMIT_MAIL_REQUESTS_PER_NETWORK: '1/1h',
  });
  const person = visitor(limited.url, REDIRECT, limited.ctx.settings.publicUrl);
  const forms = [
    ['/sign-in', { identifier: 'ada', password: 'wrong' }],
    ['/forgot-password', { email: 'ada@example.com' }],
  ] as const;
  for (const [path, fields] of forms) {
    await person.post(person.addressOf(path), fields);
    const { status, headers, text } = await person.post(person.addressOf(path), fields);
    expect([path, status]).toEqual([path, 429]);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(text).toMatch(/Try again in (1 hour|\d+ minutes)\./);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  }
});
