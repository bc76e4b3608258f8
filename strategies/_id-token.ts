import { createHash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { Strategy } from 'passport';
import { Problem } from '#src/platform/http/problem';
import type { ProviderClaims } from '#src/strategy-kit/provider-profile';
import { custom, type StrategyContext } from '#src/strategy-kit/strategy';
import { providerKeys, readKeys } from '#strategies/_provider-keys';
import { explain } from '#strategies/_unreachable';

/** Whose ID tokens are accepted, and for whom. */
export interface TokenSource {
  /** The issuer that identities are stored with: the same one as in the browser. */
  issuer: string;
  /** What `iss` may be. */
  issuers: readonly string[];
  /** The address of the key set. */
  keys: string;
  clientIds: readonly string[];
  /** False for a user who may not sign in, such as one of another Workspace domain. */
  accepts?: (claims: JWTPayload) => boolean;
}
type Kit = Pick<StrategyContext, 'store' | 'resolveUser'>;

/** Both providers sign with RS256. None has ever used a key that others know, too (HS256). */
const ALGORITHMS = ['RS256', 'ES256'];
/** How far the clock of the provider may be ahead or behind, in seconds. */
const TOLERANCE = 60;
/** Oldest token that is accepted, in seconds, whatever its `exp` says. Apple's are valid for a day. */
const MAX_AGE = 86_400;

const refusal = (reason: string) =>
  new Problem('invalid_credentials', { cause: new Error(reason) });

/**
 * Signs in with an ID token that an app got from the SDK of a provider (OpenID Connect Core §3.1.3.7).
 * Each token works once.
 */
export function idTokenStrategy(source: TokenSource, { store, resolveUser }: Kit): Strategy {
  const keys = providerKeys(source.keys);
  return custom(async ({ body }) => {
    const { idToken, nonce } = body as { idToken: string; nonce?: string };
    const claims = await verified(idToken, source, keys);
    checkNonce(claims.nonce, nonce);
    if (source.accepts?.(claims) === false) throw refusal('This user may not sign in');
    if (!(await store.once(signedPart(idToken), secondsToKeep(claims))))
      throw refusal('The ID token was used before');
    return resolveUser({ issuer: source.issuer, ...profileIn(claims) });
  });
}

type IdClaims = JWTPayload & { sub: string; iat: number; exp: number };

/** @throws {Problem} 401 `invalid_credentials`; 503 `unavailable` if the keys cannot be read */
async function verified(
  idToken: string,
  { issuers, clientIds }: TokenSource,
  keys: ReturnType<typeof providerKeys>,
): Promise<IdClaims> {
  try {
    const { payload } = await jwtVerify<IdClaims>(idToken, keys, {
      algorithms: ALGORITHMS,
      issuer: [...issuers],
      audience: [...clientIds],
      requiredClaims: ['sub', 'iat', 'exp'],
      maxTokenAge: MAX_AGE, // refuses a time of issue in the future, too
      clockTolerance: TOLERANCE,
    });
    checkParties(payload, clientIds);
    return payload;
  } catch (error) {
    // The errors of the library hold the claims. Its messages say which one is wrong.
    throw error instanceof errors.JOSEError ? refusal(error.message) : error;
  }
}

/**
 * Every audience must be one of ours, and so must the app that asked for the token (`azp`): a token
 * for our server in the hands of another app is none of ours. A notice of the provider to a server
 * has the same issuer and audience (RFC 8417 §2.2), and signs nobody in.
 */
function checkParties({ aud, azp, events }: JWTPayload, clientIds: readonly string[]): void {
  const audiences = [aud].flat();
  const parties = audiences.length > 1 || azp !== undefined ? [...audiences, azp] : audiences;
  if (!parties.every((each) => typeof each === 'string' && clientIds.includes(each)))
    throw refusal('unexpected "aud" or "azp": add the id of each of your apps to the settings');
  if (events !== undefined) throw refusal('This token tells of events');
}

/** SHA-256 in hexadecimal. */
const DIGEST = /^[\da-f]{64}$/;

/**
 * Apple's documentation lets the app give any text as nonce; Supabase and Firebase let it give the
 * SHA-256 of one. Both are accepted. But a nonce that looks like a digest must be one: with the
 * text of the token alone, which a thief can read, nobody gets in then.
 */
function checkNonce(inToken: unknown, given: string | undefined): void {
  if (inToken === undefined && given === undefined) return;
  if (inToken === undefined) throw refusal('The ID token has no nonce, and the app sent one');
  if (given === undefined) throw refusal('The ID token has a nonce, and the app sent none');
  const expected = typeof inToken === 'string' && DIGEST.test(inToken) ? sha256(given) : given;
  if (inToken !== expected) throw refusal('The nonce of the ID token is another one');
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Header and claims. The signature can be written in several ways that are all valid. */
const signedPart = (token: string) => token.slice(0, token.lastIndexOf('.'));

/** Longer than the token could be used. */
const secondsToKeep = ({ iat, exp }: IdClaims) =>
  Math.ceil(Math.min(Math.max(exp - iat, 0), MAX_AGE)) + 2 * TOLERANCE;

/** Apple writes booleans as text, too. What is of another type than it should be is left out. */
function profileIn({ sub, email, email_verified, name }: JWTPayload): ProviderClaims {
  return {
    subject: sub!,
    email: textIn(email),
    emailVerified: email_verified === true || email_verified === 'true',
    name: textIn(name),
  };
}
const textIn = (claim: unknown) => (typeof claim === 'string' ? claim : undefined);

/** For `sallyport doctor`. */
export async function checkKeys({ keys }: TokenSource): Promise<string[]> {
  try {
    if ((await readKeys(keys)).jwks().keys.length > 0) return [];
    return [`The key set at ${keys} is empty, so no ID token can be verified. Try again later.`];
  } catch (error) {
    return [explain(error, `The key set at ${keys}`)];
  }
}
