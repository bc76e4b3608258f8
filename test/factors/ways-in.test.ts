import express from 'express';
import { v7 as uuid } from 'uuid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SignInAttempt, SignInPolicy } from '#src/authentication/sign-in-policies';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';
import { Problem } from '#src/platform/http/problem';
import { z } from 'zod';
import { password, startApp } from '#test/support/app';
import { frontEnds, speakTo } from '#test/support/compat';
import {
  callBack,
  fakeLogin,
  fakeRedirect,
  REDIRECT_URIS,
  startAt,
} from '#test/support/fake-providers';
import { embed } from '#test/support/host';
import { addApp } from '#test/support/second-factor';

/** What a policy of the app that embeds the server was asked. */
const asked: SignInAttempt[] = [];
let isRefused = false;
const own: SignInPolicy = (_ctx, attempt) => {
  asked.push(attempt);
  if (isRefused) throw new Problem('forbidden', { members: { required: [] } });
};
beforeEach(() => {
  asked.length = 0;
  isRefused = false;
});

/** A strategy that finds a user of the server itself. */
const finder = defineStrategy({
  name: 'finder',
  kind: 'login',
  summary: 'Finds whom it is told',
  credentials: z.strictObject({ name: z.string() }),
  create: ({ auth }) => custom(async (req) => auth.users.find((req.body as { name: string }).name)),
});
/** A provider that has verified the address. */
const vouching = defineStrategy({
  name: 'vouching',
  kind: 'login',
  summary: 'Vouches for an address',
  credentials: z.strictObject({ email: z.string() }),
  create: ({ resolveUser }) =>
    custom(async (req) => {
      const { email } = req.body as { email: string };
      return resolveUser({ subject: email, email, emailVerified: true });
    }),
});
/** One that lets in with each request. */
const knock = defineStrategy({
  name: 'knock',
  kind: 'bearer',
  summary: 'A name in a header',
  scheme: { type: 'apiKey', in: 'header', name: 'X-Who' },
  create: ({ auth, resolveUser }) =>
    custom(async (req) => {
      const who = req.get('x-who');
      if (who === undefined) return null;
      return (await auth.users.find(who)) ?? resolveUser({ subject: who });
    }),
});
const app = await embed('', (auth) => express().use(auth.router).use(auth.errorHandler), {
  strategies: [fakeLogin('fake'), fakeRedirect('far'), finder, vouching, knock],
  signInPolicies: [own],
  redirectUris: REDIRECT_URIS,
  strategySettings: { API_KEYS: 'on', BASIC_AUTH: 'on' },
});
const { auth, ask, url } = app;
const { Identity, OneTimeToken, Session, User } = auth.models;
const clock = { clock: { now: () => Date.now() } } as Parameters<typeof addApp>[0];

let made = 0;
async function member() {
  const username = `somebody${++made}`;
  const { body } = await ask('POST', '/auth/register', { body: { username, password } });
  const token = body.accessToken as string;
  const id = body.user.id as string;
  for (const provider of ['fake', 'far'])
    await Identity.create({ id: uuid(), userId: id, provider, subject: username });
  const mine = (method: string, path: string, question: object = {}) =>
    ask(method, path, { token, ...question }) as never;
  asked.length = 0;
  return { id, username, token, ask: mine as Parameters<typeof addApp>[1]['ask'] };
}

type Way = (name: string) => ReturnType<typeof ask>;
async function codeOf(name: string) {
  const request = await startAt(url, 'far');
  const landing = await callBack(request, `${url}/auth/far/callback`, name);
  return { code: landing.url.searchParams.get('code'), codeVerifier: request.codeVerifier };
}
const post = (path: string, body: object) => ask('POST', path, { body });
const ways: [what: string, strategy: string, way: Way][] = [
  ['a password', 'local', (name) => post('/auth/login', { identifier: name, password })],
  ['a strategy that answers a profile', 'fake', (name) => post('/auth/fake', { subject: name })],
  ['a strategy that finds the user', 'finder', (name) => post('/auth/finder', { name })],
  ['a redirect', 'far', async (name) => post('/auth/exchange', await codeOf(name))],
];

