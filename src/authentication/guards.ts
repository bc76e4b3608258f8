import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { AuthenticateCallback } from 'passport';
import { authenticateWith } from '#src/authentication/authenticate-with';
import type { Identity } from '#src/authentication/sign-in';
import { digestChallenge } from '#src/authentication/strategy-failure';
import type { Context } from '#src/context';
import { readRawBody } from '#src/platform/http/body';
import { refuseTwo } from '#src/platform/http/credential-headers';
import { Problem } from '#src/platform/http/problem';
import { guard } from '#src/platform/http/route';
import { isFresh, Principal } from '#src/users/principal';

/** Lets a request in that any strategy of kind `bearer` accepts. `req.user` is then the principal. */
export const authenticate = (ctx: Context) => {
  const { strategies } = ctx;
  const doc = {
    problems: [
      'token_missing',
      'token_expired',
      'token_invalid',
      'session_ended',
      'user_disabled',
      'unavailable',
    ] as const,
    security: () => strategies.bearers.map((name) => ({ [name]: [] })),
  };
  return guard<{ user: Principal }>(doc, (req, res, next) => {
    refuseTwo(req, strategies.credentialHeaders);
    if (!wantsRawBody(ctx, req)) return askBearers(ctx, req, res, next);
    return readRawBody(req, res).then(() => askBearers(ctx, req, res, next));
  });
};

function askBearers({ strategies }: Context, req: Request, res: Response, next: NextFunction) {
  const answer: AuthenticateCallback = (error, user, info) => {
    if (error || !user) return next(error ?? firstReason(info));
    req.user = user;
    next();
  };
  const { passport, bearers } = strategies;
  // pass() of a strategy lets nobody in.
  const passed = (error?: unknown) => next(error ?? new Problem('token_missing'));
  (passport.authenticate(bearers, { session: false }, answer) as RequestHandler)(req, res, passed);
}

/** True when a strategy that checks the bytes of the body would find its credentials in this request. */
function wantsRawBody({ strategies: { rawBodyHeaders } }: Context, { headers }: Request): boolean {
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

/** Stands before the sign-in with a strategy: `req.identity` is then what the sign-in pipeline takes. */
export const identify = (ctx: Context, strategy: string) => {
  ctx.strategies.required.add(strategy);
  return guard<{ identity: Identity }>(
    { problems: ['invalid_credentials', 'busy', 'unavailable'] },
    async (req, res, next) => {
      Object.assign(req, { identity: await authenticateWith(ctx, strategy, req, res) });
      next();
    },
  );
};

/**
 * The principal that a guard before this one put there. What a host app's own sign-in left in `req.user` is none, whatever
 * roles it claims.
 */
function principalIn({ user }: Request): Principal {
  if (!(user instanceof Principal)) throw new Problem('token_missing');
  return user;
}

/** Stands after authenticate(). Any one of these roles opens. They were read from the database for this very request. */
export const requireRole = (...names: [string, ...string[]]) =>
  guard(
    {
      problems: ['forbidden'],
      note: `Requires the role ${names.map((name) => `\`${name}\``).join(' or ')}.`,
    },
    (req, _res, next) => {
      const { roles } = principalIn(req);
      if (!names.some((name) => roles.includes(name)))
        throw new Problem('forbidden', { members: { required: names } });
      next();
    },
  );

/** Stands before registration: SIGNUP says whether strangers may register. */
export const requireOpenSignup = ({ settings }: Context) =>
  guard({ problems: ['forbidden'] }, (_req, _res, next) => {
    if (settings.signup === 'closed') throw new Problem('forbidden', { members: { required: [] } });
    next();
  });

/** Stands after authenticate(). The user must have proved who they are in the last so many minutes. */
export const requireFresh = ({ clock }: Pick<Context, 'clock'>, minutes: number) =>
  guard(
    { problems: ['step_up_required'], note: `Needs a sign-in in the last ${minutes} minutes.` },
    (req, _res, next) => {
      if (!isFresh(principalIn(req), clock, minutes)) throw new Problem('step_up_required');
      next();
    },
  );

/** Stands where somebody changes how they sign in. An API key must not do that. */
export const requireFullAccess = guard(
  { problems: ['forbidden'], refuses: ['api-key'], note: 'Not with an API key.' },
  (req, _res, next) => {
    if (principalIn(req).scopes)
      throw new Problem('forbidden', { members: { required: ['session'] } });
    next();
  },
);
