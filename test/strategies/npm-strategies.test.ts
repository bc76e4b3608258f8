import { createHash, createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import jwt from 'jsonwebtoken';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import { compatibility, type Row } from '#test/support/compatibility';
import {
  ADMIN,
  ADMIN_PASSWORD,
  BASE,
  hasDirectory,
  person,
  startDirectory,
} from '#test/support/directory';
import { startOAuth1Provider } from '#test/support/oauth1-provider';
import { clientSecret, startProvider, type People } from '#test/support/open-id-provider';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';
import { root, settingsFor, startProcess } from '#test/support/process';
import { startProfiles } from '#test/support/profiles';
import { startSamlProvider } from '#test/support/saml-provider';
import {
  forged,
  oauth1Visit,
  openIdVisit,
  samlVisit,
  type Callback,
  type ProviderVisit,
} from '#test/support/provider-visits';

const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const APP = 'http://127.0.0.1:9/signed-in';
const secret = 'a secret that two parties share, 32+';

const atProvider = 'oauth2 google-oauth20 github2 gitlab2 facebook microsoft openidconnect'
  .split(' ')
  .map((each) => `passport-${each}`);
const people: People = {};
const { issuer } = await startProvider(
  [...atProvider, 'openid-client'].map((name) => `${here}/auth/${name}/callback`),
  people,
  {
    features: { devInteractions: { enabled: true }, introspection: { enabled: true } },
    scopes: ['openid', 'user:email', 'read_user', 'user.read'],
    routes: { userinfo: '/userinfo' },
    acceptQueryParamAccessTokens: true, // passport-google-oauth20 and passport-facebook send the token so
  },
);
for (const who of ['olga', 'gina', 'hubert', 'gitte', 'fabio', 'micha', 'oidia', 'clio'])
  people[who] = {
    email: `${who}@idp.test`,
    email_verified: true,
    name: `${who} P`,
    preferred_username: who,
  };
const saml = await startSamlProvider();
const directory = hasDirectory
  ? await startDirectory(
      ['linda', 'leon']
        .map((uid) =>
          person(uid, {
            cn: `${uid} of the directory`,
            mail: `${uid}@corp.test`,
            userPassword: `a password of ${uid}`,
          }),
        )
        .join(''),
    )
  : undefined;

/** Stands for the service that sends the mails. Each mail is a token. */
const mails: string[] = [];
const mailer = createServer(async (req, res) => {
  mails.push(await textOf(req));
  res.end();
}).listen(0, '127.0.0.1');
await once(mailer, 'listening');
afterAll(() => {
  mailer.closeAllConnections();
  mailer.close();
});

const settings = {
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  STRATEGIES_DIR: join(root, 'test/support/strategies/npm'),
  IDP_URL: issuer,
  IDP_SECRET: clientSecret,
  IDP_API: await startProfiles(issuer),
  OAUTH1_URL: await startOAuth1Provider(secret, { user_id: '77', screen_name: 'onerva' }),
  OAUTH1_SECRET: secret,
  SAML_SSO: saml.url,
  SAML_KEY: saml.certificate,
  SIGNED_KEY: secret,
  MAGIC_SECRET: secret,
  MAGIC_MAILER: `http://127.0.0.1:${(mailer.address() as AddressInfo).port}`,
  TOTP_KEY: secret,
  PARTNER_ISSUER: 'https://partner.test',
  PARTNER_SECRET: secret,
  PARTNER_KEY: secret,
  HTTP_BASIC: 'on',
  DIGEST_USER: 'digna',
  DIGEST_PASSWORD: secret,
  OPAQUE_TOKEN: 'an-opaque-token',
  DEVICE_TOKEN: secret,
  PROXY_PASSWORD: secret,
  ...(directory && {
    DIRECTORY_URL: directory.url,
    DIRECTORY_BASE: `ou=people,${BASE}`,
    DIRECTORY_DN: ADMIN,
    DIRECTORY_PASSWORD: ADMIN_PASSWORD,
  }),
};
const { url, ask, ctx, register, User } = await startApp(settings);
const ada = await register();

const rows = new Map<string, Row>();
const names: string[] = [];
interface Case {
  name: string;
  package?: string;
  /** Which of several strategies in the package. */
  part?: string;
  needed: string;
}
/** Whom a good credential stands for, what is refused, and what else was tried, with what was seen. */
interface Credentials<T> extends Case {
  username: string;
  good: () => T | Promise<T>;
  bad: Record<string, T>;
  also?: Record<string, (good: T) => T>;
}
function report(
  kind: string,
  { name, package: from = name, part, needed }: Case,
  refused: string[],
  seen: string[] = [],
): void {
  rows.set(name, { package: from, part, kind, needed, refused, seen });
}
/** What became of somebody, in a word. */
const said = ({ status }: { status: number }) =>
  status === 200 ? 'let in' : `refused (${status})`;
const isOn = (name: string) => expect(ctx.strategies.on.map((each) => each.name)).toContain(name);

/** As an authenticator app does: RFC 6238, of now. */
function code(): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const hash = createHmac('sha1', secret).update(counter).digest();
  return String(hash.readUInt32BE(hash.at(-1)! & 15) & 0x7fffffff)
    .padStart(6, '0')
    .slice(-6);
}

