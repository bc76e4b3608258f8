import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { signingKey } from '#src/keys/keyring';
import { startApp, testSecret } from '#test/support/app';
import { setTime } from '#test/support/clock';
import { ecdsa, forge, hmac, read, rsa } from '#test/support/forge';

// Whoever had a signing key for a moment can sign any times. These name a live session.
describe.each(['ES256', 'RS256', 'HS256'])('A token signed with our own %s key', async (alg) => {
  const secret = testSecret();
  const { ctx, auth, ask, register, Session } = await startApp({
    JWT_ALG: alg,
    ...(alg === 'HS256' && { JWT_SECRET: secret }),
  });
  const { signWith } = signingKey(ctx);
  const signer = { ES256: ecdsa(signWith), RS256: rsa(signWith), HS256: hmac(secret) }[alg]!;
  const ada = await register();
  const { header, claims } = read(ada.token);
  const now = Math.floor(ctx.clock.now() / 1000);
  const signed = (times: object) =>
    forge(header, { ...claims, iat: now, exp: now + 600, jti: randomUUID(), ...times }, signer);
  const isLive = async () =>
    (await Session.count({ where: { id: claims['sid'] as string, endedAt: null } })) === 1;

  beforeEach(() => {
    setTime(ctx, now * 1000);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const impossible: [string, object][] = [
    ['made in the far future', { iat: now + 86_400, exp: now + 87_000 }],
    ['made beyond the skew of clocks', { iat: now + 61, exp: now + 661 }],
    ['made before 1970', { iat: -1, exp: now + 60 }],
    ['made and ended before 1970', { iat: -1000, exp: -400 }],
    ['that lasts a second too long', { exp: now + 601 }],
    ['that began long ago and lasts', { iat: 0 }],
    ['that lasts for years', { exp: now + 10 * 365 * 86_400 }],
    ['that lasts as long as numbers go', { exp: Number.MAX_SAFE_INTEGER }],
    ['of numbers that are too large', { iat: 2 ** 60, exp: 2 ** 60 + 600 }],
    ['that ends before it begins', { exp: now - 1 }],
    ['that ends as it begins', { exp: now }],
    ['of half seconds', { iat: now - 0.5, exp: now + 10.5 }],
    ['made at no number', { iat: null }],
    ['with nbf in the future', { nbf: now + 3600 }],
    ['with nbf in the past', { nbf: now - 3600 }],
  ];

  it.each(impossible)('is refused everywhere if it is one %s', async (_what, times) => {
    const token = signed(times);
    for (const path of ['/me', '/me/sessions']) {
      const { status, body } = await ask('GET', path, { token });
      expect([status, body.code]).toEqual([401, 'token_invalid']);
    }
    await expect(auth.sessions.verifyAccessToken(token)).rejects.toMatchObject({
      code: 'token_invalid',
    });
    // Signing out takes expired tokens, but none that we cannot have made.
    expect((await ask('POST', '/auth/logout', { token, body: {} })).status).toBe(204);
    expect(await isLive()).toBe(true);
  });

  it('is let in with the times that we give, and with those of a node whose clock is ahead', async () => {
    for (const times of [{}, { exp: now + 1 }, { iat: now + 60, exp: now + 660 }])
      expect((await ask('GET', '/me', { token: signed(times) })).status).toBe(200);
  });
});

describe('Where an adapter is on', async () => {
  const { ctx, ask, register } = await startApp({ DIALECTS: 'devckano' });
  const ada = await register();
  const { header, claims } = read(ada.token);
  const signer = ecdsa(signingKey(ctx).signWith);
  const iat = claims['iat'] as number;

  it.each([
    [86_400, 200],
    [86_401, 401],
  ])('a token may last as long as those of the adapter: %i s', async (life, status) => {
    const token = forge(header, { ...claims, exp: iat + life }, signer);
    expect((await ask('GET', '/me', { token })).status).toBe(status);
  });
});
