import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import { clientOf } from '#test/support/client';
import { emptyDatabase } from '#test/support/database';
import { client, person, says, startGitHub } from '#test/support/github';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';
import { settingsFor, startProcess } from '#test/support/process';

const APP = 'http://127.0.0.1:9/signed-in';
const NOREPLY = '7+octo@users.noreply.github.test';
const people = {
  octo: person(7, 'octo', ['octo@example.com', true], [NOREPLY, true]),
  hiding: person(
    8,
    'hiding',
    [NOREPLY.replace('7+octo', '8+hiding'), true],
    ['hiding@example.com', true],
  ),
  claimer: person(9, 'claimer', ['victim@example.com', false], ['claimer@example.com', true]),
  second: person(10, 'second', ['second@example.com', true], ['victim2@example.com', true]),
  bare: person(12, 'bare'),
  mute: person(11, 'mute', ['mute@example.com', true]),
};
const github = await startGitHub(people);
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const settings = {
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  GITHUB_URL: github.url,
  GITHUB_CLIENT_ID: client.id,
  GITHUB_CLIENT_SECRET: client.secret,
};
const { url, ctx, register, Identity, Session, User } = await startApp(settings);

const USER = '/api/v3/user';
const EMAILS = '/api/v3/user/emails';
const TOKEN = '/login/oauth/access_token';
afterEach(() => {
  for (const path of Object.keys(github.instead)) delete github.instead[path];
  Object.assign(github.state, { consents: true, scope: undefined });
  vi.useRealTimers();
});

async function goTo(who: keyof typeof people, at = url, tab = browser()) {
  github.state.signedIn = who;
  const asked = authorizationRequest(at, 'github', APP);
  return { ...asked, tab, landing: await tab.open(asked.address, APP) };
}
async function signIn(who: keyof typeof people, at = url) {
  const { landing, codeVerifier } = await goTo(who, at);
  expect(landing.url.searchParams.get('error')).toBeNull();
  return clientOf(at)('POST', '/auth/exchange', {
    body: { code: landing.url.searchParams.get('code'), codeVerifier },
  });
}
const errorOf = async (who: keyof typeof people, at = url) =>
  (await goTo(who, at)).landing.url.searchParams.get('error');
const counts = async () => [await User.count(), await Identity.count(), await Session.count()];

describe('GitHub', () => {
  it('signs somebody in, again as the same user who may be called something else there', async () => {
    const { status, body, text } = await signIn('octo');
    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      session: { strategy: 'github' },
      user: {
        username: 'octo',
        email: 'octo@example.com',
        emailVerified: true,
        name: 'octo the cat',
        roles: ['user'],
      },
    });
    Object.assign(people.octo, { login: 'renamed', emails: people.hiding.emails });
    expect((await signIn('octo')).body.user).toMatchObject({
      id: body.user.id,
      username: 'octo',
      email: 'octo@example.com',
    });
    Object.assign(people.mute, { login: 'octo' });
    expect((await signIn('mute')).body.user.id).not.toBe(body.user.id);
  });

  it('is asked for the address alone, with state and PKCE; its token is kept nowhere', async () => {
    const { landing } = await goTo('octo');
    const query = new URL(landing.trail[1]!.url).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      response_type: 'code',
      client_id: client.id,
      redirect_uri: `${here}/auth/github/callback`,
      scope: 'user:email',
      state: expect.stringMatching(/^[\w-]{32}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const rows = JSON.stringify(await User.sequelize!.query('SELECT * FROM one_time_tokens'));
    for (const token of github.tokens.keys()) expect(rows).not.toContain(token);
  });

  it('joins the user who has the address if GitHub has verified it, and nobody else', async () => {
    const victim = await register({ email: 'victim@example.com' });
    const taken = await signIn('claimer');
    expect([taken.status, taken.body.code]).toEqual([409, 'already_linked']);
    expect((await victim.ask('GET', '/me')).status).toBe(200);
    expect(await Identity.count({ where: { userId: victim.id } })).toBe(0);
    // Verified, but not the primary one: it is not looked at.
    const victim2 = await register({ email: 'victim2@example.com' });
    expect((await signIn('second')).body.user).toMatchObject({ email: 'second@example.com' });
    expect((await victim2.ask('GET', '/me')).body.id).toBe(victim2.id);
    expect((await signIn('hiding')).body.user.email).toBe('8+hiding@users.noreply.github.test');
  });
});

