import { createHash, generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { keyOf, signingKey } from '#src/keys/keyring';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp, testSecret } from '#test/support/app';
import { ecdsa, forge, hmac, read, rsa, unsigned } from '#test/support/forge';

const JWT_SECRET = testSecret();
const { ctx, ask, register, logIn, SigningKey } = await startApp({ JWT_ALG: 'HS256', JWT_SECRET });
const ada = await register();
const { header, claims } = read(ada.token);

async function expectRefused(token: string) {
  const { status, body } = await ask('GET', '/me', { token });
  expect([status, body.code]).toEqual([401, 'token_invalid']);
}

it('signs in and lets in with HS256, and keeps no key in the database', async () => {
  expect((await ada.ask('GET', '/me')).status).toBe(200);
  const { body } = await logIn(ada.username);
  expect(read(body.accessToken).header).toEqual({
    alg: 'HS256',
    typ: 'at+jwt',
    kid: signingKey(ctx).kid,
  });
  expect((await ask('GET', '/me', { token: forge(header, claims, hmac(JWT_SECRET)) })).status).toBe(
    200,
  );
  expect(await SigningKey.count()).toBe(0);
});

it.each([
  ['of the key id', hmac(String(header['kid']))],
  ['that is empty', hmac('')],
  ['that is one NUL byte', hmac('\0')],
  ['that is the secret decoded', hmac(Buffer.from(JWT_SECRET, 'base64url'))],
  ['that is the secret and a line feed', hmac(`${JWT_SECRET}\n`)],
  ['that is a part of the secret', hmac(JWT_SECRET.slice(0, 32))],
  ['that everybody uses', hmac('secret')],
])('refuses a MAC under a secret %s (J-13, J-31)', async (_which, signer) => {
  await expectRefused(forge(header, claims, signer));
  await expectRefused(forge({ ...header, kid: undefined }, claims, signer));
});

it.each([
  ['HS384', hmac(JWT_SECRET, 'sha384')],
  ['HS512', hmac(JWT_SECRET, 'sha512')],
  ['hs256', hmac(JWT_SECRET)],
  ['none', unsigned],
  ['none', hmac(JWT_SECRET)],
  ['ES256', hmac(JWT_SECRET)],
  ['RS256', hmac(JWT_SECRET)],
])('refuses another algorithm under the right secret: %s (J-07)', async (alg, signer) => {
  await expectRefused(forge({ ...header, alg }, claims, signer));
});

it.each([
  ['ES256', ecdsa(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
  ['RS256', rsa(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)],
])(
  'refuses a token that somebody signed with a key of their own: %s (J-07, J-31)',
  async (alg, signer) => {
    for (const named of [{ alg }, { alg, kid: undefined }, { alg: 'HS256' }])
      await expectRefused(forge({ ...header, ...named }, claims, signer));
  },
);

it('refuses an empty MAC, and one of zeros (J-04)', async () => {
  await expectRefused(forge(header, claims, unsigned));
  await expectRefused(forge(header, claims, () => Buffer.alloc(32)));
});

it('tells nothing of the secret by the key id', () => {
  const { kid } = signingKey(ctx);
  expect(kid).toMatch(/^[\w-]{43}$/);
  for (const hash of ['sha256', 'sha512', 'sha1'])
    expect(createHash(hash).update(JWT_SECRET).digest('base64url')).not.toContain(kid);
  expect(kid).not.toContain(JWT_SECRET.slice(0, 8));
  expect(keyOf(ctx, kid)).toBe(signingKey(ctx));
});

it('has no spelling of a MAC but one', async () => {
  const last = ada.token.at(-1);
  for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    expect((await ask('GET', '/me', { token: ada.token.slice(0, -1) + char })).status, char).toBe(
      char === last ? 200 : 401,
    );
});

it('shows no key to other services: there is none that they may know', async () => {
  const { status, body, headers } = await ask('GET', '/.well-known/jwks.json');
  expect([status, body, headers.get('cache-control')]).toEqual([
    200,
    { keys: [] },
    'public, max-age=300',
  ]);
});

it('has nothing to rotate: the key is a setting', async () => {
  await expect(rotateKeys(ctx)).rejects.toThrow(
    'With JWT_ALG=HS256 the key is JWT_SECRET: set another one.',
  );
  await expect(replaceKeys(ctx)).rejects.toThrow('JWT_SECRET');
  await tendKeys(ctx);
  expect(await SigningKey.count()).toBe(0);
  expect((await ada.ask('GET', '/me')).status).toBe(200);
});
