import express, { type ErrorRequestHandler, type Express } from 'express';
import { describe, expect, it } from 'vitest';
import type { Sallyport } from '#src/index';
import { password } from '#test/support/app';
import { fakeLogin, fakeRedirect, REDIRECT_URIS } from '#test/support/fake-providers';
import { embed } from '#test/support/host';

/** What reached the handlers of the app. */
const handled: string[] = [];
/** What a custom callback of Passport was given. */
const given: unknown[][] = [];

/** An app that uses the Passport of the server by itself. */
function appOf(auth: Sallyport): Express {
  const app = express().use(auth.router);
  app.use(express.json());
  const by = (name: string | string[], options: object = {}) =>
    auth.passport.authenticate(name, { session: false, ...options });
  app.get('/jwt', by('jwt'), (req, res) => {
    handled.push('jwt');
    res.json(req.user);
  });
  app.get('/basic', by('basic'), (req, res) => {
    handled.push('basic');
    res.json(req.user);
  });
  app.get('/any', by(['jwt', 'basic']), (req, res) => {
    handled.push('any');
    res.json(req.user);
  });
  for (const name of ['local', 'fake', 'far']) {
    app.all(`/${name}`, by(name), (req, res) => {
      handled.push(name);
      res.json(req.user);
    });
    // The server calls with a symbol of its own, which nobody else has.
    const forged = {
      'for sign-in': true,
      [Symbol('for sign-in')]: true,
      [Symbol.for('for sign-in')]: true,
    };
    app.all(`/${name}/forged`, by(name, forged), (req, res) => {
      handled.push(name);
      res.json(req.user);
    });
    app.all(`/${name}/callback`, (req, res, next) => {
      const answer = (...args: unknown[]) => {
        given.push(args);
        res.status(args[0] ? 500 : 200).end();
      };
      auth.passport.authenticate(name, { session: false }, answer)(req, res, next);
    });
    app.all(`/${name}/login`, by(name), (req, res, next) => req.logIn(req.user!, next));
  }
  app.all('/local-or-jwt', by(['local', 'jwt']), (req, res) => {
    handled.push('local-or-jwt');
    res.json(req.user);
  });
  app.use(((error: Error, _req, res, _next) => {
    res.status((error as { status?: number }).status ?? 500).json({ error: error.message });
  }) as ErrorRequestHandler);
  return app;
}

const { auth, ask, url } = await embed('', appOf, {
  strategies: [fakeLogin('fake'), fakeRedirect('far')],
  redirectUris: REDIRECT_URIS,
  basicAuth: 'on',
});
const { Session, Identity, User } = auth.models;
const user = { username: 'ada', password };
const registered = await ask('POST', '/auth/register', { body: user });
const { accessToken: token, session } = registered.body;
const { id } = registered.body.user;
const basic = { authorization: `Basic ${Buffer.from(`ada:${password}`).toString('base64')}` };

async function onlyRefused(asked: ReturnType<typeof ask>) {
  handled.length = 0;
  const before = await Promise.all([Session.count(), User.count(), Identity.count()]);
  const answer = await asked;
  expect(handled).toEqual([]);
  expect(await Promise.all([Session.count(), User.count(), Identity.count()])).toEqual(before);
  expect(answer.text).not.toContain(id);
  return answer;
}

describe("auth.passport.authenticate('jwt')", () => {
  it('guards a route of the app: req.user is the principal', async () => {
    const { status, body } = await ask('GET', '/jwt', { token });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      username: 'ada',
      roles: ['user'],
      scopes: null,
      session: { id: session.id, strategy: 'local', authTime: expect.any(Number) },
    });
    expect(JSON.stringify(body)).not.toMatch(/password|hash|canonical/i);
    expect((await ask('GET', '/any', { token })).body.id).toBe(id);
  });

  it.each([
    ['no token', undefined],
    ['what is no token', 'x'],
    ['a token that was changed', `${token.slice(0, -6)}AAAAAA`],
  ])('answers 401 to %s', async (_what, other) => {
    expect((await onlyRefused(ask('GET', '/jwt', { token: other }))).status).toBe(401);
    expect((await onlyRefused(ask('GET', '/any', { token: other }))).status).toBe(401);
  });

  it('answers 401 once the session has ended, or the user is disabled', async () => {
    const other = { username: 'bob', password };
    const { accessToken, user: bob } = (await ask('POST', '/auth/register', { body: other })).body;
    expect((await ask('GET', '/jwt', { token: accessToken })).status).toBe(200);
    await auth.users.disable(bob.id);
    expect((await onlyRefused(ask('GET', '/jwt', { token: accessToken }))).status).toBe(401);
    await auth.users.enable(bob.id);
    const again = (await ask('POST', '/auth/login', { body: { identifier: 'bob', password } }))
      .body;
    await auth.sessions.end(again.session.id);
    expect((await onlyRefused(ask('GET', '/jwt', { token: again.accessToken }))).status).toBe(401);
  });

  it('does so for any strategy of kind bearer', async () => {
    const { status, body } = await ask('GET', '/basic', { headers: basic });
    expect([status, body.id, body.session]).toEqual([200, id, null]);
    expect((await onlyRefused(ask('GET', '/basic'))).status).toBe(401);
  });
});

const BODIES = {
  local: { identifier: 'ada', password },
  fake: { subject: 'somebody-new' },
  far: undefined,
};
describe.each(['local', 'fake', 'far'] as const)("auth.passport.authenticate('%s')", (name) => {
  const body = BODIES[name];
  const method = name === 'far' ? 'GET' : 'POST';

  it.each(['', '/forged'])(
    'is an error, not a way in, with the right credentials: %s',
    async (path) => {
      const { status, text } = await onlyRefused(ask(method, `/${name}${path}`, { body }));
      expect(status).toBe(500);
      expect(text).toContain(`The strategy ${name} signs people in`);
      expect(text).toContain(`${url}/auth/${name === 'local' ? 'login' : name}`);
    },
  );

  it('is an error for wrong credentials, too: it tells nothing about them', async () => {
    const right = await onlyRefused(ask(method, `/${name}`, { body }));
    const wrong = { ...body, ...(name === 'local' ? { password: 'wrong' } : {}) };
    const other = await onlyRefused(
      ask(method, `/${name}`, { body: name === 'far' ? undefined : wrong }),
    );
    expect(other.text).toBe(right.text);
  });

  it('is an error for a callback of the app: it is given no user', async () => {
    given.length = 0;
    expect((await onlyRefused(ask(method, `/${name}/callback`, { body }))).status).toBe(500);
    expect(given).toHaveLength(1);
    const [error, found] = given[0]!;
    expect(error).toBeInstanceOf(Error);
    expect(found).toBeFalsy();
  });

  it('puts nobody into a session of Passport', async () => {
    const answer = await onlyRefused(ask(method, `/${name}/login`, { body }));
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([500, []]);
  });
});

it('a list that begins with a strategy of a sign-in is an error as well', async () => {
  expect(
    (await onlyRefused(ask('POST', '/local-or-jwt', { body: BODIES.local, token }))).status,
  ).toBe(500);
});

it('the way in that the error names works, with the policies of the server', async () => {
  const { status, body } = await ask('POST', '/auth/login', { body: BODIES.local });
  expect([status, body.user.id]).toEqual([200, id]);
});
