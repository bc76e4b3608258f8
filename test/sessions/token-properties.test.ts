import { generateKeyPairSync } from 'node:crypto';
import * as fc from 'fast-check';
import { jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { signingKey } from '#src/keys/keyring';
import { Problem } from '#src/platform/http/problem';
import { verifyAccessToken } from '#src/sessions/access-tokens';
import { startApp } from '#test/support/app';
import { ecdsa, hmac, unsigned } from '#test/support/forge';
import { anySegments, changedText, editedToken } from '#test/support/fuzz/tokens';
import { runs } from '#test/support/properties';

const { ctx, register } = await startApp();
const { token } = await register({}, 'admin');
const { signWith, verifyWith } = signingKey(ctx);
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const [genuine, ...forgers] = [
  ecdsa(signWith),
  ecdsa(stranger),
  hmac(verifyWith.export({ format: 'pem', type: 'spki' })),
  hmac(''),
  unsigned,
] as const;

/** The claims, or the code of the refusal. Anything else that is thrown is a fault. */
async function verified(text: string) {
  try {
    return await verifyAccessToken(ctx, text);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return error.code;
    throw error;
  }
}

it('refuses a valid token after any single change', async () => {
  await fc.assert(
    fc.asyncProperty(changedText(token), async (text) => {
      expect(await verified(text)).toBe('token_invalid');
    }),
    runs(),
  );
});

it('refuses whatever the key did not sign', async () => {
  await fc.assert(
    fc.asyncProperty(editedToken(token, forgers), async (text) => {
      expect(['token_invalid', 'token_expired']).toContain(await verified(text));
    }),
    runs(),
  );
});

it('answers claims or a refusal to any text at all', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), anySegments(token));
  await fc.assert(
    fc.asyncProperty(text, async (any) => {
      fc.pre(any !== token);
      expect(['token_invalid', 'token_expired']).toContain(await verified(any));
    }),
    runs(),
  );
});

it('takes of what the key signed only what jose takes, and reads the same claims', async () => {
  let taken = 0;
  const rules = {
    algorithms: ['ES256'],
    typ: 'at+jwt',
    issuer: ctx.settings.jwtIssuer,
    audience: ctx.settings.jwtAudience,
    requiredClaims: ['sub', 'sid', 'jti', 'iat', 'exp', 'gen'],
  };
  await fc.assert(
    fc.asyncProperty(editedToken(token, [genuine]), async (text) => {
      const claims = await verified(text);
      if (typeof claims === 'string') return;
      taken++;
      const currentDate = new Date(ctx.clock.now());
      expect((await jwtVerify(text, verifyWith, { ...rules, currentDate })).payload).toEqual(
        claims,
      );
    }),
    runs(),
  );
  expect(taken).toBeGreaterThan(0);
});