/** The token in the link that somebody was sent. */
async function linkFor(destination: string): Promise<string> {
  const body = { destination };
  expect((await ask('POST', '/auth/passport-magic-login/send', { body })).status).toBe(202);
  return mails.pop()!;
}

const logins: Credentials<Record<string, string>>[] = [
  {
    name: 'passport-local',
    needed: 'nothing',
    username: ada.username,
    good: () => ({ username: ada.username, password }),
    bad: {
      'a wrong password': { username: ada.username, password: 'wrong' },
      'an unknown name': { username: 'nobody', password },
    },
  },
  {
    name: 'passport-custom',
    needed: 'nothing',
    username: 'custo',
    good: () => ({
      subject: 'custo',
      signature: createHmac('sha256', secret).update('custo').digest('hex'),
    }),
    bad: { 'a wrong signature': { subject: 'custo', signature: 'wrong' } },
  },
  {
    name: 'passport-ldapauth',
    needed: 'address and reader of the directory',
    username: 'linda',
    good: () => ({ username: 'linda', password: 'a password of linda' }),
    bad: {
      'a wrong password': { username: 'linda', password: 'a password of leon' },
      'an empty password': { username: 'linda', password: '' },
      'a wildcard for a name': { username: 'l*', password: 'a password of linda' },
      'an injected filter': { username: 'x)(|(uid=linda)', password: 'a password of linda' },
      'an unknown name': { username: 'nobody', password: 'a password of linda' },
    },
  },
  {
    name: 'passport-magic-login',
    needed: 'a step that sends the links; `store`, because the package lets a link be used again',
    username: '',
    good: async () => ({ token: await linkFor('magda@mail.test') }),
    bad: {
      'a token signed by a stranger': {
        token: jwt.sign({ destination: 'magda@mail.test', id: '1' }, 'another secret that is long'),
      },
      'one that expired': {
        token: jwt.sign({ destination: 'magda@mail.test', id: '1' }, secret, { expiresIn: -1 }),
      },
      'no token': { token: 'none' },
    },
    also: { 'the same link again': (good) => good },
  },
  {
    name: 'passport-totp',
    needed:
      '`req.user`, set from the password: the package checks the code of somebody who is known',
    username: ada.username,
    good: () => ({ username: ada.username, password, code: code() }),
    bad: {
      'a wrong code': { username: ada.username, password, code: '12345x' },
      'a wrong password': { username: ada.username, password: 'wrong', code: code() },
    },
    also: { 'the same code again': (good) => good },
  },
];

