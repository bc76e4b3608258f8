import { describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { browser, type Landing } from '#test/support/browser';
import { SECOND, wait } from '#test/support/clock';
import { engine } from '#test/support/database';
import { clientSecret, signInAt, startProvider, type People } from '#test/support/open-id-provider';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';

const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const people: People = {};
const { issuer } = await startProvider([`${here}/auth/oidc/callback`], people);
const APP = 'http://127.0.0.1:9/signed-in';
const { url, ask, ctx, User, Identity, OneTimeToken } = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in,https://app.example.com/in?x=1,com.example.app:/in',
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: 'sallyport',
  OIDC_CLIENT_SECRET: clientSecret,
});
people['ida'] = {
  email: 'ida@idp.test',
  email_verified: true,
  name: 'Ida P',
  preferred_username: 'ida',
};

/** Up to where the provider would send the browser back, and no further. */
async function atProvider(who = 'ida', tab = browser(), more: Record<string, string> = {}) {
  const asked = authorizationRequest(url, 'oidc', APP, more);
  const callback = `${here}/auth/oidc/callback`;
  const landing = await signInAt(await tab.open(asked.address, callback), who, callback, tab);
  return { ...asked, tab, callback: landing.url };
}
async function signIn(who = 'ida') {
  const { tab, callback, ...asked } = await atProvider(who);
  const landing = await tab.open(callback.href, APP);
  return { ...asked, tab, callback, landing, code: landing.url.searchParams.get('code')! };
}
const exchange = (body: object) => ask('POST', '/auth/exchange', { body });
/** What the app was told went wrong; a text that is no error if the browser did not get as far as the app. */
const errorOf = ({ url }: Landing) =>
  url.href.startsWith(APP) ? url.searchParams.get('error') : 'never arrived';
const counts = () => Promise.all([User.count(), Identity.count()]);

describe('an authorization request', () => {
  it('ends in tokens for the app that started it', async () => {
    const { landing, code, codeVerifier, state } = await signIn();
    expect(landing.url.searchParams.get('state')).toBe(state);
    const { status, body, text } = await exchange({
      code,
      codeVerifier,
      device: { name: 'my app', kind: 'mobile' },
    });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      tokenType: 'Bearer',
      session: { strategy: 'oidc' },
      user: {
        username: 'ida',
        email: 'ida@idp.test',
        emailVerified: true,
        name: 'Ida P',
        roles: ['user'],
      },
    });
    const token = body.accessToken;
    expect((await ask('GET', '/me', { token })).body.id).toBe(body.user.id);
    expect((await ask('GET', '/me/sessions', { token })).body.data[0].device).toMatchObject({
      name: 'my app',
      kind: 'mobile',
    });
  });

  it('finds the same user again', async () => {
    const before = await counts();
    const { code, codeVerifier } = await signIn();
    expect((await exchange({ code, codeVerifier })).body.user.username).toBe('ida');
    expect(await counts()).toEqual(before);
  });

  it('puts no token into any address, and leaves no cookie behind', async () => {
    const { landing, tab, code, codeVerifier } = await signIn();
    const { body } = await exchange({ code, codeVerifier });
    for (const { url } of landing.trail) expect(url).not.toMatch(/rt1\.|eyJ[\w-]+\./);
    expect(landing.url.href).not.toContain(body.accessToken);
    expect([...tab.jar.keys()].filter((name) => name.includes('sallyport'))).toEqual([]);
  });

  it('stores what it needs in an encrypted cookie for ten minutes, for this host alone', async () => {
    const answer = await fetch(authorizationRequest(url, 'oidc', APP).address, {
      redirect: 'manual',
    });
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(
      /^sallyport-[1-4]=[\w-]+; Max-Age=600; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    const value = Buffer.from(/=([\w-]+)/.exec(cookie!)![1]!, 'base64url').toString('latin1');
    expect(value).not.toMatch(/redirectUri|code_verifier|signed-in/);
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { searchParams } = new URL(answer.headers.get('location')!);
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(searchParams.get(name)?.length, name).toBeGreaterThan(20);
    expect(searchParams.get('code_challenge_method')).toBe('S256');
  });

  it('survives a second one in another tab', async () => {
    const tab = browser();
    const first = await atProvider('ida', tab);
    const second = await atProvider('ida', tab);
    expect(errorOf(await tab.open(first.callback.href, APP))).toBeNull();
    expect(errorOf(await tab.open(second.callback.href, APP))).toBeNull();
  });

  it('leaves room in the headers, however often it is started, also at once', async () => {
    const tab = browser();
    const start = () => tab.open(authorizationRequest(url, 'oidc', APP).address, issuer);
    await Promise.all(Array.from({ length: 40 }, start));
    for (let i = 0; i < 10; i++) await start();
    expect(
      [...tab.jar.keys()].filter((name) => name.includes('sallyport')).length,
    ).toBeLessThanOrEqual(4);
    const last = await atProvider('ida', tab);
    expect(errorOf(await tab.open(last.callback.href, APP))).toBeNull();
  });

  it('gives way to a fifth if it was started first', async () => {
    const tab = browser();
    const begun = [];
    for (let i = 0; i < 5; i++) begun.push(await atProvider('ida', tab));
    const [first, ...later] = begun;
    expect((await tab.open(first!.callback.href, APP)).text).toContain('invalid_state');
    for (const { callback } of later)
      expect(errorOf(await tab.open(callback.href, APP))).toBeNull();
  });
});

