import { generateKeyPairSync } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { describe, expect, it, vi } from 'vitest';
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
const { ask, ctx, register } = await startApp({
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
