import type { Request } from 'express';
import { askBearers, wantsRawBody } from '#src/authentication/ask-bearers';
import { openToEnrol } from '#src/authentication/enrolment';
import { authenticateWith } from '#src/authentication/authenticate-with';
import { SIGN_IN } from '#src/authentication/limits';
import type { Identity } from '#src/authentication/sign-in';
import type { Context } from '#src/context';
import { readRawBody } from '#src/platform/http/body';
import { refuseTwo } from '#src/platform/http/credential-headers';
import { Problem } from '#src/platform/http/problem';
import { limitDoc } from '#src/platform/http/rate-limit';
import { guard } from '#src/platform/http/route';
import { covers } from '#src/users/permissions';
import { Principal } from '#src/users/principal';
import { isAal2, isFresh, stepUp } from '#src/users/step-up';

interface AuthenticateOptions {
  /** Opens the route to who must enrol a second factor first: see `requireEnrolled`. */
  toEnrol?: boolean;
  /** Opens the route to an administrator who acts for its user. Otherwise it is closed to them. */
  toActors?: boolean;
}

/** Lets a request in that any strategy of kind `bearer` accepts. `req.user` is then the principal. */
export const authenticate = (
  ctx: Context,
  { toEnrol = false, toActors = false }: AuthenticateOptions = {},
) => {
  const asking = { options: toEnrol ? openToEnrol : USUAL, toActors };
  const { strategies } = ctx;
  const doc = {
    problems: [
      'token_missing',
      'token_expired',
      'token_invalid',
      'session_ended',
      'user_disabled',
      'invalid_dpop_proof',
      'use_dpop_nonce',
      'unavailable',
      ...(toEnrol ? [] : (['mfa_enrollment_required', 'step_up_required'] as const)),
      ...(toActors ? [] : (['impersonated'] as const)),
    ] as const,
    security: () => strategies.bearers.map((name) => ({ [name]: [] })),
  };
  return guard<{ user: Principal }>(doc, (req, res, next) => {
    refuseTwo(req, strategies.credentialHeaders);
    const ask = () =>
      ctx.traces
        ? ctx.traces.callback('authenticate', next, (done) => askBearers(ctx, asking, req, done))
        : askBearers(ctx, asking, req, next);
    return wantsRawBody(ctx, req) ? readRawBody(req, res).then(ask) : ask();
  });
};
/** Of `passport.authenticate`. */
const USUAL: object = { session: false };

/**
 * Stands before the sign-in with a strategy: `req.identity` is then what the sign-in pipeline takes. It is counted before
 * the strategy is asked.
 */
export const identify = (ctx: Context, strategy: string) => {
  ctx.strategies.required.add(strategy);
  const { problems, ...doc } = limitDoc(ctx, SIGN_IN);
  return guard<{ identity: Identity }>(
    { ...doc, problems: [...problems, 'invalid_credentials', 'busy', 'unavailable'] },
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

/** The same, if nobody acts for them. @throws {Problem} 403 `impersonated` */
function userIn(req: Request): Principal {
  const principal = principalIn(req);
  if (principal.actor) throw new Problem('impersonated');
  return principal;
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

/**
 * Stands after authenticate(). All of these permissions are needed, each granted by a role, or by `resource:*` or `*` of one:
 * see `users/permissions`. They were read from the database for this very request.
 */
export const requirePermission = (...names: [string, ...string[]]) =>
  guard(
    {
      problems: ['forbidden'],
      note: `Requires the permission ${names.map((name) => `\`${name}\``).join(' and ')}.`,
    },
    (req, _res, next) => {
      if (!covers(principalIn(req).permissions, names))
        throw new Problem('forbidden', { members: { required: names } });
      next();
    },
  );

/** Stands before registration: SIGNUP says whether strangers may register. */
export const requireOpenSignup = ({ settings }: Context) =>
  guard({ problems: ['signup_closed'] }, (_req, _res, next) => {
    if (settings.signup === 'closed') throw new Problem('signup_closed');
    next();
  });

/** Stands after authenticate(). The user must have proved who they are in the last so many minutes. */
export const requireFresh = ({ clock }: Pick<Context, 'clock'>, minutes: number) =>
  guard(
    { problems: ['step_up_required'], note: `Needs a sign-in in the last ${minutes} minutes.` },
    (req, _res, next) => {
      if (!isFresh(userIn(req), clock, minutes)) throw stepUp({ minutes });
      next();
    },
  );

/** Stands after authenticate(). The user must have proved two factors, in the last so many minutes if these are given. */
export const requireAal2 = ({ clock }: Pick<Context, 'clock'>, minutes?: number) =>
  guard(
    {
      problems: ['step_up_required'],
      note: `Needs two factors${minutes === undefined ? '' : `, proved in the last ${minutes} minutes`}.`,
    },
    (req, _res, next) => {
      if (!isAal2(userIn(req), clock, minutes)) throw stepUp({ acr: 'aal2', minutes });
      next();
    },
  );

/** @throws {Problem} 403 `step_up_required` if the user has a second factor, and has not proved two of late */
function proveFactor(principal: Principal, clock: Context['clock'], minutes: number): void {
  if (principal.factors > 0 && !isAal2(principal, clock, minutes))
    throw stepUp({ acr: 'aal2', minutes });
}

/**
 * Stands where somebody changes how they sign in, without a password. Whoever has one must have proved two factors in the last so many
 * minutes, everybody else who they are: a stolen token must not enrol the factor of a thief.
 */
export const requireFreshProof = ({ clock }: Pick<Context, 'clock'>, minutes: number) =>
  guard(
    {
      problems: ['step_up_required'],
      note: `Needs a sign-in in the last ${minutes} minutes, with two factors if you have a second one.`,
    },
    (req, _res, next) => {
      const principal = principalIn(req);
      proveFactor(principal, clock, minutes);
      if (principal.factors === 0 && !isFresh(principal, clock, minutes)) throw stepUp({ minutes });
      next();
    },
  );

/**
 * Stands where a password is asked, but a password alone must not do. Whoever has a second factor must have proved two
 * factors in the last so many minutes. Then the sign-in that follows, if there is one, asks for nothing more.
 */
export const requireFactorProof = ({ clock }: Pick<Context, 'clock'>, minutes: number) =>
  guard(
    {
      problems: ['step_up_required'],
      note: `Needs two factors in the last ${minutes} minutes if you have a second one.`,
    },
    (req, _res, next) => {
      proveFactor(principalIn(req), clock, minutes);
      next();
    },
  );

/** Stands where somebody changes how they sign in. Neither an API key nor an administrator who acts for the user must do that. */
export const requireFullAccess = guard(
  { problems: ['forbidden', 'impersonated'], refuses: ['api-key'], note: 'Not with an API key.' },
  (req, _res, next) => {
    if (userIn(req).scopes) throw new Problem('forbidden', { members: { required: ['session'] } });
    next();
  },
);
