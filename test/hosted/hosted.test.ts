import { describe, expect, it } from 'vitest';
import { createClient, memoryStorage } from '#src/client/index';
import { password, startApp } from '#test/support/app';
import { visitor, type Page } from '#test/support/hosted';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { addApp } from '#test/support/second-factor';

const REDIRECT = 'https://app.example.com/signed-in';
const mailbox = await openMailbox();
const port = await freePort();
const url = `http://localhost:${port}`;
const { ctx, ask, register, Session, User, OneTimeToken } = await startApp({
  ...mailbox.env,
  HOST: '127.0.0.1',
  PORT: String(port),
  PUBLIC_URL: url,
  REDIRECT_URIS: REDIRECT,
  EMAIL_CODE: 'on',
  EMAIL_VERIFICATION: 'optional',
});
const here = `http://127.0.0.1:${port}`;
const newVisitor = (redirectUri = REDIRECT) => visitor(here, redirectUri, url);
const sessionsOf = (userId: string) => Session.count({ where: { userId } });

/** The app is told where it waits, and nothing else. */
function expectCode({ status, location, headers }: Page, state: string) {
  expect([status, location!.origin + location!.pathname]).toEqual([303, REDIRECT]);
  expect([...location!.searchParams.keys()].sort()).toEqual(['code', 'state']);
  expect(location!.searchParams.get('state')).toBe(state);
  expect(headers.get('cache-control')).toBe('no-store');
}

describe('GET /sign-in', () => {
  it('shows every way that is on, and fills in who is expected', async () => {
    const { status, text } = await newVisitor().open('/sign-in', { login_hint: 'ada"><b>' });
    expect(status).toBe(200);
    expect(text).toContain('value="ada&quot;&gt;&lt;b&gt;"');
    expect(text).toContain('autocomplete="username webauthn"');
    expect(text).toContain('autocomplete="current-password"');
    for (const path of ['/sign-in/code?', '/sign-up?', '/forgot-password?'])
      expect(text).toContain(`href="${path}redirectUri=`);
  });

  it('leads whom no app has sent to their account', async () => {
    for (const path of ['/sign-in', '/sign-in?ui_locales=de', '/sign-up', '/sign-in/code']) {
      const { status, location } = await newVisitor().page(path);
      expect([status, location?.pathname]).toEqual([303, '/account']);
    }
  });
});

