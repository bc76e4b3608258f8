import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Context } from '#src/context';
import { keyOf, signingKey, wasOurs, type Key } from '#src/keys/keyring';
import { newKey } from '#src/keys/rotation';
import { isDatabaseUnavailable } from '#src/platform/database/errors';
import { Problem } from '#src/platform/http/problem';
import type { StoredSession } from '#src/sessions/find-session';

/** RFC 9068 §2.2. Ids and times only: names and roles are read from the database for each request. */
const Claims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: z.uuid(),
  sid: z.uuid(),
  jti: z.uuid(),
  iat: z.int(),
  exp: z.int(),
  gen: z.int().nonnegative(),
});
export type Claims = z.output<typeof Claims>;

/** Exactly the header that we write. A token with `crit`, `jku`, `jwk`, `x5u`, `zip` or the like is refused. */
const Header = z.strictObject({ alg: z.string(), typ: z.literal('at+jwt'), kid: z.string() });

/**
 * Tokens whose signature was checked, with their claims. The check costs more than the rest of a request, and its
 * result never changes. What can change (expiry, key, session) is checked for each request.
 */
export type VerifiedTokens = LRUCache<string, { claims: Claims; key: Key }>;

export const createVerifiedTokens = (): VerifiedTokens => new LRUCache({ max: 10_000 });

/** A signed access token of this session (RFC 9068). */
export function signAccessToken(
  ctx: Context,
  session: Pick<StoredSession, 'id' | 'userId' | 'generation'>,
  ttlSeconds = ctx.settings.accessTokenTtl,
): string {
  const { settings, clock } = ctx;
  const key = signingKey(ctx);
  const iat = Math.floor(clock.now() / 1000);
  const claims: Claims = {
    iss: settings.jwtIssuer,
    aud: settings.jwtAudience,
    sub: session.userId,
    sid: session.id,
    jti: randomUUID(),
    iat,
    exp: iat + ttlSeconds,
    gen: session.generation,
  };
  return jwt.sign(claims, key.signWith, {
    algorithm: key.algorithm,
    header: { alg: key.algorithm, typ: 'at+jwt', kid: key.kid },
  });
}

/**
 * The claims of a genuine access token of ours that has not expired, without leeway. Does not look at the session: see
 * `resumeSession`.
 * @throws {Problem} 401 `token_expired`, `token_invalid`
 */
export async function verifyAccessToken(ctx: Context, token: string): Promise<Claims> {
  const claims = await genuineClaims(ctx, token);
  if (claims.exp * 1000 <= ctx.clock.now()) throw new Problem('token_expired');
  return claims;
}

/**
 * The claims of a genuine access token of ours that may have expired.
 * @throws {Problem} 401 `token_expired` if its key is gone, `token_invalid`
 */
export async function genuineClaims(ctx: Context, token: string): Promise<Claims> {
  const known = ctx.verifiedTokens.get(token);
  if (known && keyOf(ctx, known.key.kid) === known.key) return known.claims;
  return verifySignature(ctx, token);
}

async function verifySignature(ctx: Context, token: string): Promise<Claims> {
  try {
    const header = Header.parse(jwt.decode(token, { complete: true })?.header);
    const key = keyOf(ctx, header.kid) ?? (await newKey(ctx, header.kid));
    if (!key && isOver(ctx, token, header.kid)) throw new Problem('token_expired');
    if (!key || header.alg !== key.algorithm) throw new Error('Unknown key, or not its algorithm');
    // jsonwebtoken checks the signature and nbf. It is too lenient with the rest, which `claimsOf` checks.
    const payload = jwt.verify(token, key.verifyWith, {
      algorithms: [key.algorithm],
      ignoreExpiration: true,
    });
    const claims = claimsOf(ctx, payload);
    ctx.verifiedTokens.set(token, { claims, key });
    return claims;
  } catch (cause) {
    if (cause instanceof Problem || isDatabaseUnavailable(cause)) throw cause;
    throw new Problem('token_invalid', { cause });
  }
}

/** Throws for a payload that is not exactly one of ours. */
function claimsOf({ settings }: Context, payload: unknown): Claims {
  const claims = Claims.parse(payload);
  if (claims.iss !== settings.jwtIssuer || claims.aud !== settings.jwtAudience)
    throw new Error('Another issuer or audience');
  return claims;
}

/**
 * A token of a key that is gone cannot be verified any more. Its client is told that it expired, so that it refreshes
 * after a rotation of keys and need not sign in.
 */
const isOver = (ctx: Context, token: string, kid: string): boolean =>
  wasOurs(ctx, kid) || claimedExpiry(ctx, token) * 1000 <= ctx.clock.now();

/** `exp` of a token that was not verified; Infinity if it does not look like one of ours. */
function claimedExpiry(ctx: Context, token: string): number {
  try {
    return claimsOf(ctx, jwt.decode(token)).exp;
  } catch {
    return Infinity;
  }
}
