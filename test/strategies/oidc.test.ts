import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportJWK, SignJWT } from 'jose';
import oidc from '#strategies/oidc';
import { startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import { freePort } from '#test/support/mysql';
import { signInAt, startProvider, type People } from '#test/support/open-id-provider';
import { authorizationRequest } from '#test/support/pkce';

const [port, otherPort] = [await freePort(), await freePort()];
const here = `http://127.0.0.1:${port}`;
const there = `http://127.0.0.1:${otherPort}`;
const APP = 'http://127.0.0.1:9/signed-in';
/** Everything that RFC 6749 §2.3.1 wants encoded, and what many secrets contain. */
const id = 'a client:with spaces+and/100%';
const secret = '-_.~!*()&=+ %:"/?#[]@$,;\\';
const people: People = {};
const provider = await startProvider([`${here}/auth/oidc/callback`], people, {
  clients: [
    {
      client_id: id,
      client_secret: secret,
      redirect_uris: [here, there].map((server) => `${server}/auth/oidc/callback`),
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  clientAuthMethods: ['client_secret_basic'],
});
// Stands before the provider, and answers in its place.
const [listener] = provider.server.listeners('request') as [(...args: unknown[]) => void];
const asked: string[] = [];
type Answer = { status?: number; body: object };
type Tamper = (path: string) => Answer | Promise<Answer> | undefined;
let tamper: Tamper = () => undefined;
/** That of the last browser that was sent there. */
let nonce: string | null = null;
provider.server.removeAllListeners('request').on('request', (req, res) => {
  const { pathname, searchParams } = new URL(req.url!, provider.issuer);
  asked.push(pathname);
  nonce = searchParams.get('nonce') ?? nonce;
  const other = tamper(pathname);
  if (!other) {
    listener(req, res);
    return;
  }
  void Promise.resolve(other).then(({ status = 200, body }) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
  );
});

const settings = { OIDC_ISSUER: provider.issuer, OIDC_CLIENT_ID: id, OIDC_CLIENT_SECRET: secret };
const REDIRECT_URIS = 'http://127.0.0.1/signed-in';
const app = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS,
  ...settings,
});
const { register, User } = app;
/** It believes the provider about second factors. */
const believing = await startApp({
  PORT: String(otherPort),
  PUBLIC_URL: there,
  REDIRECT_URIS,
  OIDC_MFA_ACR: 'urn:example:two, aal2',
  OIDC_MFA_AMR: 'mfa,hwk',
  ...settings,
});

beforeEach(() => {
  asked.length = 0;
  people['ida'] = { email: 'ida@idp.test', email_verified: true, name: 'Ida' };
});
afterEach(() => {
  tamper = () => undefined;
});

async function signIn(who = 'ida', { url, ask } = app) {
  const tab = browser();
  const { address, codeVerifier } = authorizationRequest(url, 'oidc', APP);
  const { searchParams } = (await signInAt(await tab.open(address, APP), who, APP, tab)).url;
  const code = searchParams.get('code');
  const answer = code && (await ask('POST', '/auth/exchange', { body: { code, codeVerifier } }));
  return { error: searchParams.get('error'), body: answer ? answer.body : undefined };
}

/** A key of the provider that only this test has, and an answer of the token endpoint signed with it. */
async function ownKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  const kay = { email: 'kay@idp.test', email_verified: true, name: 'Kay' };
  const tokens = async (claims: object): Promise<Answer> => {
    const idToken = new SignJWT({ ...kay, nonce, sub: 'kay', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(provider.issuer)
      .setAudience(id)
      .setIssuedAt()
      .setExpirationTime('1m');
    return {
      body: { access_token: 'a', token_type: 'bearer', id_token: await idToken.sign(privateKey) },
    };
  };
  return { jwk, tokens };
}
type OwnKey = Awaited<ReturnType<typeof ownKey>>;

/** Signs in while the token endpoint signs with this key and the key set has those. */
async function signInWith(
  key: OwnKey,
  set: OwnKey[],
  claims: object = {},
  more: Record<string, Answer> = {},
  at = app,
) {
  tamper = (path) => {
    if (path === '/jwks' && !more[path]) return { body: { keys: set.map(({ jwk }) => jwk) } };
    return path === '/token' ? key.tokens(claims) : more[path];
  };
  try {
    return await signIn('ida', at);
  } finally {
    tamper = () => undefined;
  }
}

describe('a provider that takes client_secret_basic only', () => {
  it('signs in, whatever characters id and secret have', async () => {
    expect((await signIn()).body.user).toMatchObject({ email: 'ida@idp.test', name: 'Ida' });
  });
});

describe('claims', () => {
  it.each([[true], ['true']])('of the address are read from userinfo: %j', async (verified) => {
    people['uma'] = {
      email: `uma-${verified}-${typeof verified}@idp.test`,
      email_verified: verified,
    };
    const { body } = await signIn('uma');
    expect(asked).toContain('/me');
    expect(body.user).toMatchObject({ emailVerified: true });
  });

  it.each(['false', 'TRUE', 1, 'yes', null, {}])('are not verified by %j', async (verified) => {
    const email = `sly-${JSON.stringify(verified).replaceAll(/\W/g, '')}@idp.test`;
    const victim = await register({ email });
    people['sly'] = { email, email_verified: verified };
    expect((await signIn('sly')).body.code).toBe('already_linked');
    expect((await victim.ask('GET', '/me')).status).toBe(200);
  });

  it('take the address and its proof from the same place', async () => {
    const key = await ownKey('pairs');
    const claims = { email: 'one@idp.test', email_verified: undefined };
    const info = { sub: 'kay', email: 'another@idp.test', email_verified: true };
    const { body } = await signInWith(key, [key], claims, { '/me': { body: info } });
    expect(body.user).toMatchObject({ email: 'one@idp.test', emailVerified: false });
  });
});

describe('two factors at the provider', async () => {
  const key = await ownKey('factors');
  const sessionOf = async (claims: object, at = believing, more: Record<string, Answer> = {}) =>
    (await signInWith(key, [key], claims, more, at)).body.session;
  const one = { strategy: 'oidc', amr: ['fed'], acr: 'aal1' };

  it.each([
    [{ acr: 'aal2' }],
    [{ acr: 'urn:example:two' }],
    [{ amr: ['pwd', 'mfa'] }],
    [{ amr: ['hwk'], acr: 'urn:example:one' }],
  ])('count here where a setting says so: %j', async (claims) => {
    const two = { strategy: 'oidc', amr: ['fed', 'mfa'], acr: 'aal2' };
    expect(await sessionOf(claims)).toMatchObject(two);
    expect(await sessionOf(claims, app)).toMatchObject(one);
  });

  it.each([
    [{}],
    [{ acr: ['aal2'] }],
    [{ acr: 2 }],
    [{ acr: { aal2: true } }],
    [{ acr: 'AAL2' }],
    [{ acr: 'aal2 urn:example:two' }],
    [{ acr: 'mfa' }],
    [{ amr: 'mfa' }],
    [{ amr: ['MFA', 'pwd'] }],
    [{ amr: ['aal2'] }],
    [{ amr: [['mfa']] }],
    [{ amr: ['mfa', 2] }],
    [{ amr: { mfa: 'mfa' } }],
    [{ amr: null, acr: null }],
  ])('are not believed for %j (M-16)', async (claims) => {
    expect(await sessionOf(claims)).toMatchObject(one);
  });

  it('are not believed from userinfo, which does not speak of this sign-in', async () => {
    const claims = { email: undefined, email_verified: undefined };
    const info = { sub: 'kay', email: 'kay@idp.test', acr: 'aal2', amr: ['mfa'] };
    expect(await sessionOf(claims, believing, { '/me': { body: info } })).toMatchObject(one);
  });
});

describe('the signature of an ID token', () => {
  it('is checked with the keys of the provider', async () => {
    const [ours, strangers] = [await ownKey('one'), await ownKey('one')];
    const before = await User.count();
    expect((await signInWith(strangers, [ours])).error).toBe('server_error');
    expect(await User.count()).toBe(before);
    expect((await signInWith(ours, [ours])).body.user.name).toBe('Kay');
  });

  it('by a new key makes it read the keys once more, also right after it read them', async () => {
    const [old, fresh] = [await ownKey('old'), await ownKey('fresh')];
    expect((await signInWith(old, [old])).error).toBeNull();
    asked.length = 0;
    expect((await signInWith(old, [old])).error).toBeNull();
    expect(asked.filter((path) => path === '/jwks')).toEqual([]);
    expect((await signInWith(fresh, [old, fresh])).error).toBeNull();
    expect(asked.filter((path) => path === '/jwks')).toHaveLength(1);
    asked.length = 0;
    expect((await signInWith(await ownKey('unknown'), [old, fresh])).error).toBe('server_error');
    expect(asked.filter((path) => path === '/jwks')).toHaveLength(1);
  });

  it('waits for a key server that is unavailable', async () => {
    const away = { '/jwks': { status: 503, body: {} } };
    expect((await signInWith(await ownKey('away'), [], {}, away)).error).toBe('unavailable');
  });
});

describe('the check of a provider', () => {
  const believed = { OIDC_MFA_ACR: [], OIDC_MFA_AMR: [] };
  const check = (env: object = {}) => oidc.check!({ ...settings, ...believed, ...env });
  const says =
    (body: object, path = '/.well-known/openid-configuration', status = 200): Tamper =>
    (each) =>
      each === path ? { status, body } : undefined;
  const document = {
    issuer: provider.issuer,
    authorization_endpoint: `${provider.issuer}/auth`,
    token_endpoint: `${provider.issuer}/token`,
    jwks_uri: `${provider.issuer}/jwks`,
  };

  it('finds nothing where all is well', async () => {
    expect(await check()).toEqual([]);
  });

  it.each<[string, Tamper, RegExp]>([
    [
      'another issuer',
      says({ ...document, issuer: 'https://other.test' }),
      /another issuer: https:\/\/other\.test\..* name exactly this issuer/,
    ],
    ['no such document', says({}, undefined, 404), /answers 404\. Is the address right\?/],
    ['a provider that is down', says({}, undefined, 503), /answers 503\. Try again later/],
    [
      'a method that we do not know',
      says({ ...document, token_endpoint_auth_methods_supported: ['private_key_jwt'] }),
      /takes none of client_secret_post and client_secret_basic, but only private_key_jwt/,
    ],
    [
      'no token endpoint',
      says({ ...document, token_endpoint: undefined }),
      /names no token_endpoint/,
    ],
    ['no keys', says({ keys: [] }, '/jwks'), /publishes no keys/],
    ['a key server that is down', says({}, '/jwks', 500), /key set .* answers 500/],
    ['no address of keys', says({ ...document, jwks_uri: undefined }), /names no jwks_uri/],
  ])('finds %s', async (_what, answer, sentence) => {
    tamper = answer;
    const found = await check();
    expect(found).toEqual([expect.stringMatching(sentence)]);
    expect(found.join()).not.toContain(secret);
  });

  it('finds a method that the provider does not take, and a provider that does not answer', async () => {
    expect(await check({ OIDC_CLIENT_AUTH: 'client_secret_post' })).toEqual([
      expect.stringMatching(/does not take client_secret_post, but client_secret_basic\. Remove/),
    ]);
    const nobody = `http://127.0.0.1:${await freePort()}`;
    expect(await check({ OIDC_ISSUER: nobody })).toEqual([
      expect.stringMatching(/cannot be reached \(ECONNREFUSED\)\. Is the address right/),
    ]);
  });
});
