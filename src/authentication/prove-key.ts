import type { Request, RequestHandler } from 'express';
import type { Context } from '#src/context';
import { newNonce } from '#src/dpop/nonce';
import { spendProof, verifyProof } from '#src/dpop/proof';
import { bearerToken } from '#src/platform/http/credential-headers';
import { Problem } from '#src/platform/http/problem';
import { setProvenKey } from '#src/platform/http/proven-key';
import { genuineClaims } from '#src/sessions/access-tokens';

const SIGN_IN = /^\/auth\//i;

/**
 * Takes the proof of a client that signs in or refreshes (RFC 9449 §5): what it is given is bound to the key. Stands before
 * the routes, so that nothing is spent for a proof that is refused.
 */
export const proveAtSignIn =
  (ctx: Context): RequestHandler =>
  (req, _res, next) => {
    if (req.headers['dpop'] === undefined || req.method !== 'POST' || !SIGN_IN.test(req.path))
      return next();
    if (req.headers.authorization !== undefined) return next(); // the guard asks
    proveKey(ctx, req).then(() => next(), next);
  };

/** Takes the proof that came with this request, if one did. @throws {Problem} 401 `invalid_dpop_proof`, `use_dpop_nonce` */
export async function proveKey(ctx: Context, req: Request): Promise<void> {
  if (req.headers['dpop'] === undefined) return;
  const proof = await proofIn(ctx, req);
  await spendProof(ctx, proof);
  setProvenKey(req, proof.key);
}

/**
 * The same for a request with an access token of the scheme DPoP (RFC 9449 §7.1). A token of another key, or of none, costs
 * no statement.
 * @throws {Problem} 401 `invalid_dpop_proof`, `use_dpop_nonce`, `token_invalid`
 */
export async function proveToken(ctx: Context, req: Request): Promise<void> {
  const token = bearerToken(req) ?? '';
  const proof = await proofIn(ctx, req, token);
  const { cnf } = await genuineClaims(ctx, token);
  if (cnf?.jkt !== proof.key) throw new Problem('invalid_dpop_proof');
  await spendProof(ctx, proof);
  setProvenKey(req, proof.key);
}

/** Each answer names a nonce for the next proof (RFC 9449 §8.2). */
async function proofIn(ctx: Context, req: Request, accessToken?: string) {
  const { dpop } = req.headers;
  req.res!.setHeader('DPoP-Nonce', newNonce(ctx));
  if (typeof dpop !== 'string') throw new Problem('invalid_dpop_proof');
  const { method, originalUrl: path } = req;
  return verifyProof(ctx, dpop, { method, path, accessToken });
}
