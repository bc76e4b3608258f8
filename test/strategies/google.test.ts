import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import { clientSecret, signInAt, startProvider, type People } from '#test/support/open-id-provider';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';

const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const APP = 'http://127.0.0.1:9/signed-in';
const people: People = {};
let tamper: ((path: string) => [number, string] | 'nothing' | undefined) | undefined;
const provider = await startProvider([`${here}/auth/google/callback`], people);
const { server } = provider;
// Stands before the provider: what it answers in its place, or not at all.
const [listener] = server.listeners('request') as [(...args: unknown[]) => void];
const reached: string[] = [];
server.removeAllListeners('request').on('request', (req, res) => {
  const path = req.url!.split('?')[0]!;
  const other = tamper?.(path);
  reached.push(path);
  if (other === undefined) listener(req, res);
  else if (other !== 'nothing')
    res.writeHead(other[0], { 'content-type': 'application/json' }).end(other[1]);
});

afterEach(() => {
  tamper = undefined;
  vi.useRealTimers();
});

const { url, ask, register, Identity, Session, User } = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  GOOGLE_CLIENT_ID: 'sallyport',
  GOOGLE_CLIENT_SECRET: clientSecret,
  GOOGLE_HOSTED_DOMAIN: 'corp.test',
  GOOGLE_ISSUER: provider.issuer,
});

async function goTo(who: string) {
  const tab = browser();
  const asked = authorizationRequest(url, 'google', APP);
  const page = await tab.open(asked.address, APP);
  return { ...asked, page, landing: await signInAt(page, who, APP, tab) };
}
const errorOf = async (who: string) => (await goTo(who)).landing.url.searchParams.get('error');
async function signIn(who: string) {
  const { landing, codeVerifier } = await goTo(who);
  return ask('POST', '/auth/exchange', {
    body: { code: landing.url.searchParams.get('code'), codeVerifier },
  });
}
const counts = async () => [await User.count(), await Identity.count(), await Session.count()];

describe('Google', () => {
  it('may be unavailable while the server starts: it is asked at the first sign-in, and again when that failed', async () => {
    const address = Number(new URL(provider.issuer).port);
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    people['ida'] = {
      hd: 'corp.test',
      email: 'ida@corp.test',
      email_verified: true,
      name: 'Ida P',
    };
    const { page, state } = await goTo('ida');
    expect(page.url.href).toContain(`${APP}?error=unavailable&`);
    expect(page.url.searchParams.get('state')).toBe(state);
    const { status, body, headers } = await ask(
      'GET',
      authorizationRequest('', 'google', APP).address,
      { headers: { accept: 'application/json' } },
    );
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
    server.listen(address, '127.0.0.1');
    await once(server, 'listening');
    tamper = () => [500, '{}'];
    expect(await errorOf('ida')).toBe('unavailable');
    tamper = undefined;
    expect((await signIn('ida')).body).toMatchObject({
      session: { strategy: 'google' },
      user: { email: 'ida@corp.test', emailVerified: true, name: 'Ida P', roles: ['user'] },
    });
  });

  it.each([
    ['none', {}],
    ['another', { hd: 'evil.test' }],
    ['a longer one', { hd: 'corp.test.evil.test' }],
    ['a list', { hd: ['corp.test'] }],
    ['nothing', { hd: null }],
    ['an address that looks like it', { email: 'x@corp.test', email_verified: true }],
  ])('lets in nobody whose hosted domain is %s', async (_what, claims) => {
    people['olga'] = { email: 'olga@corp.test', email_verified: true, ...claims };
    const before = await counts();
    expect(await errorOf('olga')).toBe('access_denied');
    expect(await counts()).toEqual(before);
  });

  it('is not believed what it says with wrong types', async () => {
    const victim = await register({ email: 'victim@corp.test' });
    people['liar'] = {
      hd: 'corp.test',
      email: 'victim@corp.test',
      email_verified: 'yes',
      name: 5,
      preferred_username: ['root'],
    };
    const taken = await signIn('liar');
    expect([taken.status, taken.body.code]).toEqual([409, 'already_linked']);
    expect((await victim.ask('GET', '/me')).status).toBe(200);
    for (const email of [
      { a: 1 },
      ['victim@corp.test'],
      7,
      '',
      'no address',
      `${'x'.repeat(600)}@corp.test`,
      true,
    ]) {
      people['liar'] = { ...people['liar'], email, email_verified: true };
      const { status, body, text } = await signIn('liar');
      expect(status, text).toBe(200);
      expect(body.user).toMatchObject({
        email: null,
        emailVerified: false,
        name: null,
        username: null,
      });
    }
  });

  it('names nobody when its subject is empty', async () => {
    const tab = browser();
    const page = await tab.open(authorizationRequest(url, 'google', APP).address, APP);
    const nonce = page.trail.map(({ url }) => new URL(url).searchParams.get('nonce')).find(Boolean);
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: provider.issuer,
      aud: 'sallyport',
      iat: now,
      exp: now + 60,
      nonce,
      sub: '',
      hd: 'corp.test',
      email: 'a@corp.test',
    };
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'RS256' })}.${part(claims)}.AAAA`;
    tamper = (path) =>
      path === '/token'
        ? [200, JSON.stringify({ access_token: 'a', token_type: 'bearer', id_token: token })]
        : undefined;
    const before = await counts();
    expect((await signInAt(page, 'ida', APP, tab)).url.searchParams.get('error')).toBe(
      'server_error',
    );
    expect(await counts()).toEqual(before);
  });

  it.each<[string, string, [number, string], string]>([
    ['its token endpoint answers 503', '/token', [503, '{}'], 'unavailable'],
    ['its userinfo answers 500', '/me', [500, '{}'], 'unavailable'],
    ['its tokens are a page', '/token', [200, '<html>'], 'server_error'],
    ['its tokens are null', '/token', [200, 'null'], 'server_error'],
    [
      'it grants no ID token',
      '/token',
      [200, '{"access_token":"a","token_type":"bearer"}'],
      'server_error',
    ],
    [
      'its ID token is forged',
      '/token',
      [200, '{"access_token":"a","token_type":"bearer","id_token":"e30.e30.e30"}'],
      'server_error',
    ],
    [
      'its userinfo is of somebody else',
      '/me',
      [200, '{"sub":"root","email":"root@corp.test","email_verified":true}'],
      'server_error',
    ],
    ['its userinfo is null', '/me', [200, 'null'], 'server_error'],
  ])('is refused or waited for, and nothing changes: %s', async (_what, path, answer, code) => {
    people['ida'] = { hd: 'corp.test', email: 'ida@corp.test', email_verified: true };
    const before = await counts();
    tamper = (asked) => (asked === path ? answer : undefined);
    expect(await errorOf('ida')).toBe(code);
    tamper = undefined;
    expect(await counts()).toEqual(before);
  });

  it('is waited for ten seconds when it is frozen', async () => {
    tamper = (path) => (path === '/token' ? 'nothing' : undefined);
    reached.length = 0;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const code = errorOf('ida');
    while (!reached.includes('/token')) await sleep(5);
    vi.advanceTimersByTime(10_100);
    expect(await code).toBe('unavailable');
    vi.useRealTimers();
    tamper = undefined;
    expect((await signIn('ida')).status).toBe(200);
  });
});