describe('a sign-in on the pages', () => {
  it('ends in a code that the app exchanges for tokens, and starts no session before', async () => {
    const { id, username } = await register();
    const before = await sessionsOf(id);
    const person = newVisitor();
    const ending = await person.send(await person.open('/sign-in'), {
      identifier: username,
      password,
    });
    expectCode(ending, person.state);
    expect(await sessionsOf(id)).toBe(before);
    const { status, body } = await person.exchange(ask, ending);
    expect([status, body.user.id, body.session.strategy]).toEqual([200, id, 'local']);
    expect(body.session.amr).toEqual(['pwd']);
    expect((await person.exchange(ask, ending)).body.code).toBe('invalid_code');
  });

  it('tells nobody who is known, disabled or locked: the same page, besides what was typed', async () => {
    const [known, disabled] = [await register(), await register()];
    await User.update({ disabledAt: ctx.clock.date() }, { where: { id: disabled.id } });
    const pages: unknown[] = [];
    for (const [identifier, secret] of [
      [known.username, 'not the secret'],
      ['nobody-of-this-name', 'not the secret'],
      [disabled.username, password],
    ] as const) {
      const person = newVisitor();
      const { status, text } = await person.send(await person.open('/sign-in'), {
        identifier,
        password: secret,
      });
      expect(text).toContain(`value="${identifier}"`);
      expect(text).not.toContain(secret);
      const same = text
        .replaceAll(identifier, '')
        .replaceAll(/data-options="[^"]*"/g, '')
        .replaceAll(new RegExp(`${person.state}|${person.query.codeChallenge}`, 'g'), '');
      pages.push([status, same]);
    }
    expect(pages[0]).toEqual(pages[1]);
    expect(pages[0]).toEqual(pages[2]);
    const [status, text] = pages[0] as [number, string];
    expect(status).toBe(401);
    expect(text).toMatch(
      /id="password"[^>]* autofocus aria-describedby="password-mistake" aria-invalid="true"/,
    );
    expect(text).toContain('<p class="mistake" id="password-mistake">');
  });

  it('says at its field what is missing', async () => {
    const person = newVisitor();
    const { status, text } = await person.post(person.addressOf('/sign-in'), { identifier: '' });
    expect(status).toBe(400);
    expect(text).toContain('id="password-mistake"');
  });

  it('asks for the second factor before there is a code, and never again', async () => {
    const member = await register();
    const { code, recoveryCodes } = await addApp({ clock: ctx.clock }, member);
    const before = await sessionsOf(member.id);
    const typed = { identifier: member.username, password };
    const person = newVisitor();
    const asked = await person.send(await person.open('/sign-in'), typed);
    expect([asked.status, asked.location]).toEqual([200, undefined]);
    expect(asked.text).toContain('autocomplete="one-time-code"');
    const wrong = await person.send(asked, { code: '000000' });
    expect([wrong.status, wrong.location]).toEqual([401, undefined]);
    expect(wrong.text).toContain('id="code-mistake"');
    const ending = await person.send(wrong, { code: ` ${code().slice(0, 3)} ${code().slice(3)}` });
    expectCode(ending, person.state);
    expect(await sessionsOf(member.id)).toBe(before);
    const { status, body } = await person.exchange(ask, ending);
    expect([status, body.session.acr, body.session.amr]).toEqual([
      200,
      'aal2',
      ['pwd', 'otp', 'mfa'],
    ]);

    const another = newVisitor();
    const again = await another.send(await another.open('/sign-in'), typed);
    const done = await another.send(again, { recoveryCode: recoveryCodes[0]! });
    expect((await another.exchange(ask, done)).body.session.acr).toBe('aal2');
  });

  it('takes a second factor for the app only that asked for it (Y-04)', async () => {
    const member = await register();
    const { recoveryCodes } = await addApp({ clock: ctx.clock }, member);
    const [person, thief] = [newVisitor(), newVisitor()];
    const typed = { identifier: member.username, password };
    const { forms } = await person.send(await person.open('/sign-in'), typed);
    const { mfaToken } = forms[0]!.fields as { mfaToken: string };
    const answer = { mfaToken, recoveryCode: recoveryCodes[0]! };
    const path = '/sign-in/second-factor';
    const elsewhere = await thief.post(thief.addressOf(path), answer);
    expect([elsewhere.status, elsewhere.location]).toEqual([400, undefined]);
    const direct = await ask('POST', '/auth/mfa', { body: answer });
    expect([direct.status, direct.body.code]).toEqual([400, 'invalid_code']);
    expectCode(await person.post(person.addressOf(path), answer), person.state);
  });

  it('begins anew after five wrong codes', async () => {
    const member = await register();
    await addApp({ clock: ctx.clock }, member);
    const person = newVisitor();
    const typed = { identifier: member.username, password };
    let page = await person.send(await person.open('/sign-in'), typed);
    for (let i = 0; i < 5; i++) page = await person.send(page, { code: '000000' });
    page = await person.send(page, { code: '000000' });
    expect([page.status, page.text.includes('name="identifier"')]).toEqual([400, true]);
  });

  it.each([
    ['another password', (id: string) => User.update({ passwordHash: 'x' }, { where: { id } })],
    ['no user', (id: string) => User.destroy({ where: { id } })],
    ['a disabled user', (id: string) => User.update({ disabledAt: new Date() }, { where: { id } })],
  ])('is worth nothing after %s', async (_what, change) => {
    const { id, username } = await register();
    const person = newVisitor();
    const ending = await person.send(await person.open('/sign-in'), {
      identifier: username,
      password,
    });
    await Session.destroy({ where: { userId: id } });
    await change(id);
    const { status } = await person.exchange(ask, ending);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await sessionsOf(id)).toBe(0);
  });
});

describe('the three lines of an app with sallyport/client', () => {
  it('begin, come back and are done', async () => {
    const { id, username } = await register();
    const client = createClient({ url: here, storage: memoryStorage() });
    const address = new URL(await client.signInPage(REDIRECT, { login_hint: username }));
    expect([address.pathname, address.searchParams.get('login_hint')]).toEqual([
      '/sign-in',
      username,
    ]);
    const person = newVisitor();
    const form = await person.page(address.pathname + address.search);
    const { location } = await person.send(form, { password });
    const result = await client.comeBack(location!.href);
    expect(result?.ok).toBe(true);
    expect(client.state.user?.id).toBe(id);
    expect(await client.comeBack(location!.href)).toBeNull();
  });
});

