import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { visitor, type Page } from '#test/support/hosted';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';

const REDIRECT = 'https://app.example.com/signed-in';
const mailbox = await openMailbox();
const port = await freePort();
const url = `http://localhost:${port}`;
const here = `http://127.0.0.1:${port}`;
const { ask, User } = await startApp({
  ...mailbox.env,
  HOST: '127.0.0.1',
  PORT: String(port),
  PUBLIC_URL: url,
  REDIRECT_URIS: `${REDIRECT},com.example.app:/signed-in`,
  EMAIL_CODE: 'on',
  EMAIL_VERIFICATION: 'required',
});
const newVisitor = (redirectUri = REDIRECT) => visitor(here, redirectUri, url);
const pathOf = (link: string) => link.slice(url.length);
const isConfirmed = (email: string) =>
  User.count({ where: { emailCanonical: email } }).then((users) => users === 1);

async function expectSignedIn(person: ReturnType<typeof newVisitor>, page: Page, email: string) {
  expect(page.location!.origin + page.location!.pathname).toBe(REDIRECT);
  expect(page.location!.searchParams.get('state')).toBe(person.state);
  const { status, body } = await person.exchange(ask, page);
  expect([status, body.user.email, body.user.emailVerified]).toEqual([200, email, true]);
}
async function signUp(email: string, person = newVisitor(), more = {}) {
  const form = await person.open('/sign-up', more);
  const sent = await person.send(form, { identifier: email, password });
  expect([sent.status, sent.location]).toEqual([200, undefined]);
  return { person, sent, mail: await mailbox.next(email) };
}

describe('a sign-up whose address must be confirmed', () => {
  it('goes on with the digits of the mail and the sign-in, and ends in the app', async () => {
    const email = 'digits@example.com';
    const { person, sent, mail } = await signUp(email);
    const early = await person.send(await person.open('/sign-in'), { identifier: email, password });
    expect([early.status, early.location!.pathname]).toEqual([303, '/verify']);
    const code = mail.code === '000000' ? '111111' : '000000';
    const wrong = await person.send(sent, { code, password });
    expect([wrong.status, wrong.text.includes('id="code-mistake"')]).toEqual([400, true]);
    expect(await isConfirmed(email)).toBe(false);

    const done = await person.send(wrong, { code: mail.code, password });
    expect([done.status, done.location!.pathname]).toEqual([303, '/sign-in']);
    const form = await person.page(done.location!.pathname + done.location!.search);
    expect(form.text).toContain('Your e-mail address is confirmed');
    expect(form.text).toContain(`value="${email}"`);
    await expectSignedIn(person, await person.send(form, { password }), email);
  });

  it('mails new digits to whoever asks, and they count', async () => {
    const email = 'again@example.com';
    const { person, sent } = await signUp(email);
    const resend = sent.forms.find(({ action }) => action.startsWith('/verify/resend'))!;
    const again = await person.post(resend.action, resend.fields);
    const { code } = await mailbox.next(email);
    const done = await person.send(again, { code, password });
    const form = await person.page(done.location!.pathname + done.location!.search);
    await expectSignedIn(person, await person.send(form, { password }), email);
  });

  it('tells nobody who is known', async () => {
    await signUp('known@example.com').then(async ({ person, sent, mail }) =>
      person.send(sent, { code: mail.code, password }),
    );
    const pages = [];
    for (const email of ['known@example.com', 'unknown@example.com']) {
      const { person, sent } = await signUp(email);
      const own = new RegExp(`${email}|${person.state}|${person.query.codeChallenge}`, 'g');
      pages.push(sent.text.replaceAll(own, ''));
    }
    expect(pages[0]).toBe(pages[1]);
  });
});

