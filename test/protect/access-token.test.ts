// The verifier is asked on its own: a server signs none of these tokens.
import { describe, expect, it } from 'vitest';
import { AccessTokens } from '#src/protect/access-token';
import { KeySet } from '#src/protect/key-set';
import { Refusal } from '#src/protect/refusal';
import { verifyAccessToken } from '#src/sessions/access-tokens';
import { Problem } from '#src/platform/http/problem';
import { startApp } from '#test/support/app';
import { newSource, vectorsOf, withKey } from '#test/support/vectors/index';
import type { Source, Vector } from '#test/support/vectors/vector';

const { ctx } = await startApp();
const { jwtIssuer: issuer, jwtAudience: audience } = ctx.settings;

/** The verifier of `sallyport/protect`, with the key that a vector names. */
async function protects({ kid, algorithm, ...source }: Source, vector: Vector): Promise<boolean> {
  const { token, verifyWith = source.verifyWith } = vector;
  const jwk = { ...verifyWith.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  const tokens = new AccessTokens(new KeySet(async () => ({ keys: [jwk] })), { issuer, audience });
  try {
    await tokens.verify(token);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

async function server({ kid, algorithm, ...source }: Source, vector: Vector): Promise<boolean> {
  const { token, verifyWith = source.verifyWith } = vector;
  try {
    await verifyAccessToken(withKey(ctx, { kid, algorithm, verifyWith }), token);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return false;
    throw error;
  }
}

/** A service must go on when the auth server adds a claim, and does not look at the generation. */
const LOOSER = /^(gen = |a claim (scope|roles)$|__proto__ in the payload$)/;

describe.each(['ES256', 'RS256'] as const)('%s', (algorithm) => {
  const source = newSource(ctx, algorithm);
  const vectors = vectorsOf(source);

  it('takes the tokens that the server itself takes, and of the others only those with more or fewer claims (Q-08)', async () => {
    const differing: string[] = [];
    for (const vector of vectors) {
      const [here, there] = [await protects(source, vector), await server(source, vector)];
      if (here !== there) differing.push(`${vector.name}: ${here}`);
    }
    expect(differing.filter((each) => !LOOSER.test(each.replace(/: true$/, '')))).toEqual([]);
    expect(differing.length).toBeGreaterThan(0);
  });
});

it('takes no token of a shared secret, whatever is published (Q-08)', async () => {
  const source = newSource(ctx, 'HS256');
  const genuine = vectorsOf(source).find(({ verdict }) => verdict === 'valid')!;
  expect(await server(source, genuine)).toBe(true);
  expect(await protects(source, genuine)).toBe(false);
});