describe('a code by mail', () => {
  it('signs in, and creates a user as its route does', async () => {
    const email = 'by-code@example.com';
    const person = newVisitor();
    const sent = await person.send(await person.open('/sign-in/code'), { email });
    expect(sent.status).toBe(200);
    expect(sent.text).toContain('inputmode="numeric"');
    const { text } = await mailbox.next(email);
    const code = /\b\d{6}\b/.exec(text)![0];
    const wrong = await person.send(sent, { code: code === '000000' ? '111111' : '000000' });
    expect([wrong.status, wrong.location]).toEqual([401, undefined]);
    const ending = await person.send(wrong, { code });
    expectCode(ending, person.state);
    const { status, body } = await person.exchange(ask, ending);
    expect([status, body.user.email, body.session.strategy]).toEqual([200, email, 'email-code']);
  });

  it('answers the same to everybody who asks for one', async () => {
    await register({ email: 'known@example.com' });
    const texts: string[] = [];
    for (const email of ['known@example.com', 'unknown@example.com']) {
      const person = newVisitor();
      const { status, text } = await person.send(await person.open('/sign-in/code'), { email });
      const tokens = new RegExp(
        `${person.state}|${person.query.codeChallenge}|${email}|name="requestToken" value="[^"]*"`,
        'g',
      );
      texts.push(status + text.replaceAll(tokens, ''));
    }
    expect(texts[0]).toBe(texts[1]);
  });
});

describe('a sign-up on the pages', () => {
  it('makes a user, and ends in a code', async () => {
    const person = newVisitor();
    const form = await person.open('/sign-up');
    expect(form.text).toContain('autocomplete="new-password"');
    const weak = await person.send(form, { identifier: 'newcomer', password: '12345678' });
    expect(weak.status).toBe(422);
    expect(weak.text).toContain('id="password-mistake"');
    expect(weak.text).toContain('value="newcomer"');
    expect(weak.text).not.toContain('12345678');
    const ending = await person.send(weak, { identifier: 'newcomer', name: 'New', password });
    expectCode(ending, person.state);
    const { body } = await person.exchange(ask, ending);
    expect([body.user.username, body.user.name, body.user.email]).toEqual([
      'newcomer',
      'New',
      null,
    ]);
    const again = await newVisitor().send(await newVisitor().open('/sign-up'), {
      identifier: 'newcomer',
      password,
    });
    expect(again.status).toBe(409);
    expect(again.text).toContain('id="identifier-mistake"');
  });
});

describe('a forgotten password', () => {
  it('leads back to the sign-in of the app, and tells password managers whose it is', async () => {
    const email = 'forgetful@example.com';
    await register({ email });
    await mailbox.next(email); // asks to confirm the address
    const person = newVisitor();
    const asked = await person.send(await person.open('/forgot-password'), { email });
    expect(asked.text).toContain('href="/sign-in?redirectUri=');
    const { link } = await mailbox.next(email);
    const { text } = await person.page(link.slice(url.length));
    expect(text).toContain(`<input type="text" value="${email}" autocomplete="username" readonly`);
    expect(text).toContain('data-show="Show password"');
  });
});

