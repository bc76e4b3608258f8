import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { isDatabaseAway } from '#models/database';
import type { Session } from '#models/index';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { keyOf, signingKey, wasOurs, type Key } from '#src/keys/keys';
import { newKey } from '#src/keys/rotation';

/** RFC 9068 §2.2. Ids and times only: roles and names are read from the database on each request. */
const Claims = z.strictObject({
  iss: z.literal(config.JWT_ISSUER),
  aud: z.literal(config.JWT_AUDIENCE),
  sub: z.uuid(),
  sid: z.uuid(),
  jti: z.uuid(),
  iat: z.int(),
  exp: z.int(),
  gen: z.int().nonnegative(),
});
export type Claims = z.output<typeof Claims>;

/** Exactly what we write ourselves: `crit`, `jku`, `jwk`, `x5u`, `zip` and the like are refused by being there. */
const Header = z.strictObject({ alg: z.string(), typ: z.literal('at+jwt'), kid: z.string() });

/** Checking a signature costs more than the rest of a request, and its outcome never changes: what does is checked each time. */
const verified = new LRUCache<string, { claims: Claims; key: Key }>({ max: 10_000 });

/** A signed access token for this session, good for so many seconds. */
export function signAccessToken(session: Session, ttl = config.ACCESS_TOKEN_TTL): string {
  const key = signingKey();
  const iat = Math.floor(Date.now() / 1000);
  const claims: Claims = {
    iss: config.JWT_ISSUER,
    aud: config.JWT_AUDIENCE,
    sub: session.userId,
    sid: session.id,
    jti: randomUUID(),
    iat,
    exp: iat + ttl,
    gen: session.generation,
  };
  return jwt.sign(claims, key.signWith, { algorithm: key.algorithm, header: { alg: key.algorithm, typ: 'at+jwt', kid: key.kid } });
}

/**
 * The claims of a genuine access token of ours that has not expired; no leeway. Throws 401 `token_expired` or `token_invalid`.
 * Says nothing about the session: that is `resumeSession`'s to say.
 */
export async function verifyAccessToken(token: string): Promise<Claims> {
  const claims = await genuineClaims(token);
  if (claims.exp * 1000 <= Date.now()) throw new Problem('token_expired');
  return claims;
}

/** The same of a token that may have expired. */
export async function genuineClaims(token: string): Promise<Claims> {
  const known = verified.get(token);
  return known && keyOf(known.key.kid) === known.key ? known.claims : verifySignature(token);
}

async function verifySignature(token: string): Promise<Claims> {
  try {
    const header = Header.parse(jwt.decode(token, { complete: true })?.header);
    const key = keyOf(header.kid) ?? (await newKey(header.kid));
    if (!key && isOver(token, header.kid)) throw new Problem('token_expired');
    if (!key || header.alg !== key.algorithm) throw new Error('Not a key of ours, or not its algorithm');
    // jsonwebtoken checks the signature and nbf; the rest it takes too lightly, so `Claims` does it.
    const claims = Claims.parse(jwt.verify(token, key.verifyWith, { algorithms: [key.algorithm], ignoreExpiration: true }));
    verified.set(token, { claims, key });
    return claims;
  } catch (cause) {
    if (cause instanceof Problem || isDatabaseAway(cause)) throw cause;
    throw new Problem('token_invalid', { cause });
  }
}

/** Of a token whose key has gone nobody can say more; whoever comes back after a rotation is told to refresh, not to sign in. */
const isOver = (token: string, kid: string) =>
  wasOurs(kid) || (Claims.safeParse(jwt.decode(token)).data?.exp ?? Infinity) * 1000 <= Date.now();
