import type { NextFunction, Request } from 'express';
import type { AuthenticateCallback } from 'passport';
import { AskedFor, askPassport } from '#src/authentication/ask-passport';
import { proveToken } from '#src/authentication/prove-key';
import { rememberCredential } from '#src/authentication/signed-in';
import { digestChallenge } from '#src/authentication/strategy-failure';
import type { Context } from '#src/context';
import { isBoundScheme } from '#src/platform/http/credential-headers';
import { Problem } from '#src/platform/http/problem';

interface Asking {
  /** Of `passport.authenticate`. */
  options: object;
  toActors: boolean;
}

/**
 * Asks the strategies of kind `bearer`, and goes on with the principal in `req.user`, or with the refusal. `toActors`: see
 * `authenticate`.
 */
export function askBearers(ctx: Context, asking: Asking, req: Request, next: NextFunction): void {
  if (!isBoundScheme(req)) return ask(ctx, asking, req, next);
  proveToken(ctx, req).then(() => ask(ctx, asking, req, next), next);
}

function ask(ctx: Context, { options, toActors }: Asking, req: Request, next: NextFunction): void {
  const answer: AuthenticateCallback = (error, user, info) => {
    if (error || !user) return next(error ?? firstReason(info));
    req.user = user;
    rememberCredential(ctx, req);
    next(!toActors && user.actor ? new Problem('impersonated') : undefined);
  };
  const { passport, bearers } = ctx.strategies;
  // pass() of a strategy lets nobody in.
  const passed = (error?: unknown) => next(error ?? new Problem('token_missing'));
  askPassport(passport, bearers, new AskedFor(req, answer, passed), options);
}

/** True when a strategy that checks the bytes of the body would find its credentials in this request. */
export function wantsRawBody(
  { strategies: { rawBodyHeaders } }: Context,
  { headers }: Request,
): boolean {
  for (const name of rawBodyHeaders) if (headers[name] !== undefined) return true;
  return false;
}

/** Why nobody was let in. Of several strategies, the first that knew its credential decides. */
function firstReason(info: unknown): Problem {
  const reasons = [info].flat();
  return (
    reasons.find((reason): reason is Problem => reason instanceof Problem) ??
    new Problem('token_missing', { headers: digestChallenge(reasons) })
  );
}
