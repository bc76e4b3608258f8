import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { configurationFrom } from '#src/configuration';
import { openInstance } from '#src/instance';
import { startApp } from '#test/support/app';
import { folderOf } from '#test/support/strategy-folder';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
/** Accepts tokens of another issuer. `opaque` stands for a service with tokens of another form. */
const file = `import { Strategy, ExtractJwt } from 'passport-jwt';
export default {
  name: 'zz-foreign', kind: 'bearer', summary: 'Another issuer', scheme: { type: 'http', scheme: 'bearer' },
  create: ({ resolveUser }) => new Strategy({
    jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), issuer: 'https://idp.test', audience: 'api', algorithms: ['RS256'],
    secretOrKeyProvider: (req, token, done) => req.headers['x-keys'] === 'away'
      ? done(Object.assign(new Error('Http Error 503'), { name: 'JwksError' })) : done(null, ${JSON.stringify(pem)}),
  }, (claims, done) => resolveUser({ subject: claims.sub }).then((user) => done(null, user), done)) };`;
const opaque = `export default {
  name: 'zz-opaque', kind: 'bearer', summary: 'Tokens of any form', scheme: { type: 'http', scheme: 'bearer' },
  create: ({ resolveUser }) => ({ authenticate(req) {
    if (req.headers.authorization !== 'Bearer opaque|token:1') return this.fail();
    resolveUser({ subject: 'opaque' }).then((user) => this.success(user), (error) => this.error(error)); } }) };`;
/** Whom it was asked about. Its name stands before all others. */
const curious = `import { Problem } from 'sallyport/strategy';
export default {
  name: 'aa-curious', kind: 'bearer', summary: 'Asks somebody else', scheme: { type: 'http', scheme: 'bearer' },
  create: () => ({ authenticate(req) {
    const { authorization } = req.headers;
    (globalThis.curiousAbout ??= []).push(authorization);
    this.fail(new Problem('token_invalid')); } }) };`;
const { ask, ctx, env, register } = await startApp({
  STRATEGIES_DIR: folderOf({ 'zz-foreign.js': file, 'zz-opaque.js': opaque }),
});
const foreign = (more: object = {}, claims: object = {}) =>
  jwt.sign({ sub: 'fay', ...claims }, privateKey, {
    algorithm: 'RS256',
    issuer: 'https://idp.test',
    audience: 'api',
    ...more,
  });
const me = (token: string, headers = {}) =>
  ask('GET', '/me', { headers: { authorization: `Bearer ${token}`, ...headers } });

describe('a token of our own, where the file of another strategy stands before jwt', async () => {
  const dir = folderOf({ 'aa-curious.js': curious, 'zz-opaque.js': opaque });
  const configuration = await configurationFrom({ ...env, STRATEGIES_DIR: dir });
  configuration.strategies.files.sort((one, other) =>
    one.strategy.name < other.strategy.name ? -1 : 1,
  ); // as they stand in one folder, strategies/
  const instance = await openInstance(configuration);
  const server = instance.auth.createServer(instance.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(async () => {
    server.close();
    await instance.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/me`;
  const ask = async (token: string) => {
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it('is shown to no other strategy while it is good', async () => {
    const asked: string[] = [];
    Object.assign(globalThis, { curiousAbout: asked });
    const { token } = await register();
    expect((await ask(token)).status).toBe(200);
    expect(asked).toEqual([]);
    expect((await ask('opaque|token:1')).status).toBe(200);
    expect(asked).toEqual(['Bearer opaque|token:1']);
  });

  it('tells to refresh when it has run out, whatever the other strategy says of it', async () => {
    const { token } = await register();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    const { status, body } = await ask(token);
    vi.useRealTimers();
    expect([status, body['code'], body['action']]).toEqual([401, 'token_expired', 'refresh']);
  });
});

describe('a bearer token of another issuer', () => {
  it('is left to the next strategy, however long it is and whatever form it has', async () => {
    expect((await me(foreign())).status).toBe(200);
    const long = foreign({}, { groups: 'g'.repeat(5000) });
    expect(long.length).toBeGreaterThan(4096);
    expect((await me(long)).status).toBe(200);
    expect((await me('opaque|token:1')).status).toBe(200);
    expect((await me('nobody|knows:it')).body.code).toBe('token_invalid');
  });

  it('waits for a key server that is away: it is not invalid', async () => {
    const { status, body } = await me(foreign(), { 'x-keys': 'away' });
    expect([status, body.code]).toEqual([503, 'unavailable']);
    expect((await (await register()).ask('GET', '/me')).status).toBe(200);
  });

  it('is refused with its reason in the log, at debug, and without the token', async () => {
    const written = vi.spyOn(ctx.log, 'debug');
    const token = foreign({ audience: 'another-api' });
    expect((await me(token)).status).toBe(401);
    const lines = JSON.stringify(
      written.mock.calls.map(([fields]) => ({
        ...fields,
        err: String((fields as { err: unknown }).err),
      })),
    );
    written.mockRestore();
    expect(lines).toContain('jwt audience invalid. expected: api');
    expect(lines).toContain('iss https://idp.test, aud another-api');
    for (const part of token.split('.')) expect(lines).not.toContain(part);
  });

  it.each(['undefined', 'null', ' ', '[object Object]', 'NaN', '0', 'a\u0000b', 'x'.repeat(600)])(
    'makes no user of the subject %j, and is refused like any other',
    async (sub) => {
      const { status, body } = await me(foreign({}, { sub }));
      expect([status, body.code]).toEqual([401, 'token_invalid']);
    },
  );
});
