import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import passportModule, { type Strategy } from 'passport';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { authenticate, requireRole } from '#src/authentication/guards';
import { strategyRoutes } from '#src/authentication/routes';
import { wrap, type RunningStrategy } from '#src/authentication/wrap';
import { errorHandler } from '#src/platform/http/error-handler';
import { requestContext } from '#src/platform/http/middleware';
import { get, mount } from '#src/platform/http/route';
import { startApp } from '#test/support/app';
import { ANYBODY, SECRET, type WayName } from '#test/support/awkward';
import { root } from '#test/support/process';

const { ctx, register, Session, User } = await startApp({
  STRATEGIES_DIR: join(root, 'test/support/strategies'),
});
await register({ username: ANYBODY });

let handled = 0;
const tag = 'Operations';
const guarded = get(
  '/guarded',
  [authenticate(ctx)],
  { operationId: 'guarded', tag, summary: 'Counts', returns: z.object({ id: z.string() }) },
  (req) => {
    handled++;
    return { id: req.user.id };
  },
);
const governed = get(
  '/governed',
  [authenticate(ctx), requireRole('admin')],
  { operationId: 'governed', tag, summary: 'Counts' },
  () => {
    handled++;
  },
);
const app = express().use(requestContext(ctx));
mount(app, [...strategyRoutes(ctx), guarded, governed]);
app.use(errorHandler(ctx));
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => {
  server.close();
});

const escaped: unknown[] = [];
process.on('unhandledRejection', (reason) => escaped.push(reason));
beforeEach(() => {
  handled = 0;
  escaped.length = 0;
});

