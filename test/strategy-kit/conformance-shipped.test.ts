import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { strategyConformance, type Options } from '#src/strategy-kit/conformance';
import type { StrategyContext } from '#src/strategy-kit/strategy';
import { password, startApp } from '#test/support/app';
import { formIn, startApple } from '#test/support/apple';
import { createAuthenticator, type Lies } from '#test/support/authenticator';
import { browser } from '#test/support/browser';
import {
  ADMIN,
  ADMIN_PASSWORD,
  BASE,
  hasDirectory,
  person as ldapPerson,
  startDirectory,
} from '#test/support/directory';
import { wrong } from '#test/support/email-code';
import { client, person as catOf, startGitHub } from '#test/support/github';
import {
  assertion,
  ENTRY,
  envelope,
  newIdentity,
  requestIn,
  sign,
} from '#test/support/identity-provider-saml';
import { clientSecret, signInAt, startProvider, type People } from '#test/support/open-id-provider';
import { newSigner, standardClaims, startKeyServer } from '#test/support/id-tokens';
import { root } from '#test/support/process';

/** Nobody listens there: a browser that is sent there has arrived. */
const callbackUrl = (name: string) => `http://127.0.0.1:9/auth/${name}/callback`;
const people: People = {
  ada: { email: 'ada@idp.test', email_verified: true, hd: 'idp.test' },
  bob: { hd: 'idp.test' },
  eve: { hd: 'elsewhere.test' },
};
const { issuer } = await startProvider([callbackUrl('oidc'), callbackUrl('google')], people);
const idp = newIdentity();
const github = await startGitHub({
  ada: catOf(1, 'ada', ['ada@idp.test', true]),
  bob: catOf(2, 'bob', ['bob@idp.test', true]),
});
const apple = await startApple();
const [signer, stranger] = [await newSigner('one'), await newSigner('one')];
const keyServer = await startKeyServer(signer);
const APP_ID = 'com.example.app';
const entry = (uid: string) =>
  ldapPerson(uid, { mail: `${uid}@idp.test`, userPassword: `a password of ${uid}` });
const directory = hasDirectory ? await startDirectory(entry('ada') + entry('bob')) : undefined;
const settings: Record<string, Record<string, string>> = {
  github: {
    GITHUB_URL: github.url,
    GITHUB_CLIENT_ID: client.id,
    GITHUB_CLIENT_SECRET: client.secret,
  },
  saml: { SAML_ENTRY_POINT: ENTRY, SAML_IDP_CERT: idp.oneLine, SAML_ISSUER: 'sp' },
  ...(directory && {
    ldap: {
      LDAP_URL: directory.url,
      LDAP_BIND_DN: ADMIN,
      LDAP_BIND_PASSWORD: ADMIN_PASSWORD,
      LDAP_SEARCH_BASE: BASE,
    },
  }),
  'api-key': { API_KEYS: 'on' },
  apple: apple.settings,
  'apple-native': { APPLE_NATIVE_CLIENT_IDS: APP_ID, APPLE_ISSUER: apple.url },
  'google-native': { GOOGLE_NATIVE_CLIENT_IDS: APP_ID, GOOGLE_ISSUER: keyServer.url },
  basic: { BASIC_AUTH: 'on' },
  'email-code': { EMAIL_CODE: 'on' },
  header: {
    TRUST_PROXY: '1',
    HEADER_USER: 'X-Forwarded-User',
    HEADER_EMAIL: 'X-Forwarded-Email',
    HEADER_EMAIL_DOMAINS: 'idp.test',
  },
  oidc: { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: 'sallyport', OIDC_CLIENT_SECRET: clientSecret },
  google: {
    GOOGLE_ISSUER: issuer,
    GOOGLE_CLIENT_ID: 'sallyport',
    GOOGLE_CLIENT_SECRET: clientSecret,
    GOOGLE_HOSTED_DOMAIN: 'idp.test',
  },
};
const REDIRECT_URIS = 'http://127.0.0.1/signed-in';
const all = Object.assign({}, ...Object.values(settings), settings['google']) as Record<
  string,
  string
>;
const { auth, ctx, register } = await startApp({ ...all, REDIRECT_URIS });
type Samples = Omit<Options, 'auth' | 'env' | 'callbackUrl'>;

