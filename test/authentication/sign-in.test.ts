import express from 'express';
import { v7 as uuid } from 'uuid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SignInAttempt, SignInPolicy } from '#src/authentication/sign-in-policies';
import type { Context } from '#src/context';
import { issueToken, readToken } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { password } from '#test/support/app';
import { frontEnds, speakTo } from '#test/support/compat';
import {
  callBack,
  fakeLogin,
  fakeRedirect,
  REDIRECT_URIS,
  startAt,
} from '#test/support/fake-providers';
import { embed } from '#test/support/host';

type Verdict = 'agree' | 'refuse' | 'challenge' | 'refuse as wrong' | 'break';
/** What the policy decides. */
let decide: (attempt: SignInAttempt, ctx: Context) => Verdict | Promise<Verdict> = () => 'agree';
/** Whom the policy was asked about. */
const asked: SignInAttempt[] = [];
/** Tokens that challenges have made. */
const challenges: { ctx: Context; token: string }[] = [];
const order: string[] = [];

const CHALLENGE = 'the second step';
const WRITTEN = 'what a policy writes';

/** The policy of this file. To add it to a server takes one line: see `signInPolicies` below. */
const policy: SignInPolicy = async (ctx, attempt) => {
  order.push('policy');
  asked.push(attempt);
  const verdict = await decide(attempt, ctx);
  if (verdict === 'refuse') throw new Problem('forbidden', { members: { required: [] } });
  if (verdict === 'refuse as wrong') throw new Problem('invalid_credentials');
  if (verdict === 'break') throw new Error('the policy is broken');
  if (verdict === 'agree') return undefined;
  return async () => {
    challenges.push({
      ctx,
      token: await issueToken(ctx, CHALLENGE, 60, { userId: attempt.user.id }),
    });
    return new Problem('step_up_required');
  };
};
/** Comes before it, and writes. */
const writer: SignInPolicy = async (ctx, { user }) => {
  order.push('writer');
  await issueToken(ctx, WRITTEN, 60, { userId: user.id });
};

const own = {
  strategies: [fakeLogin('fake'), fakeRedirect('far')],
  signInPolicies: [writer, policy],
  redirectUris: REDIRECT_URIS,
};
const start = (options: object) =>
  embed('', (auth) => express().use(auth.router).use(auth.errorHandler), { ...own, ...options });

const app = await start({});
const { auth, ask, url } = app;
const { Limit, OneTimeToken, Session, User } = auth.models;

beforeEach(() => {
  decide = () => 'agree';
  for (const list of [asked, challenges, order]) list.length = 0;
});

let made = 0;
const unusedName = () => `somebody${++made}`;
async function register(at = app) {
  const username = unusedName();
  const { status, body, text } = await at.ask('POST', '/auth/register', {
    body: { username, password },
  });
  expect(status, text).toBe(201);
  return { id: body.user.id as string, username, token: body.accessToken as string, tokens: body };
}
const logIn = (identifier: string, secret = password, at = app) =>
  at.ask('POST', '/auth/login', { body: { identifier, password: secret } });
const liveSessions = async (id: string) => (await auth.sessions.list(id)).length;

/** Ways to sign in as a user who exists. Each answers what the server said. */
type Way = (name: string) => Promise<{ status: number; text: string }>;
const throughProvider: Way = async (name) => {
  const request = await startAt(url, 'far');
  const landing = await callBack(request, `${url}/auth/far/callback`, name);
  const { codeVerifier } = request;
  const code = landing.url.searchParams.get('code');
  return ask('POST', '/auth/exchange', { body: { code, codeVerifier } });
};
const ways: [what: string, strategy: string, way: Way][] = [
  ['POST /auth/login', 'local', (name) => logIn(name)],
  ['a strategy of its own', 'fake', (subject) => ask('POST', '/auth/fake', { body: { subject } })],
  ['POST /auth/exchange', 'far', throughProvider],
];
/** A user who can sign in by each of these ways. */
async function member() {
  const user = await register();
  for (const provider of ['fake', 'far'])
    await auth.models.Identity.create({
      id: uuid(),
      userId: user.id,
      provider,
      subject: user.username,
    });
  asked.length = 0;
  order.length = 0;
  return user;
}

