import { generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { keyOf, signingKey } from '#src/keys/keyring';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { ecdsa, forge, hmac, read, unsigned } from '#test/support/forge';
import { askPyJwt, hasPyJwt } from '#test/support/other-services';

const issuer = 'https://auth.example.com';
const audience = 'orders';
const { ctx, register, SigningKey, url } = await startApp({
  PUBLIC_URL: issuer,
  JWT_AUDIENCE: audience,
});
if (!hasPyJwt && engine === 'sqlite')
  console.warn(
    '\n!!! PyJWT is not on this machine, so no token is checked with it. Install python3-jwt and python3-cryptography.\n',
  );
const jwks = `${url}/.well-known/jwks.json`;

/**
 * Another service that checks tokens by itself. It caches our keys for as long as we say, and looks again for a key that
 * it does not know.
 */
function otherService(address = jwks, cooldownDuration = 0) {
  let fetched = 0;
  const counting = (input: string, init: RequestInit) =>
    fetch(input, init).finally(() => fetched++);
  const set = createRemoteJWKSet(new URL(address), {
    cooldownDuration,
    cacheMaxAge: 300_000,
    [customFetch]: counting,
  });
  const takes = async (token: string): Promise<string> => {
    const options = {
      issuer,
      audience,
      typ: 'at+jwt',
      algorithms: ['ES256', 'RS256'],
      currentDate: new Date(),
    };
    return jwtVerify(token, set, options).then(
      ({ payload }) => payload.sub!,
      (error: Error & { code?: string }) => error.code ?? error.message,
    );
  };
  return { takes, fetched: () => fetched };
}

/** Tokens that no service may take, with what differs from a real one. */
function forgeries(token: string): Record<string, string> {
  const { header, claims, segments } = read(token);
  const { signWith, verifyWith } = signingKey(ctx);
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const genuine = ecdsa(signWith);
  return {
    'another key': forge(header, claims, ecdsa(own.privateKey)),
    'another key that it brings along': forge(
      { ...header, jwk: own.publicKey.export({ format: 'jwk' }) },
      claims,
      ecdsa(own.privateKey),
    ),
    'a key id of nobody': forge({ ...header, kid: 'A'.repeat(43) }, claims, genuine),
    'no signature': forge({ ...header, alg: 'none' }, claims, unsigned),
    'the public key as a secret': forge(
      { ...header, alg: 'HS256' },
      claims,
      hmac(verifyWith.export({ format: 'pem', type: 'spki' })),
    ),
    'another user': `${segments[0]}.${Buffer.from(JSON.stringify({ ...claims, sub: 'eve' })).toString('base64url')}.${segments[2]}`,
    'another issuer': forge(header, { ...claims, iss: 'https://evil.example' }, genuine),
    'another audience': forge(header, { ...claims, aud: 'sallyport' }, genuine),
    'another type': forge({ ...header, typ: 'JWT' }, claims, genuine),
    expired: forge(header, { ...claims, exp: Math.floor(Date.now() / 1000) - 1 }, genuine),
  };
}

beforeEach(async () => {
  await SigningKey.destroy({ where: {} });
  await tendKeys(ctx);
});
afterEach(() => void vi.useRealTimers());
async function rotate(): Promise<string> {
  const { row } = await rotateKeys(ctx);
  await tendKeys(ctx);
  return row.kid;
}
const kidOf = (token: string) => read(token).header['kid'];

describe('jose', () => {
  it('refuses what is forged', async () => {
    const ada = await register();
    const { takes } = otherService();
    for (const [name, token] of Object.entries(forgeries(ada.token)))
      expect(await takes(token), name).toMatch(/^ERR_/);
    expect(await takes(ada.token)).toBe(ada.id);
  });

  it('takes every token before, during and after a rotation, and none of a key that has gone', async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    const { takes } = otherService();
    const before = await register();
    expect(await takes(before.token)).toBe(before.id);

    const second = await rotate();
    const during = await register();
    expect(await takes(during.token)).toBe(during.id);

    vi.setSystemTime(start + 301_000);
    const after = await register();
    expect(kidOf(after.token)).toBe(second);
    for (const { id, token } of [before, during, after]) expect(await takes(token)).toBe(id);

    vi.setSystemTime(start + 24 * 3600_000);
    await tendKeys(ctx);
    const { header, claims } = read(before.token);
    const newest = await register();
    expect(await takes(newest.token)).toBe(newest.id);
    expect(
      await takes(
        forge(
          header,
          { ...claims, exp: Math.floor(Date.now() / 1000) + 60 },
          ecdsa(signingKey(ctx).signWith),
        ),
      ),
    ).toBe('ERR_JWKS_NO_MATCHING_KEY');
  });

  it('needs no second look at a key that it was shown while it waited', async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    const second = await rotate();
    vi.setSystemTime(start + 1000);
    const { takes, fetched } = otherService(jwks, 30_000);
    const before = await register();
    expect(await takes(before.token)).toBe(before.id);
    vi.setSystemTime(start + 300_500);
    const after = await register();
    expect(kidOf(after.token)).toBe(second);
    expect(await takes(after.token)).toBe(after.id);
    expect(fetched()).toBe(1);
  });

  it('looks again after keys were replaced, and takes the new tokens at once', async () => {
    const { takes, fetched } = otherService();
    const before = await register();
    expect(await takes(before.token)).toBe(before.id);
    await replaceKeys(ctx);
    await tendKeys(ctx);
    const after = await register();
    expect(await takes(after.token)).toBe(after.id);
    expect(await takes(before.token)).toBe('ERR_JWKS_NO_MATCHING_KEY');
    expect(fetched()).toBeGreaterThan(1);
  });
});

describe.skipIf(!hasPyJwt)('PyJWT', () => {
  it('takes tokens of a key that retires and of the one that signs, and refuses what is forged', async () => {
    const before = await register();
    const second = await rotate();
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + 300_000);
    const after = await register();
    vi.useRealTimers();
    const { header, claims } = read(after.token);
    expect(header['kid']).toBe(second);
    // It minds the clock of its own process: the same token, issued now.
    const iat = Math.floor(Date.now() / 1000);
    const now = forge(
      header,
      { ...claims, iat, exp: iat + 600 },
      ecdsa(keyOf(ctx, second)!.signWith),
    );
    const bad = forgeries(before.token);
    const answers = await askPyJwt({
      jwks,
      issuer,
      audience,
      tokens: [before.token, now, ...Object.values(bad)],
    });
    expect(answers.slice(0, 2)).toEqual([before.id, after.id]);
    expect(answers).toHaveLength(2 + Object.keys(bad).length);
    for (const answer of answers.slice(2)) expect(answer).toMatch(/Error$/);
  });
});