describe('addresses of pages of a sign-in', () => {
  const WRONG = [
    'https://evil.example/',
    '//evil.example',
    'https:\\\\app.example.com/signed-in',
    'https://app.example.com@evil.example/signed-in',
    'https://user:word@app.example.com/signed-in',
    'https://app.example.com/signed-in#x',
    'https://app.example.com/signed-in/',
    'https%3A%2F%2Fapp.example.com%2Fsigned-in',
    'https://app.example.com/signed-in?next=//evil.example',
    'javascript:alert(1)',
    '/account',
    `${url}/account/`,
    `${url}/account?x`,
    `${url}/sign-in`,
    `${url}.evil.example/account`,
    '',
    'x'.repeat(10_000),
    'https://app.example.com/signed-in\r\nSet-Cookie: a=b',
  ];
  it.each(WRONG)('never lead to %j (Y-02)', async (redirectUri) => {
    const person = newVisitor(redirectUri);
    for (const path of [
      '/sign-in',
      '/sign-up',
      '/sign-in/code',
      '/verify',
      '/sign-in/second-factor',
    ]) {
      const opened = await person.open(path);
      const posted = await person.post(person.addressOf(path), { identifier: 'ada', password });
      for (const { status, location, headers, text } of [opened, posted]) {
        expect([status, location]).toEqual([400, undefined]);
        expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
        expect(text).not.toContain('evil.example');
        expect(headers.get('content-security-policy')).not.toContain('evil');
      }
    }
  });

  it('may be those of the pages of this server', async () => {
    const { username } = await register();
    for (const path of ['/account', '/console']) {
      const person = newVisitor(url + path);
      const { location } = await person.send(await person.open('/sign-in'), {
        identifier: username,
        password,
      });
      expect(location!.origin + location!.pathname).toBe(url + path);
    }
  });

  it.each([
    ['no challenge', { codeChallenge: '' }],
    ['a challenge of another method', { codeChallengeMethod: 'plain' }],
    ['a state with control characters', { state: 'a\u0007' }],
    ['a long state', { state: 'x'.repeat(10_000) }],
  ])('are refused with %s', async (_what, more) => {
    const { status, location } = await newVisitor().open('/sign-in', more);
    expect([status, location]).toEqual([400, undefined]);
  });

  it.each(['redirectUri', 'state', 'codeChallenge'])('are refused with two of %s', async (name) => {
    const person = newVisitor();
    const value = person.query[name as 'state'];
    const { status } = await person.page(
      `${person.addressOf('/sign-in')}&${name}=${encodeURIComponent(value)}`,
    );
    expect(status).toBe(400);
  });

  it('show nothing of what they bring as markup (Y-05)', async () => {
    const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`;
    const names = ['login_hint', 'ui_locales', 'state', 'done', 'why', 'x'];
    const more = Object.fromEntries(names.map((name) => [name, evil]));
    for (const path of ['/sign-in', '/sign-up', '/sign-in/code', '/verify']) {
      const { status, text } = await newVisitor().open(path, more);
      expect([200, 400]).toContain(status);
      expect(text).not.toMatch(/<script>|<img|onerror=alert\(1\)>/);
    }
    const twice = `${newVisitor().addressOf('/sign-in')}&login_hint=a&login_hint=b&done=x&done=y`;
    expect((await newVisitor().page(twice)).status).toBe(200);
  });
});

describe('forms of a sign-in', () => {
  const PATHS = [
    '/sign-in',
    '/sign-in/passkey',
    '/sign-in/second-factor',
    '/sign-in/code',
    '/sign-in/code/enter',
    '/sign-up',
    '/verify',
    '/verify/resend',
  ];
  const FOREIGN: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: `${url}.evil.example` },
    { origin: 'https://neighbour.localhost' },
    { origin: url, 'sec-fetch-site': 'cross-site' },
    { origin: url, 'sec-fetch-site': 'same-site' },
    { origin: url, 'sec-fetch-site': 'none' },
  ];
  it.each(PATHS)('%s is taken from pages of this server only (Y-03, Y-04)', async (path) => {
    const { username } = await register();
    const before = await OneTimeToken.count();
    const person = newVisitor();
    const fields = { identifier: username, password };
    for (const headers of FOREIGN) {
      const { status, location } = await person.post(person.addressOf(path), fields, headers);
      expect([status, location], JSON.stringify(headers)).toEqual([403, undefined]);
    }
    const without = await person.page(person.addressOf(path), {
      method: 'POST',
      body: new URLSearchParams(fields),
    });
    expect(without.status).toBe(403);
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x']) {
      const { status } = await person.page(person.addressOf(path), {
        method: 'POST',
        body: 'identifier=ada',
        headers: { origin: url, 'content-type': type },
      });
      expect(status).toBe(415);
    }
    expect(await OneTimeToken.count()).toBe(before);
  });

  it.each(PATHS)('%s answers anything with a page, and never with 500', async (path) => {
    const person = newVisitor();
    const bodies = [
      '',
      'a',
      'identifier=a&identifier=b&password=c',
      'identifier[]=a&password[x]=b',
      '__proto__=a&constructor=b',
      `identifier=${'x'.repeat(10_000)}&password=y`,
      `identifier=ada&password=${'y'.repeat(10_000)}`,
      'identifier=%00%01&password=%ff%fe&email=%00',
      'credential=[[[[&challengeToken=x&mfaToken=x',
      'credential=null&challengeToken=x&mfaToken=x',
      'mfaToken=x&code=1&recoveryCode=2',
      'requestToken=x&code=000000&email=%3Cscript%3E',
      'email=a%40b.example&code=000000&password=x',
      'token=x&surplus=y',
      Array.from({ length: 60 }, (_, i) => `f${i}=x`).join('&'),
    ];
    for (const body of bodies) {
      const { status, headers, text } = await person.page(person.addressOf(path), {
        method: 'POST',
        body,
        headers: { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect([200, 303, 400, 401, 413, 422], `${body} ${text}`).toContain(status);
      if (status !== 303) expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(text).not.toContain('<script>');
    }
    for (const method of ['PUT', 'DELETE', 'PATCH'])
      expect((await person.page(path, { method })).status).toBe(405);
  });

  it.each(PATHS)('%s can be framed, kept and referred to by nobody (Y-01, Y-06)', async (path) => {
    const { headers } = await newVisitor().open(path);
    expect(headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });
});
