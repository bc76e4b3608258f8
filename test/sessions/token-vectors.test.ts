import type { KeyObject } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { verifyAccessToken } from '#src/sessions/access-tokens';
import { startApp } from '#test/support/app';
import { newSource, vectorsOf, withKey } from '#test/support/vectors/index';
import type { Source, Vector } from '#test/support/vectors/vector';

const { ctx } = await startApp();

const contexts = new Map<KeyObject, Context>();
function contextOf({ kid, algorithm }: Source, verifyWith: KeyObject): Context {
  const context = contexts.get(verifyWith) ?? withKey(ctx, { kid, algorithm, verifyWith });
  contexts.set(verifyWith, context);
  return context;
}

/** What our verifier makes of it: the claims, or a refusal. Anything else that is thrown is a fault. */
async function ours(source: Source, { token, verifyWith = source.verifyWith }: Vector) {
  try {
    return await verifyAccessToken(contextOf(source, verifyWith), token);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return undefined;
    throw error;
  }
}

/** What `jose` makes of it under the rules that it knows. */
async function joses(source: Source, { token, verifyWith = source.verifyWith }: Vector) {
  try {
    const { payload } = await jwtVerify(token, verifyWith, {
      algorithms: [source.algorithm],
      typ: 'at+jwt',
      issuer: ctx.settings.jwtIssuer,
      audience: ctx.settings.jwtAudience,
      requiredClaims: ['sub', 'sid', 'jti', 'iat', 'exp', 'gen'],
      currentDate: new Date(ctx.clock.now()),
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

/** JSON that says the same in other words. The RFCs leave it to the verifier, and only the holder of the key can write it. */
const TAKEN = [
  'alg twice, the last one ours',
  'kid twice, the last one ours',
  'sub twice, the last one ours',
  'a header with spaces',
  'a payload with spaces',
  'a header in another order',
  'a header with an escaped letter',
  'a number with an exponent',
];

/** What jose takes and ours refuses, by the reason. Each reason names vectors, and together they name all. */
const STRICTER: Record<string, RegExp> = {
  'a token has one spelling': /^(another spelling of|padding behind the signature$|two of them$)/,
  'base64url has no white space':
    /^a (space|newline|tab|carriage return) (behind|in the signature)/,
  'JSON begins with no byte order mark': /^a byte order mark in the payload$/,
  'a header has no member that we do not write':
    /^(crit for b64 that is true|b64 |our own jwk|jku|x5|cty|zip|enc$|epk|another name|__proto__ in the header)/,
  'a key id names a key': /^(no kid|another kid|a kid |the kid )/,
  'typ is written in one way': /^typ of another case$/,
  'ids are UUIDs': /^(sub|sid|jti) = /,
  'a generation is a whole number': /^gen = /,
  'a life is one that we give': /^(iat|exp) = /,
  'a payload has no claim that we do not write':
    /^(a claim (scope|roles|cnf)|__proto__ in the payload)$/,
};

describe.each(['ES256', 'RS256', 'HS256'] as const)('%s', (algorithm) => {
  const source = newSource(ctx, algorithm);
  const vectors = vectorsOf(source);
  const of = (verdict: Vector['verdict']) => vectors.filter((each) => each.verdict === verdict);
  const accepted = async (list: Vector[], verify: typeof ours | typeof joses) => {
    const found = await Promise.all(list.map((each) => verify(source, each)));
    return list.flatMap(({ name }, i) => (found[i] ? [name] : []));
  };

  it('has vectors with a name of their own', () => {
    const same = Map.groupBy(vectors, ({ name }) => name);
    expect([...same].flatMap(([name, { length }]) => (length > 1 ? [name] : []))).toEqual([]);
    expect(vectors.length).toBeGreaterThan(400);
  });

  it('takes every valid one (J-32)', async () => {
    expect(await accepted(of('valid'), ours)).toEqual(of('valid').map(({ name }) => name));
  });

  it('takes no invalid one (J-32)', async () => {
    expect(await accepted(of('invalid'), ours)).toEqual([]);
  });

  it('takes a few of which the RFCs leave it to the verifier', async () => {
    expect(await accepted(of('may'), ours)).toEqual(TAKEN);
  });

  it('takes nothing that jose does not take, and is stricter for known reasons', async () => {
    const [own, others] = [await accepted(vectors, ours), await accepted(vectors, joses)];
    expect(own.filter((name) => !others.includes(name))).toEqual([]);
    const stricter = others.filter((name) => !own.includes(name));
    const reasons = Object.entries(STRICTER);
    expect(stricter.filter((name) => !reasons.some(([, names]) => names.test(name)))).toEqual([]);
    for (const [reason, names] of reasons)
      expect(
        stricter.some((name) => names.test(name)),
        reason,
      ).toBe(true);
  });
});
