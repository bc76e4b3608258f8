import { constants, generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { signingKey } from '#src/keys/keyring';
import { tendKeys } from '#src/keys/rotation';
import { startApp } from '#test/support/app';
import {
  ecdsa,
  forge,
  hmac,
  publicKeyAsSecret,
  read,
  rsa,
  thumbprint,
  unsigned,
} from '#test/support/forge';
import { node } from '#test/support/node';
import { askPyJwt, hasPyJwt } from '#test/support/other-services';

const { ctx, ask, env, register, logIn, SigningKey, url } = await startApp({ JWT_ALG: 'RS256' });
const ada = await register();
const { header, claims, segments } = read(ada.token);
const { verifyWith, signWith } = signingKey(ctx);
const genuine = rsa(signWith);

async function expectRefused(token: string) {
  const { status, body } = await ask('GET', '/me', { token });
  expect([status, body.code]).toEqual([401, 'token_invalid']);
}

it('signs in and lets in with RS256', async () => {
  expect((await ada.ask('GET', '/me')).status).toBe(200);
  const { body } = await logIn(ada.username);
  expect(read(body.accessToken).header).toEqual({
    alg: 'RS256',
    typ: 'at+jwt',
    kid: thumbprint(verifyWith.export({ format: 'jwk' })),
  });
  expect((await ask('GET', '/me', { token: body.accessToken })).body.id).toBe(ada.id);
  expect((await ask('GET', '/me', { token: forge(header, claims, genuine) })).status).toBe(200);
});

it('has one key of 3072 bits, sealed', async () => {
  expect(verifyWith.asymmetricKeyDetails).toMatchObject({
    modulusLength: 3072,
    publicExponent: 65_537n,
  });
  const rows = await SigningKey.findAll();
  expect(rows.map(({ algorithm, sequence, kid }) => ({ algorithm, sequence, kid }))).toEqual([
    { algorithm: 'RS256', sequence: 0, kid: signingKey(ctx).kid },
  ]);
  expect(JSON.stringify(rows)).not.toMatch(/BEGIN|PRIVATE/);
});

it.each([
  ...publicKeyAsSecret(verifyWith),
  ['its PKCS#1 PEM', verifyWith.export({ format: 'pem', type: 'pkcs1' })] as [string, string],
  ['its PKCS#1 DER', verifyWith.export({ format: 'der', type: 'pkcs1' })] as [string, Buffer],
])(
  'refuses a token whose MAC has our public key for a secret: %s (J-07)',
  async (_shape, secret) => {
    await expectRefused(forge({ ...header, alg: 'HS256' }, claims, hmac(secret)));
    await expectRefused(forge({ ...header, alg: 'HS384' }, claims, hmac(secret, 'sha384')));
    await expectRefused(forge({ ...header, alg: 'HS512' }, claims, hmac(secret, 'sha512')));
    await expectRefused(forge(header, claims, hmac(secret)));
    await expectRefused(forge({ ...header, alg: 'HS256', kid: undefined }, claims, hmac(secret)));
  },
);

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
it.each([
  ['RS384', rsa(signWith, 'sha384')],
  ['RS512', rsa(signWith, 'sha512')],
  ['PS256', rsa(signWith, 'sha256', pss)],
  ['ES256', genuine],
  ['rs256', genuine],
  ['none', unsigned],
  ['none', genuine],
])('refuses another algorithm, although our own key signed: %s (J-07)', async (alg, signer) => {
  await expectRefused(forge({ ...header, alg }, claims, signer));
});

it.each([
  ['RS384', rsa(signWith, 'sha384')],
  ['PS256', rsa(signWith, 'sha256', pss)],
])('refuses a signature of the kind %s under the name RS256 (J-07)', async (_kind, signer) => {
  await expectRefused(forge(header, claims, signer));
});

it('refuses foreign keys of either kind (J-31)', async () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('rsa', { modulusLength: 3072 });
  await expectRefused(forge(header, claims, rsa(other.privateKey)));
  await expectRefused(
    forge(
      { ...header, jwk: other.publicKey.export({ format: 'jwk' }) },
      claims,
      rsa(other.privateKey),
    ),
  );
  await expectRefused(forge({ ...header, alg: 'ES256' }, claims, ecdsa(ec.privateKey)));
  await expectRefused(forge(header, claims, ecdsa(ec.privateKey)));
});

it('refuses a signature that is empty, zero, one or the modulus (J-04, J-39)', async () => {
  const modulus = Buffer.from(verifyWith.export({ format: 'jwk' }).n!, 'base64url');
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(384),
    Buffer.concat([Buffer.alloc(383), Buffer.from([1])]),
    modulus,
  ])
    await expectRefused(`${segments[0]}.${segments[1]}.${bytes.toString('base64url')}`);
});

it('has no spelling of a signature but one: 384 bytes are 512 letters', async () => {
  const last = ada.token.at(-1);
  for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    expect((await ask('GET', '/me', { token: ada.token.slice(0, -1) + char })).status).toBe(
      char === last ? 200 : 401,
    );
});

it('shows its public key to anybody: these members and no other', async () => {
  const n = expect.stringMatching(/^[\w-]{512}$/);
  const shown = await ask('GET', '/.well-known/jwks.json');
  expect(shown.body).toStrictEqual({
    keys: [{ kty: 'RSA', n, e: 'AQAB', kid: signingKey(ctx).kid, alg: 'RS256', use: 'sig' }],
  });
});

it('signs what other services take with the keys they fetch, and shows the keys of a former algorithm beside its own', async () => {
  const former = await node({ ...env, JWT_ALG: 'ES256' });
  await tendKeys(former.ctx);
  await tendKeys(ctx);
  const jwks = `${url}/.well-known/jwks.json`;
  expect((await ask('GET', '/.well-known/jwks.json')).body.keys).toHaveLength(2);
  const [issuer, audience] = [String(claims['iss']), String(claims['aud'])];
  const foreign = forge(
    header,
    claims,
    rsa(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
  );
  const { kid, signWith: formerKey } = signingKey(former.ctx);
  const elliptic = forge({ ...header, alg: 'ES256', kid }, claims, ecdsa(formerKey));
  const confused = forge({ ...header, kid }, claims, genuine);
  const tokens = [ada.token, elliptic, foreign, confused];
  const set = createRemoteJWKSet(new URL(jwks));
  const jose = tokens.map((token) =>
    jwtVerify(token, set, { issuer, audience, typ: 'at+jwt' }).then(
      ({ payload }) => payload.sub,
      (error: { code: string }) => error.code,
    ),
  );
  expect(await Promise.all(jose)).toEqual([
    ada.id,
    ada.id,
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'ERR_JWKS_NO_MATCHING_KEY',
  ]);
  if (!hasPyJwt) return;
  const python = await askPyJwt({ jwks, issuer, audience, tokens });
  expect(python.slice(0, 3)).toEqual([ada.id, ada.id, 'InvalidSignatureError']);
  expect(python[3]).toMatch(/Error$/);
});