describe.each(ways)('with %s', (_what, strategy, way) => {
  it('a user with a second factor is asked for it, and one without is not', async () => {
    const [ada, bob] = [await member(), await member()];
    const { code } = await addApp(clock, ada);
    expect((await way(bob.username)).status).toBe(200);
    const sessions = await Session.count();
    asked.length = 0;
    const { status, text } = await way(ada.username);
    const begun = JSON.parse(text) as { code: string; mfaToken: string; factors: string[] };
    expect([status, begun.code], text).toEqual([403, 'mfa_required']);
    expect(begun.factors).toEqual(['totp', 'recovery_code']);
    expect(text).not.toMatch(/eyJ[\w-]+\.|rt1\./);
    expect(await Session.count()).toBe(sessions);
    expect(asked).toEqual([]); // the app is asked about who is wholly proved
    const { mfaToken } = begun;
    const finished = await ask('POST', '/auth/mfa', { body: { mfaToken, code: code() } });
    expect(finished.status, finished.text).toBe(200);
    expect(finished.body).toMatchObject({
      session: { strategy, acr: 'aal2' },
      user: { id: ada.id },
    });
    expect(asked).toMatchObject([{ user: { id: ada.id, factors: 1 }, method: { strategy } }]);
  });

  it('what the policies say counts after the second factor, too', async () => {
    const ada = await member();
    const { recoveryCodes } = await addApp(clock, ada);
    const begun = JSON.parse((await way(ada.username)).text) as { mfaToken: string };
    isRefused = true;
    const sessions = await Session.count();
    const body = { mfaToken: begun.mfaToken, recoveryCode: recoveryCodes[0] };
    expect((await ask('POST', '/auth/mfa', { body })).body.code).toBe('forbidden');
    expect(await Session.count()).toBe(sessions);
    isRefused = false;
    expect((await ask('POST', '/auth/mfa', { body })).body.code).toBe('invalid_code');
  });
});

it('a redirect with the verifier of somebody else gets no token of the first step (M-07)', async () => {
  const ada = await member();
  await addApp(clock, ada);
  const { code } = await codeOf(ada.username);
  const tokens = await OneTimeToken.count({ where: { purpose: 'second factor' } });
  const stolen = await ask('POST', '/auth/exchange', {
    body: { code, codeVerifier: 'x'.repeat(43) },
  });
  expect([stolen.status, stolen.body.code]).toEqual([400, 'invalid_code']);
  expect(await OneTimeToken.count({ where: { purpose: 'second factor' } })).toBe(tokens);
});

it('registration asks nobody: a new user has no factor', async () => {
  const { status } = await ask('POST', '/auth/register', {
    body: { username: 'newcomer', password },
  });
  expect(status).toBe(201);
});

it('a session from before the factor cannot set another password without it', async () => {
  const ada = await member();
  const { body: onPhone } = await ask('POST', '/auth/login', {
    body: { identifier: ada.username, password },
  });
  await addApp(clock, ada);
  const body = { currentPassword: password, newPassword: 'staple battery horse correct' };
  const changed = await ask('PUT', '/me/password', { token: onPhone.accessToken, body });
  expect([changed.status, changed.body.code]).toEqual([403, 'step_up_required']);
  expect(await auth.sessions.list(ada.id)).toHaveLength(2);
});

