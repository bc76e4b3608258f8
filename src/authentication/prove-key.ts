import type { Request } from 'express';
import type { Context } from '#src/context';
import { newNonce } from '#src/dpop/nonce';
import { spendProof, verifyProof, wrongProof, type Proof } from '#src/dpop/proof';
import { bearerToken } from '#src/platform/http/credential-headers';
import { Problem } from '#src/platform/http/problem';
import { setProvenKey } from '#src/platform/http/proven-key';
import { guard } from '#src/platform/http/route';
import { genuineClaims } from '#src/sessions/access-tokens';

const CHECKED: unique symbol = Symbol('a proof that is right, and not spent yet');
interface Checked {
  [CHECKED]?: Proof;
}

/**
 * Checks the proof of a client that signs in (RFC 9449 §5), if it sends one. Writes nothing, and stands before the limit:
 * a client that lacks the nonce is not counted. `bindToKey`, or `authenticateWith`, spends the proof after the limit.
 */
export const checkKey = (ctx: Context) =>
  guard({ problems: ['invalid_dpop_proof', 'use_dpop_nonce'] }, async (req, _res, next) => {
    if (req.headers['dpop'] !== undefined) (req as Checked)[CHECKED] = await proofIn(ctx, req);
    next();
  });

/** Stands after `checkKey` and the limit. The tokens of the answer are bound to the key of the proof. */
export const bindToKey = (ctx: Context) =>
  guard({ problems: ['invalid_dpop_proof'] }, async (req, _res, next) => {
    await spendChecked(ctx, req);
    next();
  });

/** Spends the proof that `checkKey` has found, if there is one. @throws {Problem} 401 `invalid_dpop_proof` */
export async function spendChecked(ctx: Context, req: Request): Promise<void> {
  const proof = (req as Checked)[CHECKED];
  if (proof) await spend(ctx, req, proof);
}

async function spend(ctx: Context, req: Request, proof: Proof): Promise<void> {
  await spendProof(ctx, proof);
  setProvenKey(req, proof.key);
}

/** Both at once, where the limit comes first. */
export const proveKeyIfSent = (ctx: Context) =>
  guard({ problems: ['invalid_dpop_proof', 'use_dpop_nonce'] }, async (req, _res, next) => {
    await proveKey(ctx, req);
    next();
  });

/** Takes the proof that came with this request, if one did. @throws {Problem} 401 `invalid_dpop_proof`, `use_dpop_nonce` */
export async function proveKey(ctx: Context, req: Request): Promise<void> {
  if (req.headers['dpop'] !== undefined) await spend(ctx, req, await proofIn(ctx, req));
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
  if (!cnf) throw wrongProof('This token is not bound to a key: send it as Bearer');
  if (cnf.jkt !== proof.key) throw wrongProof('The key of the proof is not the one of the token');
  await spend(ctx, req, proof);
}

/** Each answer names a nonce for the next proof (RFC 9449 §8.2). */
async function proofIn(ctx: Context, req: Request, accessToken?: string) {
  const { dpop } = req.headers;
  req.res!.setHeader('DPoP-Nonce', newNonce(ctx));
  if (typeof dpop !== 'string') throw wrongProof('The header `DPoP` is missing');
  const { method, originalUrl: path } = req;
  return verifyProof(ctx, dpop, { method, path, accessToken });
}

/** For tokens that are never bound to a key: whoever sends a proof must not believe that theirs is. */
export const unbound = (message: string) =>
  new Problem('invalid_request', {
    members: { errors: [{ pointer: '', code: 'dpop_not_supported', message }] },
  });