const [ada, bob] = [await register({ username: 'ada' }), await register({ username: 'bob' })];
const keyOf = async (who: typeof ada) =>
  (await who.ask('POST', '/me/api-keys', { body: { name: 'kit' } })).body.key as string;
const [adasKey, bobsKey] = [await keyOf(ada), await keyOf(bob)];
/** Somebody with a passkey, and what it signs. */
async function passkeyOf(username: string) {
  const who = await register({ username });
  const passkey = createAuthenticator({ origin: ctx.settings.passkeyOrigins[0]! });
  const { body } = await who.ask('POST', '/me/factors/passkeys/options');
  const { challengeToken, publicKey } = body;
  const made = { challengeToken, credential: passkey.register(publicKey) };
  await who.ask('POST', '/me/factors/passkeys', { body: made });
  return (lies?: Lies) => () => {
    const asked = auth.passkeys.options();
    const credential = passkey.sign(asked.publicKey, lies);
    return { body: { challengeToken: asked.challengeToken, credential } };
  };
}
const [cleos, dans] = [await passkeyOf('cleo'), await passkeyOf('dan')];
const header = (name: string, value: string) => ({ headers: { [name]: value } });
const basic = (who: string, secret: string) =>
  header('Authorization', `Basic ${Buffer.from(`${who}:${secret}`).toString('base64')}`);

/** What is looked up there is not there. */
const without = (table: string) => async (during: () => Promise<void>) => {
  await ctx.db.sequelize.query(`ALTER TABLE ${table} RENAME TO ${table}_gone`);
  await during().finally(() =>
    ctx.db.sequelize.query(`ALTER TABLE ${table}_gone RENAME TO ${table}`),
  );
};
/** Signs in at the provider as this person, and brings what it sends the browser back with. */
const signedIn = (name: string, who: string) => async (address: URL) => {
  const tab = browser();
  const { url } = await signInAt(
    await tab.open(address.href, callbackUrl(name)),
    who,
    callbackUrl(name),
    tab,
  );
  return { query: Object.fromEntries(url.searchParams) };
};
const atGitHub = (who: string) => async (address: URL) => {
  github.state.signedIn = who;
  const { url } = await browser().open(address.href, callbackUrl('github'));
  return { query: Object.fromEntries(url.searchParams) };
};
/** What an identity provider says of somebody who came with this request, and signs. */
const asserted =
  (nameId: string, by = idp) =>
  (address: URL) => {
    const { id, relayState } = requestIn(address);
    const said = {
      inResponseTo: id,
      recipient: callbackUrl('saml'),
      destination: callbackUrl('saml'),
      audience: 'sp',
      nameId,
    };
    const xml = sign(envelope(assertion(said), said), by);
    return { body: { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: relayState } };
  };
const atApple = (sub: string) => async (address: URL) => {
  apple.state.signedIn = { sub, email: `${sub}@idp.test`, email_verified: 'true', firstName: sub };
  return { body: formIn(await browser().open(address.href, callbackUrl('apple'))).form };
};
const cancelledAtApple = ({ searchParams }: URL) => ({
  body: { error: 'user_cancelled_authorize', state: searchParams.get('state')! },
});
/** A new one each time: it works once. */
const idToken =
  (by: typeof signer, iss: string, claims: object = {}) =>
  async () => {
    const jti = randomUUID();
    return {
      body: { idToken: await by.sign({ ...standardClaims(iss, APP_ID, 'ada'), jti, ...claims }) },
    };
  };
const native = (by: typeof signer, iss: string) => ({
  good: [idToken(by, iss), idToken(by, iss, { sub: 'bob' })] as const,
  bad: [
    idToken(stranger, iss),
    idToken(by, iss, { aud: 'com.evil.app' }),
    idToken(by, 'https://evil.test'),
    { body: { idToken: 'a.b.c' } },
  ] as const,
});
const inDirectory = (username: string, secret: string) => ({
  body: { username, password: secret },
});
const cancelled = ({ searchParams }: URL) => ({
  query: { error: 'access_denied', state: searchParams.get('state')!, iss: issuer },
});

