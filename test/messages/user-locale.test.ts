import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';

const mailbox = await openMailbox();
const { ask, register, ctx, url, User } = await startApp({ ...mailbox.env });
const ada = await register({ username: 'ada', email: 'ada@example.com' });

describe('PATCH /me { locale }', () => {
  it.each(['xx', 'DE', 'de-AT', 'de ', '', '../de', '<script>', 'en\u0000', 1, ['de'], {}])(
    'refuses %j',
    async (locale) => {
      const { status, body } = await ada.ask('PATCH', '/me', { body: { locale } });
      expect([status, body.code, body.errors[0].pointer]).toEqual([
        400,
        'invalid_request',
        '/locale',
      ]);
    },
  );

  it.each(['de', 'ar', null])('stores %j, which the next request shows', async (locale) => {
    const { status, body } = await ada.ask('PATCH', '/me', { body: { locale } });
    expect([status, body.locale]).toEqual([200, locale]);
    expect((await ada.ask('GET', '/me')).body.locale).toBe(locale);
  });

  it('leaves the names, as a change of names leaves the language', async () => {
    await ada.ask('PATCH', '/me', { body: { locale: 'fr' } });
    const { body } = await ada.ask('PATCH', '/me', { body: { name: 'Ada' } });
    expect([body.username, body.name, body.locale]).toEqual(['ada', 'Ada', 'fr']);
  });

  it('signing up stores no language, whatever the browser asks for', async () => {
    await ask('POST', '/auth/register', {
      body: { username: 'grace', password: 'correct horse battery' },
      headers: { 'accept-language': 'de' },
    });
    expect((await User.findOne({ where: { usernameCanonical: 'grace' } }))!.locale).toBeNull();
  });
});

describe('a mail', () => {
  const forgot = async (language: string, query = '') => {
    await fetch(`${url}/forgot-password${query}`, {
      method: 'POST',
      body: new URLSearchParams({ email: 'ada@example.com' }),
      headers: { 'accept-language': language },
    });
    return mailbox.next('ada@example.com');
  };

  it('is in the language that the user has chosen, whoever asks', async () => {
    await ada.ask('PATCH', '/me', { body: { locale: 'fr' } });
    const mail = await forgot('de');
    expect(mail.subject).toBe(ctx.messages.language('fr').text('mails', 'reset-password.subject'));
    expect(mail.html).toContain('<html lang="fr" dir="ltr">');
  });

  it('is else in the language of the request', async () => {
    await ada.ask('PATCH', '/me', { body: { locale: null } });
    expect((await forgot('ar')).html).toContain('<html lang="ar" dir="rtl">');
    expect((await forgot('de', '?ui_locales=xx%20ja')).html).toContain(
      '<html lang="ja" dir="ltr">',
    );
    expect((await forgot('xx')).html).toContain('<html lang="en" dir="ltr">');
  });
});