describe('is refused, and nothing changes', () => {
  it.each<[string, string, () => void]>([
    ['somebody who cancels', 'access_denied', () => (github.state.consents = false)],
    [
      'a code that GitHub does not know (200, as a form)',
      'access_denied',
      () => (github.instead[TOKEN] = says('error=bad_verification_code')),
    ],
    [
      'the same as JSON',
      'access_denied',
      () => (github.instead[TOKEN] = says('{"error":"bad_verification_code"}')),
    ],
    [
      'an app whose secret is another one',
      'server_error',
      () => (github.instead[TOKEN] = says('{"error":"incorrect_client_credentials"}')),
    ],
    [
      'a token that is a page',
      'server_error',
      () => (github.instead[TOKEN] = says('<html>', 200, 'text/html')),
    ],
    [
      'a token that is a list',
      'server_error',
      () => (github.instead[TOKEN] = says('{"access_token":["a"]}')),
    ],
    [
      'a token that is refused',
      'server_error',
      () => (github.instead[TOKEN] = says('{"access_token":"gho_x"}')),
    ],
    [
      'a profile that is a page',
      'server_error',
      () => (github.instead[USER] = says('<html>', 200, 'text/html')),
    ],
    [
      'a profile without an id',
      'server_error',
      () => (github.instead[USER] = says('{"login":"octo"}')),
    ],
    ['an id that is a word', 'server_error', () => (github.instead[USER] = says('{"id":"7"}'))],
    ['an id that is none', 'server_error', () => (github.instead[USER] = says('{"id":{}}'))],
    ['the id 0', 'server_error', () => (github.instead[USER] = says('{"id":0}'))],
    [
      'an error in place of addresses',
      'server_error',
      () => (github.instead[EMAILS] = says('{"message":"Not Found"}')),
    ],
  ])('%s', async (_what, code, make) => {
    make();
    const before = await counts();
    expect(await errorOf('octo')).toBe(code);
    expect(await counts()).toEqual(before);
  });

  it.each<[string, () => void]>([
    ['may not read addresses (404)', () => (github.state.scope = '')],
    [
      'may not read addresses (403)',
      () =>
        (github.instead[EMAILS] = says(
          '{"message":"Resource not accessible by integration"}',
          403,
        )),
    ],
    ['gets an empty list of addresses', () => (github.instead[EMAILS] = says('[]'))],
    ['gets a list of nothing', () => (github.instead[EMAILS] = says('[null]'))],
  ])('unless it is only that the app %s: then the user has no address', async (_what, make) => {
    people.bare = person(Math.floor(Math.random() * 1e9) + 1000, 'bare');
    make();
    const { status, body } = await signIn('bare');
    expect([status, body.user.email, body.user.emailVerified]).toEqual([200, null, false]);
  });

  it('a code of another browser: PKCE and state hold it to the one that asked', async () => {
    const victim = await goTo('octo');
    const callback = new URL(victim.landing.trail[2]!.url);
    const attacker = browser();
    const begun = authorizationRequest(url, 'github', APP);
    await attacker.open(begun.address, `${here}/auth/github/callback`);
    const answer = await attacker.open(callback.href, APP);
    expect([answer.status, answer.url.href.startsWith(here)]).toEqual([400, true]);
  });

  it('what GitHub says with wrong types is not believed', async () => {
    const emails = [{ email: 'liar@example.com', primary: true, verified: 'true' }];
    github.instead[USER] = says('{"id":77,"login":["admin"],"name":{"first":"x"}}');
    github.instead[EMAILS] = says(JSON.stringify(emails));
    const { body } = await signIn('octo');
    expect(body.user).toMatchObject({
      username: null,
      name: null,
      email: 'liar@example.com',
      emailVerified: false,
    });
    github.instead[USER] = says('{"id":78}');
    github.instead[EMAILS] = says('[{"email":{"a":1},"primary":true,"verified":true}]');
    expect((await signIn('octo')).body.user).toMatchObject({ email: null, emailVerified: false });
  });
});