/** A code that was sent to this address. Each is sent to somebody else, or a newer one would void it. */
const mailedTo =
  (email: string, typed = (code: string) => code) =>
  async (_address: URL, { codes }: StrategyContext) => {
    const recipient = randomUUID();
    const sent = await codes.issue({ recipient, data: { email }, ttlSeconds: 60 });
    return { body: { requestToken: sent.requestToken, code: typed(sent.code) } };
  };

/** Every strategy that we ship comes with samples; one that somebody adds may bring a test of its own in their place. */
const samples: Record<string, Samples> = {
  local: {
    good: [{ body: { identifier: 'ada', password } }, { body: { username: 'bob', password } }],
    bad: [
      { body: { identifier: 'ada', password: 'incorrect horse battery' } },
      { body: { identifier: 'nobody', password } },
    ],
    outage: without('users'),
  },
  jwt: {
    good: [
      header('Authorization', `Bearer ${ada.token}`),
      header('Authorization', `Bearer ${bob.token}`),
    ],
    bad: [
      header('Authorization', `Bearer ${ada.token.replace(/\.(?=[^.]*$)/, '.AAAA')}`),
      header('Authorization', `Bearer ${'x'.repeat(50)}`),
    ],
    outage: without('sessions'),
  },
  'api-key': {
    good: [header('X-API-Key', adasKey), header('X-API-Key', bobsKey)],
    bad: [header('X-API-Key', `${adasKey.slice(0, -1)}!`)],
    outage: without('api_keys'),
  },
  passkey: {
    good: [cleos(), dans()],
    bad: [cleos({ uv: false }), dans({ origin: 'https://evil.example' })],
    steps: { options: {} },
  },
  basic: {
    good: [basic('ada', password), basic('bob', password)],
    bad: [basic('ada', 'incorrect horse battery'), basic('nobody', password), basic('ada', '')],
    outage: without('users'),
  },
  header: {
    good: [
      header('X-Forwarded-User', 'ada'),
      { headers: { 'X-Forwarded-User': 'bob', 'X-Forwarded-Email': 'bob@idp.test' } },
    ],
    bad: [header('X-Forwarded-User', ''), { headers: { 'X-Forwarded-User': ['ada', 'bob'] } }],
  },
  'email-code': {
    good: [mailedTo('ada@idp.test'), mailedTo('bob@idp.test')],
    bad: [
      mailedTo('ada@idp.test', wrong),
      { body: { requestToken: randomUUID(), code: '123456' } },
    ],
    steps: { request: { email: 'ada@idp.test' } },
  },
  oidc: { good: [signedIn('oidc', 'ada'), signedIn('oidc', 'bob')], bad: [cancelled] },
  google: {
    good: [signedIn('google', 'ada'), signedIn('google', 'bob')],
    bad: [cancelled, signedIn('google', 'eve')],
  },
  apple: { good: [atApple('ada'), atApple('bob')], bad: [cancelledAtApple] },
  'apple-native': native(apple.signer, apple.url),
  'google-native': native(signer, keyServer.url),
  github: { good: [atGitHub('ada'), atGitHub('bob')], bad: [cancelled] },
  saml: {
    good: [asserted('ada@idp.test'), asserted('bob@idp.test')],
    bad: [asserted('ada@idp.test', newIdentity())],
  },
  ...(directory && {
    ldap: {
      good: [inDirectory('ada', 'a password of ada'), inDirectory('bob', 'a password of bob')],
      bad: [inDirectory('ada', 'not the password'), inDirectory('nobody', 'a password of ada')],
    },
  }),
};

const folder = readdirSync(join(root, 'strategies'));
const names = folder
  .filter((file) => /^[a-z].*(?<!\.test)\.ts$/.test(file))
  .map((file) => file.slice(0, -3));

it('has samples for every file in strategies/', () => {
  expect(names.filter((name) => !(name in samples) && !folder.includes(`${name}.test.ts`))).toEqual(
    directory ? [] : ['ldap'],
  );
});

describe.each(names.filter((name) => name in samples))('strategies/%s.ts', (name) => {
  const strategy = ctx.strategies.on.find((each) => each.name === name)!;
  const options = {
    ...samples[name]!,
    env: settings[name] ?? {},
    auth,
    callbackUrl: callbackUrl(name),
  };
  it.each(strategyConformance(strategy, options))('$name', ({ run }) => run());
});