it('a provider that takes a user over leaves the factor, which is asked for (M-12)', async () => {
  const ada = await member();
  const email = `${ada.username}@example.com`;
  await User.update({ email, emailCanonical: email }, { where: { id: ada.id } });
  await addApp(clock, ada);
  const taken: string[] = [];
  const stop = auth.on('user.taken_over', ({ userId }) => void taken.push(userId));
  const { status, body } = await ask('POST', '/auth/vouching', { body: { email } });
  expect([status, body.code, taken]).toEqual([403, 'mfa_required', [ada.id]]);
  expect((await auth.users.find(ada.id))!.factors).toBe(1);
  stop();
});

// M-13
describe('what cannot ask', () => {
  it.each<[what: string, headers: (name: string) => Record<string, string>]>([
    [
      'basic',
      (name) => ({
        authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
      }),
    ],
    ['a strategy that authenticates each request', (name) => ({ 'x-who': name })],
  ])('%s refuses a user with a second factor, and no other', async (_what, headersOf) => {
    const [ada, bob] = [await member(), await member()];
    await addApp(clock, ada);
    const me = (name: string, more = {}) =>
      ask('GET', '/me', { headers: { ...headersOf(name), ...more } });
    expect((await me(bob.username)).status).toBe(200);
    const refused = await me(ada.username);
    expect([refused.status, refused.body.code]).toEqual([403, 'mfa_required']);
    expect(refused.body.mfaToken).toBeUndefined();
    const made = await ask('POST', '/me/api-keys', {
      headers: headersOf(ada.username),
      body: { name: 'a way around' },
    });
    expect(made.status).toBe(403);
  });

  it('basic tells a wrong password from nothing', async () => {
    const [ada, bob] = [await member(), await member()];
    await addApp(clock, ada);
    const answers = [];
    for (const { username } of [ada, bob]) {
      const pair = Buffer.from(`${username}:wrong`).toString('base64');
      const { status, body } = await ask('GET', '/me', {
        headers: { authorization: `Basic ${pair}` },
      });
      answers.push([status, body.code]);
    }
    expect(answers).toEqual([
      [401, 'invalid_credentials'],
      [401, 'invalid_credentials'],
    ]);
  });

  it('an API key goes on working', async () => {
    const ada = await member();
    const key = await ask('POST', '/me/api-keys', { token: ada.token, body: { name: 'script' } });
    await addApp(clock, ada);
    const { status } = await ask('GET', '/me', { headers: { 'x-api-key': key.body.key } });
    expect(status).toBe(200);
  });
});

describe.each(['bezkoder,zohaib,devckano', 'grokonez', 'grokonez-react', 'bezkoder-cookies'])(
  'the adapters %s',
  async (dialects) => {
    const other = await startApp({ DIALECTS: dialects });
    const say = speakTo(other.url);

    it.each(frontEnds.filter(({ name }) => dialects.split(',').includes(name)))(
      '$name refuses a user with a second factor in a sentence',
      async (frontEnd) => {
        const name = other.unusedName();
        await say('POST', frontEnd.signUp, { json: frontEnd.newcomer(name) });
        const enter = (secret: string) =>
          say('POST', frontEnd.signIn, {
            json: { [frontEnd.field]: frontEnd.who(name), password: secret },
          });
        expect(frontEnd.held(await enter(password)).length).toBeGreaterThan(20);
        const user = (await other.User.findOne({ order: [['id', 'DESC']] }))!;
        await other.User.update({ factors: 1 }, { where: { id: user.id } });
        const sessions = await other.Session.count();
        const tokens = await other.OneTimeToken.count();
        const refused = await enter(password);
        expect(refused.status, refused.text).toBe(403);
        expect(refused.text).toContain('protected by a second factor');
        expect(refused.text).not.toMatch(/eyJ[\w-]+\.|rt1\.|mfa/);
        expect(refused.headers.getSetCookie().join()).not.toMatch(/eyJ[\w-]+\.|rt1\./);
        expect(await other.Session.count()).toBe(sessions);
        expect(await other.OneTimeToken.count()).toBe(tokens);
        expect((await enter('wrong password')).body).toEqual(frontEnd.wrong);
      },
    );
  },
);
