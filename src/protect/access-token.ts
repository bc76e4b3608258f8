import { verify } from 'node:crypto';
import { BoundedMap } from '#src/protect/bounded-map';
import type { Key, KeySet } from '#src/protect/key-set';
import { Refusal } from '#src/protect/refusal';
import { now } from '#src/protect/time';

/** The claims of an access token that are used here. */
export interface Claims {
  readonly jti: string;
  readonly sub: string;
  readonly sid: string;
  readonly iat: number;
  readonly exp: number;
  /** Of an impersonated session: who acts for the user, and their own session. */
  readonly actor: { readonly id: string; readonly sid: string } | null;
  /** Thumbprint of the key that the token is bound to (RFC 9449 §6.1). Whoever holds the token alone must not get in. */
  readonly jkt: string | undefined;
}

/** Whose tokens are taken, and for whom they are. */
export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/** So many tokens are remembered whose signature was checked. That costs more than all the rest. */
const MOST = 10_000;
/** Longest life that the server gives a token, in seconds. */
const LONGEST = 7 * 24 * 3600;
/** How far the clocks may be apart, in seconds. */
const SKEW = 60;
const THUMBPRINT = /^[\w-]{43}$/;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Checks access tokens without asking anybody (RFC 9068 §4). */
export class AccessTokens {
  readonly #known = new BoundedMap<string, { claims: Claims; kid: string; key: Key }>(MOST);
  readonly #keys: KeySet;
  readonly #expected: Expected;

  constructor(keys: KeySet, expected: Expected) {
    this.#keys = keys;
    this.#expected = expected;
  }

  /**
   * The claims of a genuine token that has not expired.
   * @throws {Refusal} 401 `token_expired`, `token_invalid`
   * @throws {Unavailable} if the keys are not known
   */
  async verify(token: string): Promise<Claims> {
    const known = this.#known.get(token);
    const isKnown = known && this.#keys.current(known.kid) === known.key;
    const claims = isKnown ? known.claims : await this.#check(token);
    if (claims.exp * 1000 <= now()) throw new Refusal('token_expired');
    return claims;
  }

  async #check(token: string): Promise<Claims> {
    const { kid, alg, claims, input, signature } = this.#read(token);
    const key = this.#keys.current(kid) ?? (await this.#keys.find(kid));
    // A token of a key that is gone cannot be checked any more. Its client refreshes, and need not sign in.
    if (!key && (this.#keys.wasKnown(kid) || claims.exp * 1000 <= now()))
      throw new Refusal('token_expired');
    if (!key || key.algorithm !== alg || !isSigned(key, input, signature))
      throw new Refusal('token_invalid');
    this.#known.set(token, { claims, kid, key });
    return claims;
  }

  /** What a token says of itself. Nothing of it is believed yet. */
  #read(token: string) {
    try {
      const parts = token.split('.');
      if (parts.length !== 3) throw new Error('Not three segments');
      const [header, payload, signature] = parts.map(bytesOf) as [Buffer, Buffer, Buffer];
      const { kid, alg } = headerIn(JSON.parse(header.toString()));
      const claims = claimsIn(JSON.parse(payload.toString()), this.#expected);
      return { kid, alg, claims, input: `${parts[0]}.${parts[1]}`, signature };
    } catch (cause) {
      throw new Refusal('token_invalid', { cause });
    }
  }
}

/** Bits of a last letter that the bytes do not need are zero (RFC 4648 §3.5): a token has one spelling. */
function bytesOf(segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url');
  if (bytes.toString('base64url') !== segment) throw new Error('Another spelling of its bytes');
  return bytes;
}

/** Exactly the header that the server writes. `jku`, `jwk`, `x5u`, `crit` and the like are refused. */
function headerIn(header: unknown): { kid: string; alg: string } {
  const { alg, typ, kid, ...others } = objectIn(header);
  if (typ !== 'at+jwt' || typeof kid !== 'string' || typeof alg !== 'string')
    throw new Error('No header of an access token');
  if (Object.keys(others).length > 0) throw new Error('A header that nobody knows');
  return { kid, alg };
}

/** Claims that are not known here are left out (RFC 7519 §4). */
function claimsIn(payload: unknown, { issuer, audience }: Expected): Claims {
  const { iss, aud, sub, sid, jti, iat, exp, nbf, act, act_sid, cnf } = objectIn(payload);
  if (iss !== issuer || aud !== audience) throw new Error('Another issuer or audience');
  if (!isId(sub) || !isId(sid) || !isId(jti)) throw new Error('No user, session or id');
  if (!isTime(iat) || !isTime(exp) || exp <= iat || exp - iat > LONGEST)
    throw new Error('No life that the server gives');
  if (iat > now() / 1000 + SKEW || !isPast(nbf)) throw new Error('Not good yet');
  return { jti, sub, sid, iat, exp, actor: actorIn(act, act_sid), jkt: keyIn(cnf) };
}

function actorIn(act: unknown, sid: unknown): Claims['actor'] {
  if (act === undefined && sid === undefined) return null;
  const { sub, ...others } = objectIn(act);
  if (!isId(sub) || !isId(sid) || Object.keys(others).length > 0) throw new Error('No actor');
  return { id: sub, sid };
}

/** A token that is bound in a way that is not known here lets nobody in (RFC 7800 §3.1). */
function keyIn(cnf: unknown): string | undefined {
  if (cnf === undefined) return undefined;
  const { jkt, ...others } = objectIn(cnf);
  if (typeof jkt !== 'string' || !THUMBPRINT.test(jkt) || Object.keys(others).length > 0)
    throw new Error('Bound in another way');
  return jkt;
}

function objectIn(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new Error('No object');
}

const isId = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);
const isTime = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

const isPast = (nbf: unknown): boolean => nbf === undefined || (isTime(nbf) && nbf * 1000 <= now());

function isSigned({ algorithm, verifyWith }: Key, input: string, signature: Buffer): boolean {
  const bytes = Buffer.from(input);
  if (algorithm === 'RS256') return verify('sha256', bytes, verifyWith, signature);
  const key = { key: verifyWith, dsaEncoding: 'ieee-p1363' } as const;
  return signature.length === 64 && verify('sha256', bytes, key, signature);
}