describe('the link in a mail that a page caused', () => {
  const links: [what: string, mail: (email: string) => Promise<string>, fields: object][] = [
    [
      'of a sign-up',
      async (email) => (await signUp(email, newVisitor(), { ui_locales: 'de' })).mail.link,
      { password },
    ],
    [
      'that was asked for again',
      async (email) => {
        const { person, sent } = await signUp(email, newVisitor(), { ui_locales: 'de' });
        const resend = sent.forms.find(({ action }) => action.startsWith('/verify/resend'))!;
        await person.post(resend.action, resend.fields);
        return (await mailbox.next(email)).link;
      },
      { password },
    ],
    [
      'for a new password',
      async (email) => {
        const { person, sent, mail } = await signUp(email);
        await person.send(sent, { code: mail.code, password });
        const ask = await newVisitor().open('/forgot-password', { ui_locales: 'de' });
        const done = await newVisitor().send(ask, { email });
        expect(done.text).toContain('href="/sign-in?redirectUri=');
        return (await mailbox.next(email)).link;
      },
      { password: 'another horse battery' },
    ],
  ];

  it.each(links)(
    '%s leads back to the app, in the language of the page',
    async (what, mail, fields) => {
      const email = `${what.replaceAll(' ', '-')}@example.com`;
      const link = await mail(email);
      // Nothing of the app's own sign-in: whoever reads the mail may sit at another browser (Y-04).
      expect([...new URL(link).searchParams.keys()]).toEqual([
        'token',
        'redirectUri',
        'ui_locales',
      ]);
      const reader = newVisitor();
      const form = await reader.page(pathOf(link));
      expect(form.text).toContain('<html lang="de"');
      expect(form.text).toContain(
        `<input type="text" value="${email}" autocomplete="username" readonly`,
      );
      const done = await reader.send(form, fields as Record<string, string>);
      expect([done.status, done.location]).toEqual([200, undefined]);
      expect(done.text).toContain(`<a href="${REDIRECT}">Weiter zu app.example.com</a>`);
      expect(done.text).not.toContain('/sign-in');
      expect(done.headers.getSetCookie()).toEqual([]);
      const used = await reader.send(form, fields as Record<string, string>);
      expect([used.status, used.text.includes('href="/forgot-password?redirectUri=')]).toEqual([
        400,
        true,
      ]);
    },
  );

  it('of an address that is known leads back, too', async () => {
    const email = 'twice@example.com';
    const { person, sent, mail } = await signUp(email);
    await person.send(sent, { code: mail.code, password });
    const { link } = (await signUp(email)).mail;
    expect(pathOf(link)).toBe(`/forgot-password?redirectUri=${encodeURIComponent(REDIRECT)}`);
    const { text } = await newVisitor().page(pathOf(link));
    expect(text).toContain(`<a href="${REDIRECT}">Continue to app.example.com</a>`);
  });

  it('names no host for an app of a device', async () => {
    const { mail } = await signUp('phone@example.com', newVisitor('com.example.app:/signed-in'));
    const reader = newVisitor();
    const done = await reader.send(await reader.page(pathOf(mail.link)), { password });
    expect(done.text).toContain('<a href="com.example.app:/signed-in">Continue to the app</a>');
  });

  it.each([
    'https://evil.example/',
    'javascript:alert(1)',
    '//evil.example',
    `${REDIRECT}?next=//evil.example`,
    `${REDIRECT}/`,
    '',
  ])('that was changed to %j leads nowhere (Y-02)', async (redirectUri) => {
    const email = `changed${redirectUri.length}@example.com`;
    const link = new URL((await signUp(email)).mail.link);
    link.searchParams.set('redirectUri', redirectUri);
    const token = link.searchParams.get('token')!;
    for (const page of [
      await newVisitor().page(pathOf(link.href)),
      await newVisitor().post(pathOf(link.href), { token, password }),
    ]) {
      expect([page.status, page.location]).toEqual([400, undefined]);
      expect(page.text).not.toMatch(/evil\.example|alert\(1\)/);
    }
    expect(await isConfirmed(email)).toBe(false); // and the link is as good as before
  });

  it('does not begin a sign-in: that needs the challenge of an app', async () => {
    const query = new URLSearchParams({ redirectUri: REDIRECT }).toString();
    expect((await newVisitor().page(`/sign-in?${query}`)).status).toBe(400);
  });
});

it('a code by mail is typed where it was asked for: its mail has no link', async () => {
  const email = 'code@example.com';
  const person = newVisitor();
  await person.send(await person.open('/sign-in/code'), { email });
  const { code, text } = await mailbox.next(email);
  expect(code).toMatch(/^\d{6}$/);
  expect(text).not.toMatch(/https?:/);
});