describe.each(logins.filter(({ name }) => hasDirectory || name !== 'passport-ldapauth'))(
  '$name',
  (each) => {
    names.push(each.name);
    const post = (body: object) => ask('POST', `/auth/${each.name}`, { body });

    it('signs a user in and refuses everybody else', async () => {
      isOn(each.name);
      const before = await User.count();
      for (const [what, body] of Object.entries(each.bad)) {
        const { status, body: answer } = await post(body);
        expect([status, answer.code], what).toEqual([401, 'invalid_credentials']);
      }
      expect(await User.count()).toBe(before);

      const good = await each.good();
      const { status, body, text } = await post(good);
      expect(status, text).toBe(200);
      expect(body).toMatchObject({
        session: { strategy: each.name },
        user: each.username ? { username: each.username } : {},
      });
      expect((await ask('GET', '/me', { token: body.accessToken })).body.id).toBe(body.user.id);

      const seen: string[] = [];
      for (const [what, change] of Object.entries(each.also ?? {}))
        seen.push(`${what}: ${said(await post(change(good)))}`);
      report('login', each, Object.keys(each.bad), seen);
    });
  },
);

type Sent = { headers?: Record<string, string>; path?: string };
const basic = (name: string, secret: string) => ({
  headers: { authorization: `Basic ${btoa(`${name}:${secret}`)}` },
});
const token = (claims: object, key = secret, options: jwt.SignOptions = {}) => ({
  headers: {
    'x-partner-token': jwt.sign({ sub: 'jason', ...claims }, key, {
      issuer: 'https://partner.test',
      expiresIn: 60,
      ...options,
    }),
  },
});
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** As a browser does: RFC 7616 §3.4, to the challenge of the server. */
async function digest(name: string, secret: string, uri = '/me'): Promise<Sent> {
  const challenge = (await fetch(`${url}/me`)).headers.get('www-authenticate') ?? '';
  const { nonce, realm, qop } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const cnonce = randomUUID();
  const response = md5(
    [md5(`${name}:${realm}:${secret}`), nonce, '00000001', cnonce, qop, md5(`GET:${uri}`)].join(
      ':',
    ),
  );
  const fields = { username: name, realm, nonce, uri, cnonce, response };
  const quoted = Object.entries(fields).map(([key, value]) => `${key}="${value}"`);
  return { headers: { authorization: `Digest ${quoted.join(', ')}, qop=${qop}, nc=00000001` } };
}

const bearers: Credentials<Sent>[] = [
  {
    name: 'passport-jwt',
    needed: 'nothing',
    username: 'jason',
    good: () => token({}),
    bad: {
      'a stranger’s signature': token({}, 'another secret that is long'),
      'one that expired': token({}, secret, { expiresIn: -1 }),
      'another issuer': token({}, secret, { issuer: 'https://other.test' }),
      'another algorithm': token({}, secret, { algorithm: 'HS512' }),
    },
  },
  {
    name: 'passport-http-basic',
    package: 'passport-http',
    part: 'Basic',
    needed: 'nothing',
    username: ada.username,
    good: () => basic(ada.username, password),
    bad: {
      'a wrong password': basic(ada.username, 'wrong'),
      'an unknown name': basic('nobody', password),
    },
  },
  {
    name: 'passport-http-digest',
    package: 'passport-http',
    part: 'Digest',
    needed: 'the password itself, or an MD5 hash of it',
    username: 'digna',
    good: () => digest('digna', secret),
    bad: {
      'a wrong password': await digest('digna', 'wrong'),
      'an unknown name': await digest('nobody', secret),
      'a digest for another address': await digest('digna', secret, '/me/sessions'),
    },
    also: { 'the same digest again': (good) => good },
  },
  {
    name: 'passport-http-bearer',
    needed: 'nothing; tokens of the server itself keep working beside it',
    username: 'opal',
    good: () => ({ headers: { authorization: 'Bearer an-opaque-token' } }),
    bad: { 'a wrong token': { headers: { authorization: 'Bearer another' } } },
    also: { 'the token in the query': () => ({ path: '/me?access_token=an-opaque-token' }) },
  },
  {
    name: 'passport-headerapikey',
    needed: 'nothing',
    username: 'kaykay',
    good: () => ({ headers: { 'x-partner-key': `Key ${secret}` } }),
    bad: {
      'a wrong key': { headers: { 'x-partner-key': 'Key other' } },
      'no prefix': { headers: { 'x-partner-key': secret } },
    },
  },
  {
    name: 'passport-unique-token',
    needed: 'nothing',
    username: 'devina',
    good: () => ({ headers: { 'x-device-token': secret } }),
    bad: { 'a wrong token': { headers: { 'x-device-token': 'other' } } },
    also: { 'the token in the query': () => ({ path: `/me?token=${encodeURIComponent(secret)}` }) },
  },
  {
    name: 'passport-trusted-header',
    needed: 'a second header that only the proxy knows: the package believes everybody',
    username: 'petra',
    good: () => ({ headers: { 'x-proxy-user': 'petra', 'x-proxy-password': secret } }),
    bad: {
      'the name alone': { headers: { 'x-proxy-user': 'petra' } },
      'a wrong proxy': { headers: { 'x-proxy-user': 'petra', 'x-proxy-password': 'wrong' } },
    },
  },
];