describe.each(ways)('%s', (_what, strategy, way) => {
  it('asks the policy, and signs in if it agrees', async () => {
    const ada = await member();
    const before = await liveSessions(ada.id);
    const { status, text } = await way(ada.username);
    expect(status, text).toBe(200);
    expect(asked).toMatchObject([{ user: { id: ada.id }, roles: ['user'], method: { strategy } }]);
    expect(await liveSessions(ada.id)).toBe(before + 1);
  });

  it.each<[Verdict, number, string]>([
    ['refuse', 403, 'forbidden'],
    ['challenge', 403, 'step_up_required'],
    ['refuse as wrong', 401, 'invalid_credentials'],
    ['break', 500, 'internal'],
  ])('starts nothing when the policy wants to %s', async (verdict, status, code) => {
    const [ada, bob] = [await member(), await member()];
    const sessions = await Session.count();
    const written = await OneTimeToken.count({ where: { purpose: WRITTEN } });
    const started: string[] = [];
    const stop = auth.on('session.started', ({ userId }) => started.push(userId));
    decide = ({ user }) => (user.id === ada.id ? verdict : 'agree');
    const answer = await way(ada.username);
    const body = JSON.parse(answer.text) as { code: string };
    expect([answer.status, body.code], answer.text).toEqual([status, code]);
    expect(answer.text).not.toMatch(/eyJ[\w-]+\.|rt1\./);
    expect(await Session.count()).toBe(sessions);
    expect(started).toEqual([]);
    expect(await OneTimeToken.count({ where: { purpose: WRITTEN } })).toBe(written); // undone
    expect((await ask('GET', '/me', { token: ada.token })).status).toBe(200);
    expect((await way(bob.username)).status).toBe(200);
    expect(started).toEqual([bob.id]);
    stop();
  });

  it('keeps what a challenge writes', async () => {
    const ada = await member();
    decide = () => 'challenge';
    await way(ada.username);
    expect(challenges).toHaveLength(1);
    const [{ ctx, token }] = challenges as [(typeof challenges)[0]];
    expect(await readToken(ctx, CHALLENGE, token)).toMatchObject({ userId: ada.id });
  });
});

describe('other ways in', () => {
  it('a new user of a provider is refused like any other', async () => {
    decide = () => 'refuse';
    const sessions = await Session.count();
    for (const way of [ways[1]![2], ways[2]![2]])
      expect((await way(unusedName())).status).toBe(403);
    expect(await Session.count()).toBe(sessions);
    expect(asked).toHaveLength(2);
  });

  it.each<[Verdict, string]>([
    ['refuse', 'forbidden'],
    ['challenge', 'step_up_required'],
  ])('registration makes the user, and no session: %s', async (verdict, code) => {
    const sessions = await Session.count();
    const username = unusedName();
    decide = () => verdict;
    const refused = await ask('POST', '/auth/register', { body: { username, password } });
    expect([refused.status, refused.body.code]).toEqual([403, code]);
    expect(refused.text).not.toMatch(/eyJ[\w-]+\.|rt1\./);
    expect(await Session.count()).toBe(sessions);
    expect(asked).toMatchObject([{ roles: ['user'], method: { strategy: 'local' } }]);
    decide = () => 'agree';
    expect((await logIn(username)).status).toBe(200);
  });

  it.each<[Verdict, string]>([
    ['refuse', 'forbidden'],
    ['challenge', 'step_up_required'],
  ])('a changed password ends every session, and starts none: %s', async (verdict, code) => {
    const ada = await member();
    const newPassword = 'staple battery horse correct';
    decide = () => verdict;
    const { token } = ada;
    const body = { currentPassword: password, newPassword };
    const refused = await ask('PUT', '/me/password', { token, body });
    expect([refused.status, refused.body.code], refused.text).toEqual([403, code]);
    expect(refused.text).not.toMatch(/eyJ[\w-]+\.|rt1\./);
    expect(await liveSessions(ada.id)).toBe(0);
    expect((await ask('GET', '/me', { token })).body.code).toBe('session_ended');
    decide = () => 'agree';
    expect((await logIn(ada.username)).status).toBe(401);
    expect((await logIn(ada.username, newPassword)).status).toBe(200);
  });

  it('a refresh and a proof of the password are no sign-ins', async () => {
    const ada = await member();
    decide = () => 'refuse';
    const { refreshToken } = ada.tokens;
    const refreshed = await ask('POST', '/auth/refresh', { body: { refreshToken } });
    expect(refreshed.status, refreshed.text).toBe(200);
    const { accessToken: token } = refreshed.body;
    expect((await ask('POST', '/auth/reauthenticate', { token, body: { password } })).status).toBe(
      204,
    );
    expect(asked).toEqual([]);
  });
});

