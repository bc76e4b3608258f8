import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { keyOf, signingKey, wasOurs, type Key } from '#src/keys/keyring';
import { newKey } from '#src/keys/rotation';
import { atMost } from '#src/platform/at-most';
import { isDatabaseUnavailable } from '#src/platform/database/errors';
import { Problem } from '#src/platform/http/problem';
import type { StoredSession } from '#src/sessions/find-session';
import { proofOf, type ProofColumns } from '#src/users/assurance';

/**
 * RFC 9068 §2.2. Ids, times and how the session was proved (§2.2.1, for other services: guards here go by the session): names
 * and roles are read from the database for each request.
 */
const Claims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: z.uuid(),
  sid: z.uuid(),
  jti: z.uuid(),
  iat: z.int().nonnegative(),
  exp: z.int().nonnegative(),
  gen: z.int().nonnegative(),
  // Tokens of a former release have none of these.
  amr: z.array(z.string()).optional(),
  acr: z.enum(['aal1', 'aal2']).optional(),
  auth_time: z.int().nonnegative().optional(),
  // Of an impersonated session: who acts for the user (RFC 8693 §4.1), and their own session.
  act: z.strictObject({ sub: z.uuid() }).optional(),
  act_sid: z.uuid().optional(),
  cnf: z.strictObject({ jkt: z.string().regex(/^[\w-]{43}$/) }).optional(), // bound to a key (RFC 9449 §6.1)
});
export type Claims = z.output<typeof Claims>;

/** Exactly the header that we write. A token with `crit`, `jku`, `jwk`, `x5u`, `zip` or the like is refused. */
const Header = z.strictObject({ alg: z.string(), typ: z.literal('at+jwt'), kid: z.string() });

/**
 * Tokens whose signature was checked, with their claims. The check costs more than the rest of a request, and its
 * result never changes. What can change (expiry, key, session) is checked for each request.
 */
export type VerifiedTokens = LRUCache<string, { claims: Claims; key: Key }>;

export const createVerifiedTokens = (): VerifiedTokens => new LRUCache(atMost(10_000));

/** See `models/session`. A session that just began has none of an actor yet. */
interface OtherColumns {
  actorId?: string | null;
  actorSessionId?: string | null;
  dpopKey: string | null;
}

/** A signed access token of this session (RFC 9068). */
export function signAccessToken(
  ctx: Context,
  session: Pick<StoredSession, 'id' | 'userId' | 'generation'> & ProofColumns & OtherColumns,
  ttlSeconds = ctx.settings.accessTokenTtl,
): string {
  const { settings, clock } = ctx;
  const key = signingKey(ctx);
  const iat = Math.floor(clock.now() / 1000);
  const { amr, acr, authTime } = proofOf(session);
  const { actorId, actorSessionId, dpopKey } = session;
  const claims: Claims = {
    iss: settings.jwtIssuer,
    aud: settings.jwtAudience,
    sub: session.userId,
    sid: session.id,
    jti: randomUUID(),
    iat,
    exp: iat + ttlSeconds,
    gen: session.generation,
    amr,
    acr,
    auth_time: Math.floor(authTime.getTime() / 1000),
    ...(actorId && actorSessionId && { act: { sub: actorId }, act_sid: actorSessionId }),
    ...(dpopKey && { cnf: { jkt: dpopKey } }),
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
  if (isExpired(ctx, claims)) throw new Problem('token_expired');
  return claims;
}

/**
 * The claims of a genuine access token of ours that may have expired.
 * @throws {Problem} 401 `token_expired` if its key is gone, `token_invalid`
 */
export async function genuineClaims(ctx: Context, token: string): Promise<Claims> {
  return verifiedBefore(ctx, token) ?? verifySignature(ctx, token);
}

/** The claims of a token whose signature was checked before. Its key is still valid; the token may have expired. */
export function verifiedBefore(ctx: Context, token: string): Claims | undefined {
  const known = ctx.verifiedTokens.get(token);
  return known && keyOf(ctx, known.key.kid) === known.key ? known.claims : undefined;
}

export const isExpired = ({ clock }: Context, { exp }: Claims): boolean =>
  exp * 1000 <= clock.now();

/**
 * The session of a genuine access token of ours, which may have expired or ended; undefined for anything else. It asks no
 * database: a token of a key that this node has not read yet is unknown.
 */
export function sessionIn(ctx: Context, token: string): string | undefined {
  const known = ctx.verifiedTokens.get(token);
  if (known) return known.claims.sid;
  try {
    const { header, claims } = saidBy(ctx, token);
    return checkSignature(ctx, token, claims, header.alg, keyOf(ctx, header.kid)).sid;
  } catch {
    return undefined;
  }
}

/** What a token says of itself. Nothing of it is believed yet, but what we never wrote is refused. */
function saidBy(ctx: Context, token: string) {
  if (!token.split('.').every(isCanonical)) throw new Error('Another spelling of its bytes');
  const said = jwt.decode(token, { complete: true });
  return { header: Header.parse(said?.header), claims: claimsOf(ctx, said?.payload) };
}

/** Bits of a last letter that the bytes do not need are zero (RFC 4648 §3.5): a token has one spelling. */
const isCanonical = (segment: string): boolean =>
  Buffer.from(segment, 'base64url').toString('base64url') === segment;

async function verifySignature(ctx: Context, token: string): Promise<Claims> {
  try {
    const { header, claims } = saidBy(ctx, token);
    const key = keyOf(ctx, header.kid) ?? (await newKey(ctx, header.kid));
    if (!key && isOver(ctx, claims, header.kid)) throw new Problem('token_expired');
    return checkSignature(ctx, token, claims, header.alg, key);
  } catch (cause) {
    if (cause instanceof Problem || isDatabaseUnavailable(cause)) throw cause;
    throw new Problem('token_invalid', { cause });
  }
}

/** Throws for a forged token. Remembers a genuine one. */
function checkSignature(
  ctx: Context,
  token: string,
  claims: Claims,
  algorithm: string,
  key: Key | undefined,
): Claims {
  if (!key || algorithm !== key.algorithm) throw new Error('Unknown key, or not its algorithm');
  jwt.verify(token, key.verifyWith, { algorithms: [key.algorithm], ignoreExpiration: true });
  ctx.verifiedTokens.set(token, { claims, key });
  return claims;
}

/** Throws for a payload that is not exactly one of ours. */
function claimsOf({ settings, clock }: Context, payload: unknown): Claims {
  const claims = Claims.parse(payload);
  const { iss, aud, iat, exp, act } = claims;
  if (iss !== settings.jwtIssuer || aud !== settings.jwtAudience)
    throw new Error('Another issuer or audience');
  // Whoever had a key for a moment could make tokens for ever, or for later.
  const life = exp - iat;
  const longest = act ? lifetimes.impersonationSeconds : settings.longestTokenSeconds;
  if (life <= 0 || life > longest) throw new Error('No life that we give');
  if (iat > clock.now() / 1000 + lifetimes.clockSkewSeconds) throw new Error('Not made yet');
  return claims;
}

/**
 * A token of a key that is gone cannot be verified any more. Its client is told that it expired, so that it refreshes
 * after a rotation of keys and need not sign in.
 */
const isOver = (ctx: Context, claims: Claims, kid: string): boolean =>
  wasOurs(ctx, kid) || isExpired(ctx, claims);