describe.each(bearers)('$name', (each) => {
  names.push(each.name);
  const me = ({ headers = {}, path = '/me' }: Sent) => ask('GET', path, { headers });

  it('lets a user in and nobody else', async () => {
    isOn(each.name);
    const before = await User.count();
    for (const [what, sent] of Object.entries(each.bad))
      expect((await me(sent)).status, what).toBe(401);
    expect(await User.count()).toBe(before);

    const good = await each.good();
    const { status, body, text } = await me(good);
    expect(status, text).toBe(200);
    expect(body.username).toBe(each.username);
    const elsewhere =
      each.name === 'passport-http-digest' ? await digest('digna', secret, '/admin/users') : good;
    expect((await ask('GET', '/admin/users', { headers: elsewhere.headers! })).status).toBe(403);

    const seen: string[] = [];
    for (const [what, change] of Object.entries(each.also ?? {}))
      seen.push(`${what}: ${said(await me(change(good)))}`);
    report('bearer', each, Object.keys(each.bad), seen);
  });
});

interface Redirect extends Case, ProviderVisit {
  user: object;
}
const redirects: Redirect[] = [
  {
    name: 'passport-oauth2',
    needed: '`store: state`, `pkce`',
    user: { username: 'olga' },
    ...openIdVisit('olga'),
  },
  {
    name: 'passport-google-oauth20',
    needed: '`state: true`',
    user: { name: 'gina P', email: 'gina@idp.test', emailVerified: true },
    ...openIdVisit('gina'),
  },
  {
    name: 'passport-github2',
    needed: 'nothing',
    user: { username: 'hubert', emailVerified: false },
    ...openIdVisit('hubert'),
  },
  {
    name: 'passport-gitlab2',
    needed: 'nothing',
    user: { username: 'gitte' },
    ...openIdVisit('gitte'),
  },
  {
    name: 'passport-facebook',
    needed: 'nothing',
    user: { name: 'fabio', email: 'fabio@mail.test', emailVerified: false },
    ...openIdVisit('fabio'),
  },
  {
    name: 'passport-microsoft',
    needed: '`store: state`, `pkce`',
    user: { name: 'micha', email: 'micha@mail.test' },
    ...openIdVisit('micha'),
  },
  {
    name: 'passport-openidconnect',
    needed: '`nonce: true`',
    user: { username: 'oidia', name: 'oidia P' },
    ...openIdVisit('oidia'),
  },
  {
    name: 'openid-client',
    needed: '`later`, as it must ask the provider first',
    user: { email: 'clio@idp.test', emailVerified: false },
    ...openIdVisit('clio'),
  },
  { name: 'passport-oauth1', needed: 'nothing', user: { username: 'onerva' }, ...oauth1Visit },
  {
    name: 'passport-saml',
    package: '@node-saml/passport-saml',
    needed: "`responseMode: 'form_post'`",
    user: { email: 'sam@saml.test', emailVerified: false },
    ...samlVisit(saml),
  },
];

