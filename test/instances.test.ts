import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SallyportOptions } from '#src/index';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';
import { password, testSecret } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { emptyDatabase } from '#test/support/database';
import { embed } from '#test/support/host';

const appSecret = testSecret();
const robot = defineStrategy({
  name: 'robot',
  kind: 'bearer',
  summary: 'A key for one script',
  scheme: { type: 'apiKey', in: 'header', name: 'X-Robot-Key' },
  create: ({ auth }) =>
    custom(async (req) => (req.get('x-robot-key') === 'open' ? auth.users.find('ada') : null)),
});

const start = (options: SallyportOptions = {}) =>
  embed('', (auth) => express().use(auth.router), { appSecret, ...options });
type Running = Awaited<ReturnType<typeof start>>;

const member = async ({ ask, auth }: Running, name: string) => {
  if (!(await auth.users.find(name))) await auth.users.create({ username: name, password });
  const { status, body } = await ask('POST', '/auth/login', {
    body: { identifier: name, password },
  });
  expect(status).toBe(200);
  return { token: body.accessToken as string, refresh: body.refreshToken as string };
};
const me = async ({ ask }: Running, token: string) => {
  const { status, body } = await ask('GET', '/me', { token });
  return status === 200 ? status : body.code;
};

describe('two instances with databases of their own', async () => {
  const lines: string[] = [];
  const write = (_fields: object, message: string) => void lines.push(message);
  const log = { debug: write, info: write, warn: write, error: write, fatal: write };
  // The same secret, issuer and audience: nothing but the database tells their tokens apart.
  const shared = { jwtIssuer: 'https://auth.example.com', sessionCacheTtl: 60 };
  const a = await start({
    ...shared,
    log,
    strategies: [robot],
    dialects: 'bezkoder',
    limits: 'on',
    basicAuth: 'on',
    signupRoles: ['user', 'moderator'],
  });
  const b = await start({ ...shared, limits: 'on' });

  it('do not share users, sessions and roles', async () => {
    await member(a, 'ada');
    expect(await b.auth.users.find('ada')).toBeNull();
    const login = { identifier: 'ada', password };
    expect((await b.ask('POST', '/auth/login', { body: login })).status).toBe(401);
    await member(b, 'ada');
    await a.auth.roles.create('gardener');
    expect(await b.auth.roles.list()).not.toContain('gardener');
    expect(await b.auth.sessions.endAll('ada')).toBe(1);
    expect(await a.auth.sessions.list('ada')).toHaveLength(1);
  });

  it('refuse the tokens of each other', async () => {
    const [one, two] = [await member(a, 'ada'), await member(b, 'ada')];
    expect([await me(a, one.token), await me(b, two.token)]).toEqual([200, 200]);
    expect([await me(a, two.token), await me(b, one.token)]).toEqual([
      'token_invalid',
      'token_invalid',
    ]);
    const refresh = (running: Running, refreshToken: string) =>
      running.ask('POST', '/auth/refresh', { body: { refreshToken } });
    const refused = await refresh(a, two.refresh);
    expect([refused.status, refused.body.reason]).toEqual([400, 'revoked']); // genuine, but of no session here
    expect((await refresh(b, two.refresh)).status).toBe(200);
    const kids = async ({ ask }: Running) =>
      (await ask('GET', '/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid);
    expect(await kids(a)).not.toEqual(await kids(b));
    await a.auth.keys.replace();
    expect([await me(a, one.token), await me(b, two.token)]).toEqual(['token_expired', 200]);
  });

  it('let in nobody whom the other one let in', async () => {
    const app = express();
    for (const [name, by] of [
      ['own', a],
      ['other', b],
    ] as const)
      for (const [path, guard] of Object.entries({
        role: by.auth.requireRole('user'),
        permission: by.auth.requirePermission('nothing:special'),
        access: by.auth.requireFullAccess(),
        fresh: by.auth.requireFresh(5),
        factors: by.auth.requireAal2(),
      }))
        app.get(`/${name}/${path}`, a.auth.authenticate(), guard, (_req, res) => res.send('open'));
    const server = app.use(a.auth.errorHandler).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { token } = await member(a, 'ada');
    const answers = async (name: string) => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;
      const headers = { authorization: `Bearer ${token}` };
      const paths = ['role', 'permission', 'access', 'fresh', 'factors'];
      return Promise.all(
        paths.map(async (path) => (await fetch(`${url}/${path}`, { headers })).status),
      );
    };
    expect(await answers('own')).toEqual([200, 403, 200, 200, 403]);
    expect(await answers('other')).toEqual([401, 401, 401, 401, 401]);
  });

  it('do not share what they remember', async () => {
    const [one, two] = [await member(a, 'ada'), await member(b, 'ada')];
    expect([await me(a, one.token), await me(b, two.token)]).toEqual([200, 200]);
    await a.auth.users.disable('ada');
    expect([await me(a, one.token), await me(b, two.token)]).toEqual(['user_disabled', 200]);
    await a.auth.users.enable('ada');
  });

  it('do not share events, logs and transactions', async () => {
    const heard: string[] = [];
    const stops = [a, b].map(({ auth }, i) =>
      auth.on('user.registered', () => heard.push('ab'[i]!)),
    );
    await b.auth.users.create({ username: 'ben', password });
    await a.auth.users.create({ username: 'ben', password });
    expect(heard).toEqual(['b', 'a']);
    lines.length = 0;
    await b.ask('GET', '/me');
    expect(lines).toEqual([]);
    await a.ask('GET', '/me');
    expect(lines).toEqual(['request']);

    const failed = a.auth.transaction(async () => {
      await a.auth.users.create({ username: 'cy', password });
      await b.auth.users.create({ username: 'cy', password });
      expect(heard).toEqual(['b', 'a', 'b']);
      throw new Error('undone');
    });
    await expect(failed).rejects.toThrow('undone');
    expect([await a.auth.users.find('cy'), (await b.auth.users.find('cy'))?.username]).toEqual([
      null,
      'cy',
    ]);
    expect(heard).toEqual(['b', 'a', 'b']);
    for (const stop of stops) stop();
    expect(a.auth.models.User).not.toBe(b.auth.models.User);
    expect(await a.auth.users.find('ada')).not.toBeInstanceOf(b.auth.models.User);
  });

  it('do not share strategies, their settings and compatibility adapters', async () => {
    const headers = { 'x-robot-key': 'open' };
    const robots = [a, b].map(async ({ ask }) => (await ask('GET', '/me', { headers })).status);
    expect(await Promise.all(robots)).toEqual([200, 401]);
    const basic = { authorization: `Basic ${btoa(`ada:${password}`)}` };
    const basics = [a, b].map(
      async ({ ask }) => (await ask('GET', '/me', { headers: basic })).status,
    );
    expect(await Promise.all(basics)).toEqual([200, 401]);
    const schemes = async ({ ask }: Running) =>
      Object.keys((await ask('GET', '/openapi.json')).body.components.securitySchemes);
    expect(await schemes(a)).toEqual(expect.arrayContaining(['basic', 'jwt', 'robot']));
    expect(await schemes(b)).toEqual(['jwt', 'service']);
    const body = { username: 'ada', password };
    const adapters = [a, b].map(
      async ({ ask }) => (await ask('POST', '/api/auth/signin', { body })).status,
    );
    expect(await Promise.all(adapters)).toEqual([200, 404]);
  });

  it('do not share limits', async () => {
    const statuses = async ({ ask }: Running, times: number) => {
      const body = { identifier: 'nobody', password };
      const seen = new Set<number>();
      for (let i = 0; i < times; i++) seen.add((await ask('POST', '/auth/login', { body })).status);
      return seen;
    };
    expect(await statuses(a, 40)).toContain(429);
    expect([...(await statuses(b, 1))]).toEqual([401]);
  });

  it('end one after the other', async () => {
    const { token } = await member(b, 'ben');
    await a.auth.close();
    expect((await a.ask('GET', '/readyz')).status).toBe(503);
    expect((await b.ask('GET', '/readyz')).status).toBe(200);
    expect(await me(b, token)).toBe(200);
    await member(b, 'dan');
  });
});

describe('two instances on one database', async () => {
  const databaseUrl = await emptyDatabase();
  const jwtIssuer = 'https://auth.example.com';
  const [a, b] = [await start({ databaseUrl, jwtIssuer }), await start({ databaseUrl, jwtIssuer })];
  const pairs = [
    [a, b],
    [b, a],
  ] as const;

  it('see at once what the other one wrote', async () => {
    await a.auth.roles.create('gardener');
    for (let round = 0; round < 5; round++)
      for (const [one, other] of pairs) {
        const name = `user${round}${one === a ? 'a' : 'b'}`;
        const { token } = await member(one, name);
        const roles = async () => (await other.ask('GET', '/me', { token })).body.roles;
        expect(await roles()).toEqual(['user']);
        await one.auth.roles.grant(name, 'gardener');
        expect(await roles()).toEqual(['gardener', 'user']);
        await one.auth.roles.revoke(name, 'gardener');
        expect(await roles()).toEqual(['user']);
        const [session] = await one.auth.sessions.list(name);
        await one.auth.sessions.end(session!.id);
        expect(await me(other, token)).toBe('session_ended');
        const again = await member(one, name);
        expect(await me(other, again.token)).toBe(200);
        await one.auth.users.disable(name);
        expect(await me(other, again.token)).toBe('user_disabled');
      }
  });

  it('write at the same time', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `writer${i}`);
    const registered = names.map((username, i) =>
      [a, b][i % 2]!.ask('POST', '/auth/register', { body: { username, password } }),
    );
    expect(new Set((await Promise.all(registered)).map(({ status }) => status))).toEqual(
      new Set([201]),
    );
    const same = await Promise.all(
      [a, b].map(({ ask }) =>
        ask('POST', '/auth/register', { body: { username: 'only-one', password } }),
      ),
    );
    expect(statusesOf(same)).toEqual([201, 409]);
  });

  it('use the same keys, and a new one when the other made it', async () => {
    const before = await member(a, 'key-holder');
    expect(await me(b, before.token)).toBe(200);
    await a.auth.keys.replace();
    const after = await member(a, 'key-holder');
    expect(await me(b, after.token)).toBe(200);
  });

  it('end one after the other', async () => {
    const { token } = await member(a, 'last');
    await a.auth.close();
    expect(await me(b, token)).toBe(200);
    await b.auth.users.create({ username: 'later', password });
  });
});
