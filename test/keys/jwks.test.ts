import { createPublicKey } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { publicKeys, signingKey } from '#src/keys/keyring';
import { rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { ecdsa, forge, read, thumbprint } from '#test/support/forge';
import { statementsOf } from '#test/support/statements';

const PATH = '/.well-known/jwks.json';
const origin = 'https://app.example.com';
const direct = await emptyDatabase();
const proxy = engine === 'mysql' ? await chaosProxy(Number(new URL(direct).port)) : undefined;
afterAll(() => proxy?.close());
const DATABASE_URL = proxy ? direct.replace(/:\d+\//, `:${proxy.port}/`) : direct;
// The server does nothing of its own accord: all its statements are counted.
vi.useFakeTimers({ toFake: ['setInterval'] });
const { ctx, ask, register, SigningKey, url } = await startApp({
  DATABASE_URL,
  ALLOWED_ORIGINS: origin,
});
vi.useRealTimers();

beforeEach(async () => {
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
});

it('shows one ES256 key to anybody: these members and no other, nothing private', async () => {
  const { status, headers, body, text } = await ask('GET', PATH);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('public, max-age=300');
  const coordinate = expect.stringMatching(/^[\w-]{43}$/);
  const { kid } = signingKey(ctx);
  expect(body).toStrictEqual({
    keys: [
      { kty: 'EC', crv: 'P-256', x: coordinate, y: coordinate, kid, alg: 'ES256', use: 'sig' },
    ],
  });
  expect(body.keys[0].kid).toBe(thumbprint(body.keys[0]));
  expect(publicKeys(ctx)).toStrictEqual(body.keys);
  expect(text).not.toContain(signingKey(ctx).signWith.export({ format: 'jwk' }).d);
});

it('shows the public half of what signs', async () => {
  const [jwk] = (await ask('GET', PATH)).body.keys;
  expect(
    createPublicKey({ key: jwk, format: 'jwk' }).equals(createPublicKey(signingKey(ctx).signWith)),
  ).toBe(true);
  expect(read((await register()).token).header['kid']).toBe(jwk.kid);
});

it('shows a key that waits beside the one that signs, oldest first', async () => {
  const { row } = await rotateKeys(ctx);
  await tendKeys(ctx);
  const { body } = await ask('GET', PATH);
  expect(body.keys).toMatchObject([{ kid: signingKey(ctx).kid }, { kid: row.kid }]);
  for (const jwk of body.keys)
    expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

it('asks the database nothing', async () => {
  const statements = statementsOf(SigningKey.sequelize, () => true);
  for (const method of ['GET', 'HEAD', 'OPTIONS']) await ask(method, PATH, { headers: { origin } });
  for (let i = 0; i < 20; i++) expect((await ask('GET', PATH)).status).toBe(200);
  expect(statements).toEqual([]);
});

it('answers HEAD as GET, without the body', async () => {
  const [get, head] = [await ask('GET', PATH), await ask('HEAD', PATH)];
  expect([head.status, head.text]).toEqual([200, '']);
  for (const name of ['content-type', 'content-length', 'cache-control'])
    expect(head.headers.get(name)).toBe(get.headers.get(name));
});

it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('refuses %s', async (method) => {
  const { status, headers } = await ask(method, PATH, { body: {} });
  expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('asks for no token and minds none, good or bad', async () => {
  const { token } = await register();
  const plain = await ask('GET', PATH);
  for (const header of [`Bearer ${token}`, 'Bearer nonsense', 'Basic eDp5'])
    expect((await ask('GET', PATH, { headers: { authorization: header } })).text).toBe(plain.text);
});

it('may be read by the pages that may read the rest, and by no others', async () => {
  const allowed = async (from: string) =>
    (await ask('GET', PATH, { headers: { origin: from } })).headers.get(
      'access-control-allow-origin',
    );
  expect(await allowed(origin)).toBe(origin);
  expect(await allowed('https://evil.example')).toBeNull();
  const { status, headers } = await ask('OPTIONS', PATH, {
    headers: { origin, 'access-control-request-method': 'GET' },
  });
  expect([status, headers.get('access-control-allow-origin')]).toEqual([204, origin]);
  expect((await ask('GET', PATH)).headers.get('vary')).toContain('Origin');
});

it('stands in the API description, open to all', async () => {
  const { body } = await ask('GET', '/openapi.json');
  const { get, ...others } = body.paths[PATH];
  expect(Object.keys(others)).toEqual([]);
  expect(get.security ?? []).toEqual([]);
  expect(get.responses['200'].content['application/json'].schema).toEqual({
    $ref: '#/components/schemas/JwkSet',
  });
  const { Jwk, JwkSet } = body.components.schemas;
  expect(JwkSet.properties.keys.items).toEqual({ $ref: '#/components/schemas/Jwk' });
  expect(Object.keys(Jwk.properties).sort()).toEqual([
    'alg',
    'crv',
    'e',
    'kid',
    'kty',
    'n',
    'use',
    'x',
    'y',
  ]);
});

it('changes by the clock alone: what has gone is not shown, though nobody looked at the table', async () => {
  const start = Date.now();
  const { row } = await rotateKeys(ctx);
  await tendKeys(ctx);
  const statements = statementsOf(SigningKey.sequelize, () => true);
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    vi.setSystemTime(start + 24 * 3600_000);
    expect((await ask('GET', PATH)).body.keys).toMatchObject([{ kid: row.kid }]);
  } finally {
    vi.useRealTimers();
  }
  expect(statements).toEqual([]);
});

it.runIf(engine === 'sqlite')(
  'is answered while another process has the database for itself',
  async () => {
    const other = new DatabaseSync(direct.slice('sqlite:'.length));
    other.exec('BEGIN EXCLUSIVE');
    const { status, body } = await ask('GET', PATH);
    other.exec('ROLLBACK');
    other.close();
    expect([status, body.keys.length]).toEqual([200, 1]);
  },
);

it.runIf(engine === 'mysql').each(['refuse', 'hold'] as const)(
  'is answered while the database is unavailable: %s',
  async (mode) => {
    const { token } = await register();
    const { claims, header } = read(token);
    const stranger = forge(
      { ...header, kid: 'A'.repeat(43) },
      claims,
      ecdsa(signingKey(ctx).signWith),
    );
    proxy!.set(mode);
    for (let i = 0; i < 5; i++) expect((await ask('GET', PATH)).body.keys).toHaveLength(1);
    // Whether a key that is not known is a key of ours, nobody can say now.
    if (mode === 'refuse')
      expect((await ask('GET', '/me', { token: stranger })).body.code).toBe('unavailable');
    proxy!.set('pass');
    await eventually(async () =>
      expect(
        (await fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } })).status,
      ).toBe(200),
    );
  },
);