describe('GET /auth/oidc', () => {
  const start = (more: Record<string, string>, less?: string) => {
    const target = new URL(authorizationRequest(url, 'oidc', APP, more).address);
    if (less) target.searchParams.delete(less);
    return ask('GET', target.pathname + target.search);
  };

  it.each([
    'http://127.0.0.1:1234/signed-in',
    'http://127.0.0.1/signed-in',
    'https://app.example.com/in?x=1',
    'com.example.app:/in',
  ])('starts for the redirect URI %s', async (redirectUri) => {
    const answer = await fetch(authorizationRequest(url, 'oidc', redirectUri).address, {
      redirect: 'manual',
    });
    expect(answer.status).toBe(302);
  });

  it.each([
    'https://evil.example/signed-in',
    'http://127.0.0.1:1234/signed-in/',
    'http://127.0.0.1:1234/signed-in?x=1',
    'http://127.0.0.1:1234/signed-in#x',
    'http://user@127.0.0.1:1234/signed-in',
    'http://127.0.0.1.evil.example/signed-in',
    'http://127.0.0.2/signed-in',
    'http://127.1:1234/signed-in',
    'http://127.0.0.1:0/signed-in',
    'http://127.0.0.1:01234/signed-in',
    'http://127.0.0.1:12\t34/signed-in',
    'http://127.0.0.1:1234/x/../signed-in',
    'http://127.0.0.1:1234\\signed-in',
    'http://localhost/signed-in',
    'https://127.0.0.1/signed-in',
    'https://app.example.com/in',
    'https://app.example.com/in?x=1&y=2',
    'https://app.example.com:8443/in?x=1',
    'HTTPS://app.example.com/in?x=1',
    'com.example.app:/in/../in',
    'com.example.app://in',
    'javascript:alert(1)',
    '//evil.example',
    '/signed-in',
    '',
  ])('refuses the redirect URI %j', async (redirectUri) => {
    const { status, body } = await start({ redirectUri });
    expect([status, body.errors[0].pointer]).toEqual([400, '/redirectUri']);
    expect(JSON.stringify(body)).not.toContain('evil');
  });

  it.each([
    ['redirectUri', {}],
    ['codeChallenge', {}],
    [undefined, { codeChallenge: 'short' }],
    [undefined, { codeChallengeMethod: 'plain' }],
    [undefined, { surplus: '1' }],
    [undefined, { code: 'x' }],
    [undefined, { state: 'x'.repeat(257) }],
    [undefined, { state: '\u{1f600}' }],
    [undefined, { state: 'a\r\nb' }],
  ])('refuses what is not asked for as documented: without %s, with %o', async (less, more) => {
    expect((await start(more as Record<string, string>, less)).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  it('shows a person a page, and a program a problem', async () => {
    const { status, text, headers } = await browser().open(
      `${url}/auth/oidc?redirectUri=https://evil.example/`,
      'never',
    );
    expect([status, headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    expect(text).toContain('/problems/invalid_request');
    expect(text).not.toContain('evil');
  });

  it('passes on what the app may ask of the provider, and nothing else', async () => {
    const more = {
      prompt: 'login consent',
      login_hint: 'ida@idp.test',
      acr_values: 'urn:mfa',
      ui_locales: 'de-CH de',
      max_age: '300',
    };
    const answer = await fetch(authorizationRequest(url, 'oidc', APP, more).address, {
      redirect: 'manual',
    });
    const sent = new URL(answer.headers.get('location')!).searchParams;
    expect(Object.fromEntries(sent)).toMatchObject(more);
    for (const wrong of [{ prompt: 'none login' }, { prompt: 'x' }, { max_age: '-1' }, { hd: 'x' }])
      expect((await start(wrong as unknown as Record<string, string>)).status).toBe(400);
  });

  it('compares max_age with what the provider says of the last sign-in', async () => {
    const asked = authorizationRequest(url, 'oidc', APP, { max_age: '300' });
    const tab = browser();
    const page = await signInAt(await tab.open(asked.address, APP), 'ida', APP, tab);
    expect(errorOf(page)).toBeNull();
  });

  it('is there with the others in GET /auth/strategies', async () => {
    const { body } = await ask('GET', '/auth/strategies');
    expect(body).toContainEqual({
      name: 'oidc',
      kind: 'redirect',
      summary: 'Sign in with an OpenID provider',
      url: `${here}/auth/oidc`,
    });
    expect(body).toContainEqual(
      expect.objectContaining({ name: 'jwt', kind: 'bearer', url: null }),
    );
    expect(body).toContainEqual(
      expect.objectContaining({ name: 'local', kind: 'login', url: `${here}/auth/login` }),
    );
  });
});

describe('a callback', () => {
  const back = async (address: string | URL, tab = browser()) => {
    const { status, text, url } = await tab.open(String(address), APP, {
      accept: 'application/json',
    });
    return { status, code: text && JSON.parse(text).code, url };
  };
  const lost = { status: 400, code: 'invalid_state' };

  it('is refused in another browser', async () => {
    const { callback } = await atProvider();
    expect(await back(callback)).toMatchObject(lost);
  });

  it('is refused in a browser that started another authorization request', async () => {
    const [mine, theirs] = [await atProvider(), await atProvider()];
    expect(await back(theirs.callback, mine.tab)).toMatchObject(lost);
    const mixed = new URL(theirs.callback);
    mixed.searchParams.set('state', mine.callback.searchParams.get('state')!);
    const { url } = await mine.tab.open(mixed.href, APP); // their code with my state: the provider or PKCE refuses it
    expect(url.searchParams.get('error')).toBe('access_denied');
    expect(url.searchParams.get('code')).toBeNull();
  });

  it.each([
    ['missing', (target: URL) => target.searchParams.delete('state')],
    ['another one', (target: URL) => target.searchParams.set('state', 'evil')],
    ['empty', (target: URL) => target.searchParams.set('state', '')],
  ])('is refused when the state is %s', async (_what, change) => {
    const { callback, tab } = await atProvider();
    change(callback);
    expect(await back(callback, tab)).toMatchObject(lost);
  });

  it('is refused the second time', async () => {
    const { callback, tab } = await atProvider();
    const jar = new Map(tab.jar);
    expect(errorOf(await tab.open(callback.href, APP))).toBeNull();
    expect(await back(callback, tab)).toMatchObject(lost);
    for (const [name, value] of jar) tab.jar.set(name, value);
    expect(await back(callback, tab)).toMatchObject(lost); // also with the cookie of the first time
  });

  it('succeeds once of ten times at once with one cookie', async () => {
    const { callback, tab } = await atProvider();
    const cookie = [...tab.jar].map(([name, value]) => `${name.split(' ')[1]}=${value}`).join('; ');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        fetch(callback, { redirect: 'manual', headers: { cookie } }),
      ),
    );
    const targets = answers
      .map((answer) => answer.headers.get('location') ?? '')
      .filter((target) => target.includes('code='));
    expect(targets).toHaveLength(1);
  });

  it('is refused after ten minutes', async () => {
    wait(0);
    const [inTime, late] = [await atProvider(), await atProvider()];
    wait(590 * SECOND);
    expect(errorOf(await inTime.tab.open(inTime.callback.href, APP))).toBeNull();
    wait(20 * SECOND);
    expect(await back(late.callback, late.tab)).toMatchObject(lost);
    vi.useRealTimers();
  });

  it('is refused with the cookie of another authorization request, under any name', async () => {
    const tab = browser();
    const first = await atProvider('ida', tab);
    await atProvider('ida', tab);
    const [[one], [two, ofSecond]] = [...tab.jar].filter(([name]) =>
      name.includes('sallyport'),
    ) as [[string, string], [string, string]];
    tab.jar.set(one, ofSecond).delete(two);
    expect(await back(first.callback, tab)).toMatchObject(lost);
  });

  it('is refused with a cookie that was changed, or that is of another kind', async () => {
    const { callback, tab } = await atProvider();
    const [name, value] = [...tab.jar].find(([each]) => each.includes('sallyport'))!;
    for (const forged of [
      `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`,
      value.slice(0, -4),
      'x',
      '',
      Buffer.from('{}').toString('base64url'),
    ]) {
      tab.jar.set(name, forged);
      expect(await back(callback, tab)).toMatchObject(lost);
    }
  });

  it('tells the app when its user said no, and when the provider answers nonsense', async () => {
    for (const [query, error] of [
      [{ error: 'access_denied' }, 'access_denied'],
      [{ error: 'server_error', error_description: '<script>' }, 'unavailable'],
      [{ error: 'temporarily_unavailable' }, 'unavailable'],
      [{ error: 'invalid_scope' }, 'server_error'],
      [{ error: 'unauthorized_client', error_description: 'No such client' }, 'server_error'],
      [{ error: 'login_required' }, 'interaction_required'],
      [{ error: 'consent_required' }, 'interaction_required'],
      [{ code: 'forged' }, 'server_error'], // without `iss`, which this provider promises
      [{ code: 'forged', iss: issuer }, 'access_denied'],
      [{ code: 'forged', iss: 'https://evil.example' }, 'server_error'],
      [{ nothing: 'of use' }, 'server_error'],
    ] as const) {
      const { callback, tab, state } = await atProvider();
      const target = new URL(callback.origin + callback.pathname);
      target.searchParams.set('state', callback.searchParams.get('state')!);
      for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
      const { url } = await tab.open(target.href, APP);
      expect([
        url.searchParams.get('error'),
        url.searchParams.get('state'),
        url.searchParams.get('code'),
      ]).toEqual([error, state, null]);
      expect(decodeURIComponent(url.href)).not.toContain('<');
    }
  });

  it('is not used up by HEAD, and neither is its start', async () => {
    const { callback, tab } = await atProvider();
    const cookie = [...tab.jar].map(([name, value]) => `${name.split(' ')[1]}=${value}`).join('; ');
    const before = await OneTimeToken.count();
    for (const address of [callback, new URL(authorizationRequest(url, 'oidc', APP).address)]) {
      const answer = await fetch(address, {
        method: 'HEAD',
        redirect: 'manual',
        headers: { cookie },
      });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(await OneTimeToken.count()).toBe(before);
    expect(errorOf(await tab.open(callback.href, APP))).toBeNull();
  });

  it('takes each member once: libraries trip over lists', async () => {
    const { callback, tab } = await atProvider();
    expect(await back(`${callback.href}&code=again`, tab)).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect(await back(`${callback.href}&__proto__=x&constructor=y`, tab)).toMatchObject({
      status: 0,
    });
  });

  it('shows a person a page', async () => {
    const { status, text } = await browser().open(`${here}/auth/oidc/callback?code=x&state=y`, APP);
    expect(status).toBe(400);
    expect(text).toContain('This sign-in did not begin in this browser');
  });
});

describe('POST /auth/exchange', () => {
  const refused = { status: 400, code: 'invalid_code', action: 'sign_in' };

  it('spends a code once, also of 20 at once', async () => {
    const { code, codeVerifier } = await signIn();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => exchange({ code, codeVerifier })),
    );
    expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 400)]);
    expect((await exchange({ code, codeVerifier })).body).toMatchObject(refused);
  });

  it('refuses a code after a minute', async () => {
    wait(0);
    const [inTime, late] = [await signIn(), await signIn()];
    wait(59 * SECOND);
    expect((await exchange({ code: inTime.code, codeVerifier: inTime.codeVerifier })).status).toBe(
      200,
    );
    wait(2 * SECOND);
    expect(
      (await exchange({ code: late.code, codeVerifier: late.codeVerifier })).body,
    ).toMatchObject(refused);
    vi.useRealTimers();
  });

  it.runIf(engine === 'mysql')(
    'takes the code of a node whose clock is 90 seconds behind',
    async () => {
      const { code, codeVerifier } = await signIn();
      wait(90 * SECOND);
      await ctx.clock.synchronise(); // as the node does that is ahead
      expect((await exchange({ code, codeVerifier })).status).toBe(200);
      vi.useRealTimers();
      await ctx.clock.synchronise();
    },
  );

  it('refuses another verifier, and the code is spent', async () => {
    const { code, codeVerifier } = await signIn();
    expect((await exchange({ code, codeVerifier: 'x'.repeat(43) })).body).toMatchObject(refused);
    expect((await exchange({ code, codeVerifier })).body).toMatchObject(refused);
  });

  it('refuses the code of one authorization request with the verifier of another', async () => {
    const [mine, theirs] = [await signIn(), await signIn()];
    expect(
      (await exchange({ code: theirs.code, codeVerifier: mine.codeVerifier })).body,
    ).toMatchObject(refused);
  });

  it('refuses what is no code', async () => {
    const { codeVerifier } = authorizationRequest(url, 'oidc', APP);
    expect((await exchange({ code: 'x', codeVerifier })).body).toMatchObject(refused);
    for (const body of [
      {},
      { code: 'x' },
      { code: 1, codeVerifier },
      { code: 'x', codeVerifier: 'short' },
      { code: 'x', codeVerifier, surplus: 1 },
    ])
      expect((await exchange(body)).body).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('keeps neither code nor what it stands for in the clear', async () => {
    const { code } = await signIn();
    const rows = JSON.stringify(await OneTimeToken.findAll({ raw: true }));
    for (const secret of [code, 'ida@idp.test', 'Ida P']) expect(rows).not.toContain(secret);
  });

  it('refuses a user who was disabled meanwhile', async () => {
    people['eve'] = { email: 'eve@idp.test', email_verified: true };
    const first = await signIn('eve');
    const { body } = await exchange(first);
    expect(body.code).toBe('invalid_request'); // more than code and verifier
    const second = await signIn('eve');
    const { id } = (await exchange({ code: second.code, codeVerifier: second.codeVerifier })).body
      .user;
    const third = await signIn('eve');
    await User.update({ disabledAt: new Date() }, { where: { id } });
    expect(
      (await exchange({ code: third.code, codeVerifier: third.codeVerifier })).body,
    ).toMatchObject({
      status: 401,
      code: 'user_disabled',
    });
  });
});