describe('a GitHub that is unavailable', () => {
  it.each<[string, string, number]>([
    ['its token endpoint answers 503', TOKEN, 503],
    ['its profile answers 502', USER, 502],
    ['its addresses answer 500', EMAILS, 500],
    ['its profile was asked for too often (429)', USER, 429],
    ['its addresses were asked for too often (429)', EMAILS, 429],
  ])('is told to the app as unavailable: %s', async (_what, path, status) => {
    github.instead[path] = says('<html>Unicorn!</html>', status, 'text/html');
    expect(await errorOf('octo')).toBe('unavailable');
  });

  it.each([USER, EMAILS])(
    'is told as unavailable when its rate limit is spent: %s',
    async (path) => {
      const message = '{"message":"API rate limit exceeded for user ID 7."}';
      github.instead[path] = says(message, 403);
      expect(await errorOf('octo')).toBe('unavailable');
    },
  );

  it.each([TOKEN, USER, EMAILS])(
    'is told to the app as unavailable when it hangs up: %s',
    async (path) => {
      github.instead[path] = (res) => void res.socket!.destroy();
      expect(await errorOf('octo')).toBe('unavailable');
    },
  );

  it.each([TOKEN, USER, EMAILS])(
    'is waited for ten seconds when it is frozen: %s',
    async (path) => {
      const reached = new Promise<void>((resolve) => {
        github.instead[path] = () => resolve();
      });
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const written = vi.spyOn(ctx.log, 'warn');
      const landing = goTo('octo').then((trip) => trip.landing.url.searchParams.get('error'));
      await reached;
      vi.advanceTimersByTime(9_900);
      expect(await Promise.race([landing, sleep(20, 'waiting')])).toBe('waiting');
      vi.advanceTimersByTime(200);
      expect(await landing).toBe('unavailable');
      expect(String((written.mock.calls.at(-1) as unknown as [{ err: unknown }])[0].err)).toContain(
        'did not answer in time',
      );
      written.mockRestore();
    },
  );
});

it('ends no process when the library throws in a callback over what it is told: others are served, and the next one signs in', async () => {
  const own = await freePort();
  const at = `http://127.0.0.1:${own}`;
  const env = settingsFor(await emptyDatabase(), {
    ...settings,
    PORT: String(own),
    PUBLIC_URL: at,
    LOG_LEVEL: 'warn',
  });
  const server = await startProcess(env);
  const liars: [string, string][] = [
    [EMAILS, '<html>'],
    [EMAILS, '{}'],
    [EMAILS, 'null,'],
    [USER, 'null'],
  ];
  for (const [path, body] of liars) {
    github.instead[path] = says(body, 200, 'text/html');
    expect(await errorOf('mute', at), body).toBe('server_error');
    delete github.instead[path];
    expect((await server.ask('GET', '/readyz')).status).toBe(200);
  }
  // Many at once: each is told about its own failure.
  github.instead[EMAILS] = says('<html>', 200, 'text/html');
  expect(await Promise.all(Array.from({ length: 8 }, () => errorOf('mute', at)))).toEqual(
    Array(8).fill('server_error'),
  );
  delete github.instead[EMAILS];
  expect((await signIn('mute', at)).status).toBe(200);
  const { code, stdout, stderr } = await server.kill('SIGTERM');
  expect(code).toBe(0);
  expect(stdout).not.toContain('"fatal"');
  expect(stdout.split('a sign-in failed').length - 1).toBe(12);
  for (const token of github.tokens.keys()) expect(stdout + stderr).not.toContain(token);
  expect(stdout).not.toContain(client.secret);
});
