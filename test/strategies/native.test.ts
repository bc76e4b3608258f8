import { createHash, createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import { statusesOf } from '#test/support/client';
import {
  assemble,
  newSigner,
  seconds,
  standardClaims,
  startKeyServer,
} from '#test/support/id-tokens';
import { freePort } from '#test/support/mysql';
import { clientSecret, signInAt, startProvider } from '#test/support/open-id-provider';
import { authorizationRequest } from '#test/support/pkce';
import { addApp } from '#test/support/second-factor';

const CLIENTS = ['com.example.app', 'com.example.other'];
const signer = await newSigner('one');
const keyServer = await startKeyServer(signer);
const issuer = keyServer.url;
const elsewhere = await startKeyServer();

const settings = {
  GOOGLE_NATIVE_CLIENT_IDS: CLIENTS.join(', '),
  GOOGLE_ISSUER: issuer,
  APPLE_NATIVE_CLIENT_IDS: CLIENTS.join(', '),
  APPLE_ISSUER: issuer,
};
const { ask, ctx, register, Identity, OneTimeToken, Session, User } = await startApp(settings);

let made = 0;
afterAll(() => {
  vi.restoreAllMocks();
});

/** Claims of somebody who was never here. */
const claimsOf = (more: object = {}) => ({
  ...standardClaims(issuer, CLIENTS[0], `sub-${++made}`),
  ...more,
});
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const counts = async () => [await User.count(), await Identity.count(), await Session.count()];

beforeEach(() => {
  Object.assign(keyServer.state, { keys: [signer.jwk], asked: 0, instead: undefined });
});
const monotonic = performance.now.bind(performance);
let passed = 0;
/** Lets so much time pass for what the server remembers of keys. */
function letPass(ms: number): void {
  passed += ms;
  vi.spyOn(performance, 'now').mockImplementation(() => monotonic() + passed);
}

describe.each([
  ['google-native', 'google'],
  ['apple-native', 'apple'],
])('%s', (name, provider) => {
  const send = (idToken: string, more: object = {}) =>
    ask('POST', `/auth/${name}`, { body: { idToken, ...more } });
  const signIn = async (claims: object, more: object = {}) =>
    send(await signer.sign({ ...claims }), more);
  const refused = async (answer: ReturnType<typeof send>, code = 'invalid_credentials') => {
    const before = await counts();
    const { status, body } = await answer;
    expect([status, body.code]).toEqual([401, code]);
    expect(await counts()).toEqual(before);
  };

  it('signs somebody in, and again as the same user', async () => {
    const claims = claimsOf({ email: `${name}@example.com`, email_verified: true });
    const first = await signIn(claims, { device: { kind: 'mobile', name: 'Ada’s phone' } });
    expect(first.body).toMatchObject({
      session: { strategy: name, amr: ['fed'], acr: 'aal1' },
      user: { email: `${name}@example.com`, emailVerified: true, roles: ['user'] },
    });
    const again = await signIn({ ...claims, jti: 'again' });
    expect(again.body.user.id).toBe(first.body.user.id);
    const { body } = await ask('GET', '/me/identities', { token: first.body.accessToken });
    expect(body.data).toMatchObject([{ provider, email: `${name}@example.com` }]);
  });

  it('asks a user with a second factor for it, each time', async () => {
    const claims = claimsOf();
    const first = await signIn(claims);
    const token = first.body.accessToken as string;
    const { code } = await addApp(ctx, {
      ask: (method, path, question = {}) => ask(method, path, { token, ...question }),
    });
    const sessions = await Session.count();
    const idToken = await signer.sign({ ...claims, jti: 'once more' });
    const begun = await send(idToken, { device: { kind: 'mobile', name: 'Ada’s phone' } });
    expect([begun.status, begun.body.code]).toEqual([403, 'mfa_required']);
    expect(begun.body.factors).toEqual(['totp', 'recovery_code']);
    expect(begun.text).not.toMatch(/accessToken|rt1\./);
    expect(await Session.count()).toBe(sessions);
    await refused(send(idToken)); // the ID token is used up, whatever comes of the sign-in
    const { mfaToken } = begun.body;
    await refused(ask('POST', '/auth/mfa', { body: { mfaToken, code: '000000' } }));
    const { status, body } = await ask('POST', '/auth/mfa', { body: { mfaToken, code: code() } });
    expect([status, body.user.id]).toEqual([200, first.body.user.id]);
    expect(body.session).toMatchObject({ strategy: name, acr: 'aal2' });
    expect(body.session.amr.toSorted()).toEqual(['fed', 'mfa', 'otp']);
    const listed = await ask('GET', '/me/sessions', { token: body.accessToken });
    expect(listed.body.data[0].device).toMatchObject({ name: 'Ada’s phone' });
  });

  it('is listed, with its address', async () => {
    const { body } = await ask('GET', '/auth/strategies');
    expect(body).toContainEqual(
      expect.objectContaining({
        name,
        kind: 'login',
        url: expect.stringMatching(`/auth/${name}$`),
      }),
    );
  });

  it.each([
    ['another audience', { aud: 'com.evil.app' }],
    ['an audience that begins like ours', { aud: `${CLIENTS[0]}.evil` }],
    ['no audience', { aud: undefined }],
    ['a stranger among the audiences', { aud: [CLIENTS[0], 'com.evil.app'], azp: CLIENTS[0] }],
    ['several audiences and no azp', { aud: CLIENTS }],
    ['another app that asked for it', { azp: 'com.evil.app' }],
    ['another issuer', { iss: 'https://evil.test' }],
    ['an issuer that begins like ours', { iss: `${issuer}.evil.test` }],
    ['no issuer', { iss: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is none', { sub: 'undefined' }],
    ['a time of expiry that is over', { iat: seconds() - 700, exp: seconds() - 90 }],
    ['no time of expiry', { exp: undefined }],
    ['a time of issue in the future', { iat: seconds() + 300, exp: seconds() + 900 }],
    ['no time of issue', { iat: undefined }],
    ['a time of issue years ago', { iat: seconds() - 90_000, exp: seconds() + 9e6 }],
    ['a time before which it is not valid', { nbf: seconds() + 300 }],
    ['the events of a notice to a server', { events: '{"type":"consent-revoked"}' }],
    ['a nonce, where the app sent none', { nonce: 'n'.repeat(20) }],
  ])('refuses a token with %s (E-07)', async (_what, claims) => {
    await refused(signIn(claimsOf(claims)));
  });

  it('takes a token with the clocks a little apart, and for several of our apps', async () => {
    const late = claimsOf({ iat: seconds() - 650, exp: seconds() - 30 });
    const early = claimsOf({ iat: seconds() + 30 });
    const both = claimsOf({ aud: CLIENTS, azp: CLIENTS[1] });
    for (const claims of [late, early, both]) expect((await signIn(claims)).status).toBe(200);
  });

  it('refuses a token without a signature, and with one that it could make itself (E-07)', async () => {
    const pem = String(signer.publicKey.export({ type: 'spki', format: 'pem' }));
    const secrets = [pem, JSON.stringify(signer.jwk), signer.jwk.n!, ''];
    for (const alg of ['none', 'None', 'nOnE', ''])
      await refused(send(assemble({ alg, kid: 'one' }, claimsOf(), () => '')));
    for (const alg of ['HS256', 'HS512'])
      for (const secret of secrets) {
        const mac = (text: string) =>
          createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url');
        await refused(send(assemble({ alg, kid: 'one' }, claimsOf(), mac)));
      }
    const [header, , signature] = (await signer.sign(claimsOf())).split('.');
    const other = Buffer.from(JSON.stringify(claimsOf())).toString('base64url');
    await refused(send(`${header}.${other}.${signature}`));
    await refused(send((await signer.sign(claimsOf())).replace(/[^.]+$/, '')));
  });

  it('refuses the key that a token brings along, and asks nobody whom it names (E-07)', async () => {
    const stranger = await newSigner('one');
    const { privateKey, jwk } = stranger;
    const { SignJWT } = await import('jose');
    const jku = `${elsewhere.url}/keys`;
    const before = elsewhere.state.asked;
    for (const header of [{ jwk }, { jku }, { x5u: jku }, { kid: jku }]) {
      const token = new SignJWT(claimsOf()).setProtectedHeader({ alg: 'RS256', ...header });
      await refused(send(await token.sign(privateKey)));
    }
    expect(elsewhere.state.asked).toBe(before);
  });

  it.each(['x', 'a.b', 'a.b.c', '..', 'e30.e30.e30', '\u0000', '💥.💥.💥', 'a.b.c.d.e'])(
    'refuses what is no token: %j',
    async (text) => {
      await refused(send(text));
    },
  );

  it.each([
    {},
    { idToken: '' },
    { idToken: 7 },
    { idToken: 'x'.repeat(8193) },
    { idToken: 'a.b.c', nonce: '' },
    { idToken: 'a.b.c', user: { name: 'Eve' } },
  ])('answers 4xx to a body that is wrong: %j', async (body) => {
    const { status } = await ask('POST', `/auth/${name}`, { body });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(423);
  });

  it('wants the nonce of the app, as it is or as SHA-256 (E-07)', async () => {
    const nonce = 'a nonce of the app';
    const digest = sha256(nonce);
    expect((await signIn(claimsOf({ nonce }), { nonce })).status).toBe(200);
    expect((await signIn(claimsOf({ nonce: digest }), { nonce })).status).toBe(200);
    await refused(signIn(claimsOf(), { nonce }));
    await refused(signIn(claimsOf({ nonce: 'another' }), { nonce }));
    await refused(signIn(claimsOf({ nonce: 7 }), { nonce: '7' }));
    await refused(signIn(claimsOf({ nonce: sha256('another') }), { nonce }));
  });

  it('does not take the digest in a token for the nonce: a thief can read it (E-07)', async () => {
    const digest = sha256('a nonce of the app');
    await refused(signIn(claimsOf({ nonce: digest }), { nonce: digest }));
  });

  it('takes a token once, also from many at the same time, in any spelling (E-07)', async () => {
    const token = await signer.sign(claimsOf());
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(token)));
    expect(statusesOf(answers)).toEqual([200, ...Array<number>(7).fill(401)]);
    await refused(send(token));
    // A signature of 256 bytes ends in a character with four bits that mean nothing.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(token.at(-1)!);
    await refused(send(token.slice(0, -1) + alphabet[last ^ 1]!));
    await refused(send(`${token}==`));
  });

  it('remembers a used token for as long as it is valid', async () => {
    await OneTimeToken.destroy({ where: {} });
    const claims = claimsOf({ exp: seconds() + 600 });
    expect((await signIn(claims)).status).toBe(200);
    const rows = await OneTimeToken.findAll();
    const left = rows.map(({ expiresAt }) => Number(expiresAt) / 1000 - Number(claims['exp']));
    expect(left).toEqual([expect.any(Number)]);
    expect(left[0]).toBeGreaterThan(59);
  });

  it('does not use up a token that it refuses', async () => {
    const nonce = 'a nonce of the app';
    const token = await signer.sign(claimsOf({ nonce }));
    await refused(send(token));
    expect((await send(token, { nonce })).status).toBe(200);
  });

  it('does not join a user for an address that is not verified (E-08)', async () => {
    const email = `victim-${name}@example.com`;
    const victim = await register({ email });
    for (const email_verified of [false, 'false', undefined, null, 1, 'yes', 'TRUE']) {
      const { status, body } = await signIn(claimsOf({ email, email_verified }));
      expect([status, body.code]).toEqual([409, 'already_linked']);
    }
    expect(await Identity.count({ where: { userId: victim.id } })).toBe(0);
    expect((await victim.ask('GET', '/me')).status).toBe(200);
  });

  it('believes what is verified, also as text, and a private address', async () => {
    const email = `${name}-q8x@privaterelay.appleid.com`;
    const relay = { email, email_verified: 'true', is_private_email: 'true' };
    const { body } = await signIn(claimsOf(relay));
    expect(body.user).toMatchObject({ email, emailVerified: true });
  });

  it('leaves out what has a wrong type', async () => {
    const wrong = { email: ['a@example.com'], email_verified: true, name: { a: 1 } };
    const { status, body } = await signIn(claimsOf(wrong));
    expect([status, body.user.email, body.user.name]).toEqual([200, null, null]);
  });

  it('links and unlinks, for whoever is signed in', async () => {
    const me = await register();
    const claims = claimsOf();
    const path = `/me/identities/${name}`;
    const linked = await me.ask('POST', path, { body: { idToken: await signer.sign(claims) } });
    expect([linked.status, linked.body.provider]).toEqual([201, provider]);
    const again = { ...claims, jti: 'again' };
    expect((await signIn(again)).body.user.id).toBe(me.id);
    expect((await me.ask('DELETE', `/me/identities/${linked.body.id}`)).status).toBe(204);
    const other = await register();
    const taken = await signer.sign(claimsOf());
    expect((await send(taken)).status).toBe(200);
    expect((await other.ask('POST', path, { body: { idToken: taken } })).status).toBe(401);
  });

  it('is a way in that may not be the last one unlinked', async () => {
    const { body } = await signIn(claimsOf());
    const token = body.accessToken as string;
    const { body: listed } = await ask('GET', '/me/identities', { token });
    const last = await ask('DELETE', `/me/identities/${listed.data[0].id}`, { token });
    expect([last.status, last.body.code]).toEqual([409, 'last_way_in']);
  });

  it('logs why, and neither token nor address', async () => {
    const warned = vi.spyOn(ctx.log, 'warn');
    const token = await signer.sign(claimsOf({ aud: 'com.evil.app', email: 'eve@example.com' }));
    await send(token);
    const { err } = warned.mock.calls.at(-1)![0] as { err: Error };
    warned.mockRestore();
    expect((err.cause as Error).message).toBe('unexpected "aud" claim value');
    expect(inspect(err, { depth: 8 })).not.toMatch(/eve@|eyJ/);
  });
});

describe('a key server (E-10)', () => {
  const send = async (claims = claimsOf(), by = signer) =>
    ask('POST', '/auth/apple-native', { body: { idToken: await by.sign(claims) } });
  const unavailable = async (answer: ReturnType<typeof send>) => {
    const before = await counts();
    const { status, body, headers } = await answer;
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
    expect(await counts()).toEqual(before);
  };
  /** Everything that the server knows is old. */
  const forget = () => letPass(700_000);

  const never = () => {};
  const huge = (res: ServerResponse) => {
    const more = () => {
      while (!res.destroyed && res.write('x'.repeat(65_536)));
      if (!res.destroyed) res.once('drain', more);
    };
    res.writeHead(200, { 'content-type': 'application/json' }).write('{"keys":["');
    more();
  };
  const slow = (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'application/json' }).write('{');
    const timer = setInterval(() => res.write(' '), 100);
    res.on('close', () => clearInterval(timer));
  };
  const says =
    (body: string, status = 200, headers = {}) =>
    (res: ServerResponse) =>
      void res.writeHead(status, headers).end(body);

  it.each<[string, (res: ServerResponse) => void]>([
    ['does not answer', never],
    ['answers slowly', slow],
    ['answers without end', huge],
    ['hangs up', (res) => res.destroy()],
    ['redirects to a private address', says('', 302, { location: `${elsewhere.url}/keys` })],
    ['answers 500', says('{}', 500)],
    ['answers 404', says('{}', 404)],
    ['answers a page', says('<html>')],
    ['answers null', says('null')],
    ['answers no key set', says('{"keys":7}')],
  ])('that %s is waited for, and nothing changes', async (_what, instead) => {
    forget();
    const before = elsewhere.state.asked;
    keyServer.state.instead = (_req, res) => instead(res);
    await unavailable(send());
    expect(elsewhere.state.asked).toBe(before);
    keyServer.state.instead = undefined;
    letPass(2100);
    expect((await send()).status).toBe(200);
  });

  it('is asked once by many, and not again right after it failed', async () => {
    forget();
    keyServer.state.instead = (_req, res) => void res.writeHead(503).end();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send()));
    expect([...new Set(answers.map(({ status }) => status))]).toEqual([503]);
    await unavailable(send());
    expect(keyServer.state.asked).toBe(1);
    keyServer.state.instead = undefined;
    letPass(2100);
    const good = await Promise.all(Array.from({ length: 10 }, () => send()));
    expect([...new Set(good.map(({ status }) => status))]).toEqual([200]);
    expect(keyServer.state.asked).toBe(2);
    expect((await send()).status).toBe(200);
    expect(keyServer.state.asked).toBe(2);
  });

  it('is asked again for a new key, but not for each that somebody invents', async () => {
    forget();
    expect((await send()).status).toBe(200);
    const [fresh, invented] = [await newSigner('two', 'ES256'), await newSigner('invented')];
    keyServer.state.keys.push(fresh.jwk);
    expect((await send(claimsOf(), fresh)).status).toBe(401);
    expect(keyServer.state.asked).toBe(1);
    letPass(31_000);
    expect((await send(claimsOf(), fresh)).status).toBe(200);
    expect(keyServer.state.asked).toBe(2);
    for (let i = 0; i < 5; i++) expect((await send(claimsOf(), invented)).status).toBe(401);
    expect(keyServer.state.asked).toBe(2);
  });

  it('that withdraws a key is obeyed after ten minutes', async () => {
    forget();
    expect((await send()).status).toBe(200);
    keyServer.state.keys = [(await newSigner('two')).jwk];
    expect((await send()).status).toBe(200);
    letPass(601_000);
    expect((await send()).status).toBe(401);
  });
});