describe.each(redirects)('$name', (each) => {
  names.push(each.name);
  const stop = `${here}/auth/${each.name}/callback`;
  const start = (
    tab: ReturnType<typeof browser>,
    { address } = authorizationRequest(url, each.name, APP),
  ) => tab.open(address, stop);
  const callBack = (tab: ReturnType<typeof browser>, { address, form }: Callback) =>
    tab.open(address, APP, { accept: 'application/json', ...(form && { form }) });
  async function expectLost(tab: ReturnType<typeof browser>, back: Callback, what: string) {
    const { status, text } = await callBack(tab, back);
    expect([status, JSON.parse(text).code], what).toEqual([400, 'invalid_state']);
  }
  const seen: string[] = [];

  it('signs a user in, once, in the browser that started', async () => {
    isOn(each.name);
    const tab = browser();
    const asked = authorizationRequest(url, each.name, APP);
    const back = await each.visit(await start(tab, asked), stop, tab);

    const other = browser();
    const { trail } = await start(other);
    await expectLost(other, back, 'another browser');
    await expectLost(tab, forged(back), 'a forged state');
    const cookies = new Map(tab.jar);
    const { url: landed } = await callBack(tab, back);
    expect(
      [landed.searchParams.get('error'), landed.searchParams.get('state')],
      landed.href,
    ).toEqual([null, asked.state]);
    await expectLost(tab, back, 'a replay');
    for (const [name, value] of cookies) tab.jar.set(name, value);
    await expectLost(tab, back, 'a replay with its cookie');

    const { codeVerifier } = asked;
    const { status, body, text } = await ask('POST', '/auth/exchange', {
      body: { code: landed.searchParams.get('code'), codeVerifier },
    });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({ session: { strategy: each.name }, user: each.user });
    expect((await ask('GET', '/me', { token: body.accessToken })).body.id).toBe(body.user.id);

    const sent = new URL(trail[1]!.url).searchParams;
    const cookie = /=([^;]+)/.exec(trail[0]!.cookies[0]!)![1]!;
    const stored = JSON.parse(ctx.secrets.unseal('round trip', cookie)!.plain) as {
      isOwnState: boolean;
    };
    seen.push(
      stored.isOwnState
        ? 'has no state of its own; the server adds one'
        : 'sends a state of its own',
    );
    seen.push(
      ...[sent.has('code_challenge') && 'PKCE', sent.has('nonce') && 'a nonce'].filter(
        (what) => what !== false,
      ),
    );
  });

  it('refuses what the provider does not confirm, and logs why', async () => {
    const before = await User.count();
    const warned = vi.spyOn(ctx.log, 'warn');
    onTestFinished(() => warned.mockRestore());
    for (const [what, visit] of Object.entries(each.refusals)) {
      const tab = browser();
      const asked = authorizationRequest(url, each.name, APP);
      const { url: landed } = await callBack(tab, await visit(await start(tab, asked), stop, tab));
      const { searchParams } = landed;
      expect(
        [landed.origin, ...['error', 'state', 'code'].map((name) => searchParams.get(name))],
        `${what} ${landed.href}`,
      ).toEqual([
        new URL(APP).origin,
        expect.stringMatching(/^(access_denied|server_error)$/),
        asked.state,
        null,
      ]);
      expect(warned.mock.lastCall, what).toEqual([
        expect.objectContaining({ err: expect.any(Error) }),
        'a sign-in failed',
      ]);
    }
    expect(await User.count()).toBe(before);
    expect(seen.length, 'it signs somebody in').toBeGreaterThan(0);
    report('redirect', each, Object.keys(each.refusals), seen);
  });
});

it('loads all of them in a process without the test runner, too', async () => {
  const { banner } = await startProcess(
    settingsFor('sqlite:own.sqlite', { ...settings, PORT: '0' }),
  );
  const on = /strategies on: ([^;]+);/.exec(banner)![1]!.split(', ');
  expect(on).toEqual(expect.arrayContaining(names));
});

it('has a file for each, of 40 lines at most', () => {
  const files = readdirSync(settings.STRATEGIES_DIR);
  expect(files.filter((file) => hasDirectory || !file.includes('ldap')).sort()).toEqual(
    names.map((name) => `${name}.ts`).sort(),
  );
  for (const file of files)
    expect(
      readFileSync(`${settings.STRATEGIES_DIR}/${file}`, 'utf8').trimEnd().split('\n').length,
      file,
    ).toBeLessThanOrEqual(40);
});

it.skipIf(!hasDirectory)('docs/strategies.md says what was seen', async () => {
  expect([...rows.keys()].sort()).toEqual([...names].sort());
  await expect(compatibility([...rows.values()])).toMatchFileSnapshot('../../docs/strategies.md');
});