describe.each(['bezkoder,zohaib,devckano', 'grokonez', 'grokonez-react', 'bezkoder-cookies'])(
  'with the adapters %s',
  async (dialects) => {
    const other = await start({ dialects });
    const say = speakTo(other.url);
    const names = dialects.split(',');

    it.each(frontEnds.filter(({ name }) => names.includes(name)))(
      'a sign-in by $name is one, too',
      async (frontEnd) => {
        const name = unusedName();
        const fields = frontEnd.newcomer(name);
        const { status, text } = await say('POST', frontEnd.signUp, { json: fields });
        expect(status, text).toBe(frontEnd.welcome);
        const enter = () =>
          say('POST', frontEnd.signIn, {
            json: { [frontEnd.field]: frontEnd.who(name), password },
          });
        const { Session } = other.auth.models;
        for (const verdict of ['refuse', 'challenge'] as const) {
          const sessions = await Session.count();
          asked.length = 0;
          decide = () => verdict;
          const refused = await enter();
          expect(refused.status, refused.text).toBe(403);
          expect(refused.text).not.toMatch(/eyJ[\w-]+\.|rt1\./);
          expect(refused.headers.getSetCookie().join()).not.toMatch(/eyJ[\w-]+\.|rt1\./);
          expect(await Session.count()).toBe(sessions);
          expect(asked).toMatchObject([{ method: { strategy: 'local' } }]);
          expect(asked[0]!.method.accessTokenTtl).toBeGreaterThan(0);
        }
        expect(challenges).toHaveLength(1);
        decide = () => 'refuse as wrong';
        expect((await enter()).body).toEqual(frontEnd.wrong);
        decide = () => 'agree';
        const signedIn = await enter();
        expect(frontEnd.held(signedIn).length).toBeGreaterThan(20);
      },
    );
  },
);

describe('what a policy is told', () => {
  it('is the user as they are now, their roles, the device and how they signed in', async () => {
    const ada = await member();
    await auth.roles.create('editor');
    await auth.roles.grant(ada.id, 'editor');
    const device = { kind: 'mobile', name: 'phone', platform: 'iOS' };
    await ask('POST', '/auth/login', { body: { identifier: ada.username, password, device } });
    const [attempt] = asked;
    expect(attempt!.user).toMatchObject({ id: ada.id, email: null, emailVerifiedAt: null });
    expect(attempt!.roles).toEqual(['editor', 'user']);
    expect(attempt!.device).toMatchObject(device);
    expect(attempt!.method).toEqual({ strategy: 'local', amr: ['pwd'] });
  });

  it('is nothing of a sign-in that has failed already', async () => {
    const ada = await member();
    expect((await logIn(ada.username, 'wrong')).status).toBe(401);
    expect((await logIn('nobody')).status).toBe(401);
    await auth.users.disable(ada.id);
    for (const [, , way] of ways) expect((await way(ada.username)).status).toBe(401);
    expect(asked).toEqual([]);
  });
});