it('the hosted domain of Google holds for apps, too', async () => {
  const corp = await startApp({ ...settings, GOOGLE_HOSTED_DOMAIN: 'corp.test' });
  const statusOf = async (claims: object) => {
    const idToken = await signer.sign(claimsOf(claims));
    return (await corp.ask('POST', '/auth/google-native', { body: { idToken } })).status;
  };
  expect(await statusOf({ hd: 'corp.test' })).toBe(200);
  for (const hd of [undefined, 'evil.test', 'corp.test.evil.test', ['corp.test'], null])
    expect(await statusOf({ hd })).toBe(401);
});

it('one person is one user at Google, in the browser and in an app', async () => {
  const port = await freePort();
  const here = `http://127.0.0.1:${port}`;
  const app = 'http://127.0.0.1:9/signed-in';
  const people = { ida: { email: 'ida@corp.test', email_verified: true, name: 'Ida' } };
  const provider = await startProvider([`${here}/auth/google/callback`], people, {
    jwks: { keys: [signer.privateJwk] },
  });
  const google = await startApp({
    PORT: String(port),
    PUBLIC_URL: here,
    REDIRECT_URIS: 'http://127.0.0.1/signed-in',
    GOOGLE_CLIENT_ID: 'sallyport',
    GOOGLE_CLIENT_SECRET: clientSecret,
    GOOGLE_NATIVE_CLIENT_IDS: CLIENTS[0]!,
    GOOGLE_ISSUER: provider.issuer,
  });
  const claims = { ...standardClaims(provider.issuer, CLIENTS[0], 'ida'), ...people.ida };
  const idToken = await signer.sign(claims);
  const phone = await google.ask('POST', '/auth/google-native', { body: { idToken } });
  expect(phone.body.user).toMatchObject({ name: 'Ida', email: 'ida@corp.test' });
  const tab = browser();
  const { address, codeVerifier } = authorizationRequest(here, 'google', app);
  const { url } = await signInAt(await tab.open(address, app), 'ida', app, tab);
  const code = url.searchParams.get('code');
  const web = await google.ask('POST', '/auth/exchange', { body: { code, codeVerifier } });
  expect(web.body.user.id).toBe(phone.body.user.id);
  const token = web.body.accessToken as string;
  const { body } = await google.ask('GET', '/me/identities', { token });
  expect(body.data).toMatchObject([{ provider: 'google' }]);
});
