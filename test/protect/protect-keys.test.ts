import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { ecdsa, forge, read } from '#test/support/forge';
import { asking, listening, secondService } from '#test/support/second-service';

const app = await startApp();
const { ctx, register } = app;
app.startSealing();
const JWKS = '/.well-known/jwks.json';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
const me = await register();
const { header, claims } = read(me.token);
/** A token of ours in every claim, under a key of an attacker. */
const forged = (more: object) =>
  forge({ ...header, ...more }, { ...claims, jti: randomUUID() }, ecdsa(privateKey));

describe('a forged token', () => {
  it('finds no key by what its header says (Q-08)', async () => {
    const asked: string[] = [];
    const theirs = await listening((req, res) => {
      asked.push(req.url!);
      res.end(JSON.stringify({ keys: [{ ...jwk, kid: header['kid'] }] }));
    });
    const service = await secondService(app);
    const headers: object[] = [
      {},
      { jku: `${theirs}/jwks.json` },
      { x5u: `${theirs}/x.pem` },
      { jwk },
      { kid: `${theirs}/jwks.json`, jku: `${theirs}/jwks.json` },
      { kid: '../../../dev/null' },
      { alg: 'none' },
      { alg: 'HS256' },
      { typ: 'JWT' },
      { crit: ['exp'] },
    ];
    for (const more of headers) {
      const { status, body } = await service.ask('/who', forged(more));
      expect([status, body.code], JSON.stringify(more)).toEqual([401, 'token_invalid']);
    }
    expect(asked).toEqual([]);
    expect(service.proxy.count(JWKS)).toBe(1);
    expect(service.proxy.count('/oauth/introspect')).toBe(0);
  });

  it('with a key id that nobody knows makes it look once a minute (Q-08)', async () => {
    const service = await secondService(app);
    const storm = Array.from({ length: 200 }, () => forged({ kid: randomUUID() }));
    await Promise.all(storm.map((token) => service.ask('/who', token)));
    expect((await service.ask('/who', me.token)).status).toBe(200);
    await Promise.all(storm.map((token) => service.ask('/who', token)));
    expect(service.proxy.count(JWKS)).toBe(1);
  });
});

it('takes the tokens of its own issuer only, letter by letter (Q-08)', async () => {
  const other = await startApp({ JWT_ISSUER: 'https://other.example' });
  const foreign = await other.register();
  const service = await secondService(app);
  expect((await service.ask('/who', foreign.token)).body.code).toBe('token_invalid');
  const issuer = ctx.settings.jwtIssuer;
  for (const wrong of [`${issuer}/`, issuer.toUpperCase(), issuer.replace('http', 'https')]) {
    const stricter = await secondService(app, { issuer: wrong });
    expect((await stricter.ask('/who', me.token)).body.code, wrong).toBe('token_invalid');
  }
  const audience = await secondService(app, { audience: 'another' });
  expect((await audience.ask('/who', me.token)).body.code).toBe('token_invalid');
});

it('of two auth servers each lets in its own (Q-08)', async () => {
  const other = await startApp({ JWT_ISSUER: 'https://other.example' });
  other.startSealing();
  const foreign = await other.register();
  const [here, there] = [await secondService(app), await secondService(other)];
  for (const [service, own, not] of [
    [here, me.token, foreign.token],
    [there, foreign.token, me.token],
  ] as const) {
    expect((await service.ask('/who', own)).status).toBe(200);
    expect((await service.ask('/who', not)).status).toBe(401);
  }
});

it.each<[name: string, keys: unknown]>([
  ['a shared secret', { keys: [{ kty: 'oct', k: 'c2VjcmV0', alg: 'HS256', use: 'sig' }] }],
  ['a key of another curve', { keys: [{ ...jwk, crv: 'P-384' }] }],
  ['a key for another use', { keys: [{ ...jwk, use: 'enc' }] }],
  ['a key for another algorithm', { keys: [{ ...jwk, alg: 'RS256' }] }],
  ['what is no key', { keys: [null, 1, 'x', {}, { kid: 1 }] }],
])('takes no token under %s (Q-08)', async (_name, keys) => {
  const service = await secondService(app);
  const named = {
    keys: (keys as { keys: object[] }).keys.map((each) => each && { kid: 'x', ...each }),
  };
  service.proxy.fault(JWKS, async () => ({
    status: 200,
    headers: {},
    body: JSON.stringify(named),
  }));
  expect((await service.ask('/who', forged({ kid: 'x' }))).body.code).toBe('token_invalid');
});

it.each<[name: string, body: string]>([
  ['nothing', ''],
  ['no list', '{"keys":{}}'],
  ['an answer without end', `{"keys":["${'x'.repeat(2_000_000)}"]}`],
])('answers 503 while the keys are %s (Q-08)', async (_name, body) => {
  const service = await secondService(app);
  service.proxy.fault(JWKS, async () => ({ status: 200, headers: {}, body }));
  expect((await service.ask('/who', me.token)).status).toBe(503);
});

it('refuses two Authorization headers, as the server does', async () => {
  const service = await secondService(app);
  const bare = await listening(
    createServer((req, res) => {
      void service.verify(req).then(({ problem }) => res.end(JSON.stringify(problem?.body ?? {})));
    }).listeners('request')[0] as Parameters<typeof listening>[0],
  );
  expect((await asking(bare)('/', me.token)).body).toEqual({});
  const twice = { headers: {}, rawHeaders: ['Authorization', 'x', 'authorization', 'y'] };
  const { problem } = await service.verify(twice);
  expect([problem?.status, problem?.body.errors?.[0]?.code]).toEqual([400, 'two_credentials']);
});