describe('policies are asked in order', () => {
  it('and none after the one that refuses', async () => {
    const ada = await member();
    await logIn(ada.username);
    expect(order).toEqual(['writer', 'policy']);

    const names: string[] = [];
    const named =
      (name: string, code?: 'forbidden' | 'step_up_required'): SignInPolicy =>
      () => {
        names.push(name);
        return code && (() => new Problem(code));
      };
    const signInPolicies = [named('one'), named('two'), named('three')];
    const other = await start({ signInPolicies });
    const bob = await register(other);
    expect(names.splice(0)).toEqual(['one', 'two', 'three']);
    signInPolicies[1] = named('two', 'forbidden'); // what an app does to its list later changes nothing
    expect((await logIn(bob.username, password, other)).status).toBe(200);
    expect(names.splice(0)).toEqual(['one', 'two', 'three']);
    const strict = await start({
      signInPolicies: [named('one'), named('two', 'step_up_required'), named('three', 'forbidden')],
    });
    const body = { username: 'eve', password };
    expect((await strict.ask('POST', '/auth/register', { body })).body.code).toBe(
      'step_up_required',
    );
    expect(names).toEqual(['one', 'two']);
  });

  it('those of the server first: an address that is not confirmed', async () => {
    const other = await start({
      emailVerification: 'required',
      smtpUrl: 'smtp://127.0.0.1:9',
      mailFrom: 'Test <test@example.com>',
    });
    const body = { subject: 'ida' };
    expect((await other.ask('POST', '/auth/fake', { body })).status).toBe(200);
    const email = 'ida@example.com';
    await other.auth.models.User.update({ email, emailCanonical: email }, { where: {} });
    asked.length = 0;
    expect((await other.ask('POST', '/auth/fake', { body })).body.code).toBe('email_unverified');
    expect(asked).toEqual([]);
  });

  it('and the cap on sessions comes last: a sign-in that is refused ends no session', async () => {
    const ada = await member();
    while ((await liveSessions(ada.id)) < 10) await logIn(ada.username);
    const oldest = await ask('GET', '/me', { token: ada.token });
    expect(oldest.status).toBe(200);
    const ended: string[] = [];
    const stop = auth.on('session.ended', ({ userId }) => void (userId && ended.push(userId)));
    for (const verdict of ['refuse', 'challenge', 'refuse as wrong', 'break'] as const) {
      decide = () => verdict;
      expect((await logIn(ada.username)).status).toBeGreaterThanOrEqual(401);
      expect(await liveSessions(ada.id), verdict).toBe(10);
      expect((await ask('GET', '/me', { token: ada.token })).status, verdict).toBe(200);
    }
    expect(ended).toEqual([]);

    let seen = 0;
    decide = async ({ user }, { db, clock }): Promise<Verdict> => {
      seen = await db.Session.count({
        where: { userId: user.id, ...db.Session.live(clock.date()) },
      });
      return 'agree';
    };
    expect((await logIn(ada.username)).status).toBe(200);
    expect(seen).toBe(10);
    expect(await liveSessions(ada.id)).toBe(10);
    expect((await ask('GET', '/me', { token: ada.token })).body.code).toBe('session_ended');
    stop();
  });
});

describe('failed sign-ins of an account', async () => {
  const limited = await start({ limits: 'on', trustProxy: '1' });
  let from = 0;
  /** Each from a network of its own. */
  const tryOnce = (identifier: string, secret: string) =>
    limited.ask('POST', '/auth/login', {
      body: { identifier, password: secret },
      headers: {
        'x-forwarded-for': `198.51.${100 + Math.floor(++from / 250)}.${1 + (from % 250)}`,
      },
    });
  const fail = async (n: number, name: string) => {
    for (let i = 0; i < n; i++) expect((await tryOnce(name, 'wrong')).status).toBe(401);
  };

  it('are forgotten by a sign-in that the policy agrees to', async () => {
    const ada = await register(limited);
    await fail(9, ada.username);
    expect((await tryOnce(ada.username, password)).status).toBe(200);
    expect((await tryOnce(ada.username, 'wrong')).status).toBe(401);
    expect((await tryOnce(ada.username, password)).status).toBe(200);
  });

  it.each<[Verdict, number]>([
    ['challenge', 403],
    ['refuse', 403],
    ['refuse as wrong', 401],
  ])('are not forgotten by the right password alone: %s', async (verdict, status) => {
    const ada = await register(limited);
    await fail(9, ada.username);
    decide = () => verdict;
    expect((await tryOnce(ada.username, password)).status).toBe(status);
    decide = () => 'agree';
    expect((await tryOnce(ada.username, 'wrong')).status).toBe(401);
    const locked = await tryOnce(ada.username, password);
    expect([locked.status, locked.body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('do not grow by a policy that cannot answer now', async () => {
    const ada = await register(limited);
    await fail(8, ada.username);
    decide = () => {
      throw new Problem('unavailable');
    };
    for (let i = 0; i < 3; i++) expect((await tryOnce(ada.username, password)).status).toBe(503);
    decide = () => 'agree';
    expect((await tryOnce(ada.username, password)).status).toBe(200);
    expect(await limited.auth.models.Limit.count()).toBeGreaterThan(0);
  });
});

it('twenty sign-ins at once, every second of which is challenged, start ten sessions', async () => {
  const ada = await member();
  await auth.sessions.endAll(ada.id);
  let turn = 0;
  decide = () => (turn++ % 2 ? 'challenge' : 'agree');
  const answers = await Promise.all(Array.from({ length: 20 }, () => logIn(ada.username)));
  const started = answers.filter(({ status }) => status === 200).length;
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(20 - started);
  expect(await liveSessions(ada.id)).toBe(Math.min(started, 10));
  expect(await User.count({ where: { id: ada.id } })).toBe(1);
  expect(await Limit.count()).toBe(0);
});
