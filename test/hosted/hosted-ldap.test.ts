import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import {
  ADMIN,
  ADMIN_PASSWORD,
  BASE,
  hasDirectory,
  person as entry,
  startDirectory,
} from '#test/support/directory';
import { visitor } from '#test/support/hosted';
import { addApp } from '#test/support/second-factor';

const REDIRECT = 'https://app.example.com/signed-in';
const secret = 'ida keeps it secret';

describe.runIf(hasDirectory)('the page for people of a directory', async () => {
  if (!hasDirectory) return;
  const people = ['ida', 'sue'].map((name) => entry(name, { userPassword: secret }));
  const directory = await startDirectory(people.join(''));
  const { ask, ctx, url, Session, User } = await startApp({
    REDIRECT_URIS: REDIRECT,
    LDAP_URL: directory.url,
    LDAP_BIND_DN: ADMIN,
    LDAP_BIND_PASSWORD: ADMIN_PASSWORD,
    LDAP_SEARCH_BASE: `ou=people,${BASE}`,
  });
  const newVisitor = () => visitor(url, REDIRECT, ctx.settings.publicUrl);
  /** From the sign-in, by its link. */
  async function openForm(more = {}) {
    const person = newVisitor();
    const { text } = await person.open('/sign-in', more);
    const address = /href="(\/sign-in\/ldap\?[^"]*)">Sign in with your directory account</.exec(
      text,
    );
    return { person, form: await person.page(address![1]!.replaceAll('&amp;', '&')) };
  }
  async function signIn(username: string, password = secret) {
    const { person, form } = await openForm();
    return { person, page: await person.send(form, { username, password }) };
  }

  it('is led to by the sign-in, and ends in a code for the app', async () => {
    const { person, form } = await openForm({ login_hint: 'ida' });
    expect(form.text).toContain('autocomplete="current-password"');
    expect(form.text).toContain('value="ida"');
    const done = await person.send(form, { password: secret });
    expect(done.location!.origin + done.location!.pathname).toBe(REDIRECT);
    expect(await Session.count()).toBe(0);
    const { status, body } = await person.exchange(ask, done);
    expect([status, body.user.username, body.session.strategy]).toEqual([200, 'ida', 'ldap']);
  });

  it('asks for a second factor, as after a password', async () => {
    const first = await signIn('sue');
    const { body } = await first.person.exchange(ask, first.page);
    const mine = (method: string, path: string, question = {}) =>
      ask(method, path, { token: body.accessToken, ...question });
    const { code } = await addApp(ctx, { ask: mine });
    const { person, page } = await signIn('sue');
    expect([page.status, page.location]).toEqual([200, undefined]);
    const done = await person.send(page, { code: code() });
    expect((await person.exchange(ask, done)).body.session).toMatchObject({
      strategy: 'ldap',
      acr: 'aal2',
    });
  });

  it('says the same of a wrong password and of nobody, and makes no user', async () => {
    const before = await User.count();
    const pages: string[] = [];
    for (const username of ['ida', 'nobody-of-this-name']) {
      const { person, page } = await signIn(username, 'not the secret');
      expect([page.status, page.location]).toEqual([401, undefined]);
      expect(page.text).toContain('id="password-mistake"');
      expect(page.text).not.toContain('not the secret');
      const own = `${username}|${person.state}|${person.query.codeChallenge}`;
      pages.push(page.text.replaceAll(new RegExp(own, 'g'), ''));
    }
    expect(pages[0]).toBe(pages[1]);
    expect(await User.count()).toBe(before);
  });

  it('takes no empty password, and nothing from elsewhere (Y-03)', async () => {
    const person = newVisitor();
    const path = person.addressOf('/sign-in/ldap');
    const empty = await person.post(path, { username: 'ida', password: '' });
    expect([empty.status, empty.location]).toEqual([400, undefined]);
    const fields = { username: 'ida', password: secret };
    const other = await person.post(path, fields, { origin: 'https://evil.example' });
    expect([other.status, other.location]).toEqual([403, undefined]);
  });

  it('is a page also while the directory does not answer', async () => {
    await directory.stop();
    const { page } = await signIn('ida');
    expect([page.status, page.text.includes('role="alert"')]).toEqual([503, true]);
  });

  it('is not there without a directory', async () => {
    const off = await startApp({ REDIRECT_URIS: REDIRECT });
    const person = visitor(off.url, REDIRECT, off.ctx.settings.publicUrl);
    expect((await person.open('/sign-in/ldap')).status).toBe(404);
    expect((await person.open('/sign-in')).text).not.toContain('ldap');
  });
});
