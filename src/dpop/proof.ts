import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Context } from '#src/context';
import { secondsLeft } from '#src/dpop/nonce';
import { isFirstUse } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { PROOF_ALGORITHMS } from '#src/platform/http/proven-key';
import type { Settings } from '#src/platform/settings/settings';

/** Longest proof that is looked at, in characters. */
const MAX_LENGTH = 4096;

/** RFC 9449 §4.2. The time of a proof is that of its nonce: clocks of phones are wrong. */
const Claims = z.object({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string().max(2048),
  iat: z.number(),
  nonce: z.string().max(128).optional(),
  ath: z.string().optional(),
});

/** What a proof must be for. */
export interface Proving {
  method: string;
  /** Target of the request as it arrived (RFC 9112 §3.2). */
  path: string;
  /** Of a request with an access token: the token. */
  accessToken?: string | undefined;
}
/** A proof that is right, and may have been used before. */
export interface Proof {
  /** SHA-256 thumbprint of the key, in base64url (RFC 7638). */
  key: string;
  jti: string;
  /** For so many seconds nobody may use it again. */
  seconds: number;
}

/**
 * Checks a proof of possession of a key (RFC 9449 §4.3). It is not spent: see `spendProof`.
 * @throws {Problem} 401 `invalid_dpop_proof`, `use_dpop_nonce`
 */
export async function verifyProof(ctx: Context, text: string, proving: Proving): Promise<Proof> {
  const { EmbeddedJWK, calculateJwkThumbprint, decodeJwt, jwtVerify } = await import('jose');
  try {
    if (text.length > MAX_LENGTH) throw wrongProof('The proof is too long');
    // Costs next to nothing, and spares the check of the signature.
    const seconds = secondsLeft(ctx, Claims.parse(decodeJwt(text)).nonce ?? '');
    if (seconds === undefined) throw new Problem('use_dpop_nonce');
    const verified = await jwtVerify(text, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...PROOF_ALGORITHMS],
      currentDate: ctx.clock.date(),
    });
    const claims = Claims.parse(verified.payload);
    checkTarget(ctx.settings, claims, proving);
    const key = await calculateJwkThumbprint(verified.protectedHeader.jwk!, 'sha256');
    return { key, jti: claims.jti, seconds };
  } catch (cause) {
    throw cause instanceof Problem ? cause : wrongProof(whyOf(cause), cause);
  }
}

/** Of several requests with one proof, on any nodes, one is let in. @throws {Problem} 401 `invalid_dpop_proof` */
export async function spendProof(ctx: Context, { key, jti, seconds }: Proof): Promise<void> {
  if (!(await isFirstUse(ctx, 'dpop proof', `${key}.${jti}`, seconds)))
    throw wrongProof('This proof was used before');
}

/** 401 that says which check failed. */
export const wrongProof = (detail: string, cause?: unknown) =>
  new Problem('invalid_dpop_proof', { members: { detail }, cause });

function checkTarget(
  settings: Settings,
  { htm, htu, ath }: z.output<typeof Claims>,
  { method, path, accessToken }: Proving,
): void {
  if (htm !== method) throw wrongProof('The `htm` of the proof is another method');
  if (accessToken !== undefined && ath !== digestOf(accessToken))
    throw wrongProof('The `ath` of the proof is missing, or of another token');
  if (!URL.canParse(htu) || !addressesOf(settings, path).includes(withoutQuery(htu)))
    throw wrongProof('The `htu` of the proof is another address');
}

/** What jose and the schema found, without any value of the proof. */
function whyOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const name = String(error.issues[0]?.path[0] ?? '');
    return /^\w{1,5}$/.test(name) ? `The \`${name}\` of the proof is missing or wrong` : NO_JWT;
  }
  const { code = '', claim = '' } = error as { code?: string; claim?: string };
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED')
    return `The \`${claim}\` of the proof is missing or wrong`;
  return REASONS[code] ?? NO_JWT;
}
const NO_JWT = 'The proof is no JWT of RFC 9449 §4.2, with a public key as `jwk`';
const REASONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'The `exp` of the proof is in the past',
  ERR_JOSE_ALG_NOT_ALLOWED: 'The `alg` of the proof is not among `algs`',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'The signature of the proof is wrong',
};

const digestOf = (token: string) => createHash('sha256').update(token).digest('base64url');

/** Normalised (RFC 3986 §6.2), without query and fragment. */
function withoutQuery(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

/**
 * The address that the client has used: a proxy may take the path of PUBLIC_URL off, and a host app has routes of its own.
 * Only the path of the target counts: one in absolute form has an origin that the client has chosen.
 */
function addressesOf({ publicUrl, basePath }: Settings, target: string): string[] {
  const { origin } = new URL(publicUrl);
  const { pathname } = new URL(target, publicUrl);
  const own = origin + pathname;
  return pathname.startsWith(`${basePath}/`) ? [own] : [own, withoutQuery(publicUrl + pathname)];
}