async function answer(path: string, init: RequestInit) {
  const response = await fetch(url + path, { redirect: 'manual', ...init });
  const text = await response.text();
  expect(text).not.toContain(SECRET);
  expect([...response.headers].join()).not.toContain(SECRET);
  const body = text ? JSON.parse(text) : {};
  await new Promise((resolve) => {
    setTimeout(resolve, 50); // what comes late may still do harm
  });
  expect(escaped).toEqual([]);
  return {
    status: response.status,
    code: body.code as string | undefined,
    accessToken: body.accessToken as string | undefined,
  };
}
const post = (path: string, body: object) =>
  answer(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const signIn = (way: WayName) => post('/auth/awkward', { way });
const enter = (way: WayName, path = '/guarded') => answer(path, { headers: { 'x-way': way } });
const rawLocal = (username: string) => post('/auth/raw/local', { username, password: 'x' });

describe('a strategy that answers a user', () => {
  it.each<WayName>([
    'answers a user',
    'answers a user later',
    'answers a user through the adapter',
    'answers twice',
    'answers a user, then fails',
    'answers a user, then throws',
    'answers a user, then passes',
  ])('lets in once: it %s', async (way) => {
    expect(await signIn(way)).toMatchObject({ status: 200, accessToken: expect.any(String) });
    expect(await enter(way)).toMatchObject({ status: 200 });
    expect(handled).toBe(1);
    expect(await enter(way, '/governed')).toMatchObject({ status: 403, code: 'forbidden' });
    expect(handled).toBe(1);
  });

  it('starts one session, however often it answers', async () => {
    const before = await Session.count();
    await signIn('answers twice');
    expect(await Session.count()).toBe(before + 1);
  });
});

describe('a strategy that refuses', () => {
  it.each<WayName>([
    'passes',
    'fails without a reason',
    'fails with a status of its own',
    'fails with a secret',
    'answers null through the adapter',
    'fails, then answers a user',
    'passes, then answers a user',
  ])('answers 401, and no handler runs: it %s', async (way) => {
    expect(await signIn(way)).toEqual({ status: 401, code: 'invalid_credentials' });
    expect(await enter(way)).toEqual({ status: 401, code: 'token_missing' });
    expect(handled).toBe(0);
  });

  it.each([
    ['of two strategies', { 'x-way': 'answers a user', 'x-token': 'some.token.here' }],
    [
      'of which one is a token',
      { 'x-way': 'answers a user', authorization: 'Bearer some.token.here' },
    ],
    ['of which one is empty', { 'x-way': '', 'x-token': 'some.token.here' }],
  ])('is not asked when a request has two credentials, %s', async (_which, headers) => {
    expect(await answer('/guarded', { headers })).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect(handled).toBe(0);
  });

  it('is named in the log, with what it should have given success(), when that was a promise', async () => {
    const written = vi.spyOn(ctx.log, 'error');
    await enter('answers a promise');
    const said = written.mock.calls.map(([line]) => (line as { err?: Error }).err?.message);
    expect(said).toContain(
      'The strategy awkward-bearer answered a promise: await what resolveUser answers',
    );
    written.mockRestore();
  });

  it('cannot let in a user who is disabled', async () => {
    expect(await signIn('answers a disabled user')).toEqual({
      status: 401,
      code: 'invalid_credentials',
    });
    expect(await enter('answers a disabled user')).toEqual({
      status: 401,
      code: 'user_disabled',
    });
    expect(handled).toBe(0);
  });
});

describe('a strategy that breaks', () => {
  it.each<WayName>([
    'rejects',
    'throws at once',
    'throws what is no Error',
    'errs with nothing',
    'rejects through the adapter',
    'throws at once through the adapter',
    'redirects',
    'answers a plain object',
    'answers a promise',
    'answers true',
    'answers nothing',
    'errs, then answers a user',
  ])('answers 500 and says nothing: it %s', async (way) => {
    expect(await signIn(way)).toEqual({ status: 500, code: 'internal' });
    expect(await enter(way)).toEqual({ status: 500, code: 'internal' });
    expect(handled).toBe(0);
  });

  it.each<[WayName, string]>([
    ['cannot reach the database', 'unavailable'],
    ['fails because the keys are unavailable', 'unavailable'],
    ['fails because it is busy', 'busy'],
  ])('answers 503, not 401, when the cause is ours: it %s', async (way, code) => {
    expect(await signIn(way)).toEqual({ status: 503, code });
    expect(await enter(way)).toEqual({ status: 503, code });
    expect(handled).toBe(0);
  });

  it('does not get credentials into the log', async () => {
    const written = vi.spyOn(ctx.log, 'error');
    await enter('rejects');
    expect(written).toHaveBeenCalled();
    expect(JSON.stringify(written.mock.calls)).not.toContain(SECRET);
    written.mockRestore();
  });

  it('answers 503 after three seconds, at its own door or at another, when it says nothing', async () => {
    const waited = async (asked: Promise<object>) => {
      const start = performance.now();
      expect(await asked).toEqual({ status: 503, code: 'unavailable' });
      expect(performance.now() - start).toBeGreaterThan(2900);
      expect(performance.now() - start).toBeLessThan(8000);
    };
    // Three that wait for the same clock; the last is passport-local with a verify function that never calls back.
    await Promise.all(
      [enter('is silent'), enter('resolves without a word'), rawLocal('silent')].map(waited),
    );
    expect(handled).toBe(0);
  });
});

describe('passport-local with an async verify function of somebody else', () => {
  it.each([
    ['rejects', 500, 'internal'],
    ['errs', 500, 'internal'],
    ['database', 503, 'unavailable'],
    ['wrong', 401, 'invalid_credentials'],
    ['wrong, then rejects', 401, 'invalid_credentials'],
    ['right', 200, undefined],
    ['right, then rejects', 200, undefined],
  ])('%s: %i %s', async (username, status, code) => {
    expect(await rawLocal(username)).toMatchObject({ status, code });
  });

  it('reads no credentials from the query string', async () => {
    expect(await post('/auth/raw/local?username=right&password=x', {})).toMatchObject({
      status: 400,
    });
    expect(
      await post('/auth/raw/local?username=right', { username: 'wrong', password: 'x' }),
    ).toMatchObject({ status: 400 });
  });
});

it('answers 503 when the key provider of passport-jwt fails, though passport-jwt calls it a wrong token', async () => {
  expect(await answer('/guarded', { headers: { 'x-token': 'some.token.here' } })).toEqual({
    status: 503,
    code: 'unavailable',
  });
  expect(handled).toBe(0);
});

describe('wrap', () => {
  const running: RunningStrategy = new AsyncLocalStorage();
  const attempt = (
    authenticate: (this: Record<string, (...args: unknown[]) => void>) => unknown,
    timeoutMs = 50,
    more = {},
  ) =>
    new Promise<unknown[]>((resolve) => {
      const outcome = (name: string) => (why: unknown) => resolve([name, why]);
      const outer = Object.assign(
        Object.create(
          wrap(
            Object.assign(new passportModule.Strategy(), { authenticate, ...more }) as Strategy,
            { running, timeoutMs },
          ),
        ),
        Object.fromEntries(
          ['success', 'fail', 'error', 'pass', 'redirect'].map((name) => [name, outcome(name)]),
        ),
      );
      outer.authenticate({}, {});
    });

  it('gives up on a silent strategy after its timeout', async () => {
    expect(await attempt(() => {})).toEqual([
      'error',
      expect.objectContaining({ code: 'unavailable' }),
    ]);
  });
  it('keeps a slow strategy that comes within it', async () => {
    const user = User.build({ id: '0197a000-0000-7000-8000-000000000000' });
    const late = await attempt(function () {
      setTimeout(() => this['success']!(user), 20);
    });
    expect(late).toEqual(['success', user]);
  });
  it.each(['_verify', 'verify', '_secret', '_validate', '_setup'])(
    'is told when an async %s rejects, and not only after its timeout',
    async (name) => {
      const author = { [name]: () => Promise.reject(new Error('of the author')) };
      const asks = (...after: object[]) =>
        attempt(
          function () {
            this[name]!('somebody', (error: unknown) => this['error']!(error), ...after);
          },
          1000,
          author,
        );
      expect(await asks()).toEqual([
        'error',
        expect.objectContaining({ message: 'of the author' }),
      ]);
      expect(await asks({ url: 'a request, after the callback' })).toEqual([
        'error',
        expect.objectContaining({ message: 'of the author' }),
      ]);
    },
  );
  it('keeps the arity of a verify function, by which strategies choose its arguments', () => {
    const inner = Object.assign(new passportModule.Strategy(), {
      _verify: (_a: unknown, _b: unknown, _c: unknown) => {},
    });
    wrap(inner, { running });
    expect(inner._verify).toHaveLength(3);
  });
});

it('runs Passport as it is published: nothing is patched', () => {
  const require = createRequire(import.meta.url);
  const own = require(join(root, 'package.json')) as {
    scripts: Record<string, string>;
    dependencies: Record<string, string>;
    overrides?: object;
  };
  for (const name of ['passport', 'passport-local', 'passport-jwt']) {
    const { version } = require(`${name}/package.json`) as { version: string };
    expect(own.dependencies[name], name).toBe(version);
  }
  const onInstall = Object.keys(own.scripts).filter((name) => /install|prepare/.test(name));
  expect(onInstall.map((name) => own.scripts[name])).toEqual(['node src/build-screens.js']);
  expect(own.overrides).toBeUndefined();
  const proto = passportModule.Passport.prototype as { authenticate(): unknown };
  expect(proto.authenticate.toString()).toContain(
    'this._framework.authenticate(this, strategy, options, callback)',
  );
});
