import type { ErrorRequestHandler, Request } from 'express';
import { authorizationRequestOf, departureOf } from '#src/authentication/authorization-request';
import { providerReason } from '#src/authentication/provider-reason';
import { withQuery } from '#src/authentication/redirect-uri';
import type { Context } from '#src/context';
import { problemOf } from '#src/platform/http/error-handler';
import { pageError } from '#src/platform/http/page-error';
import { prefersPage } from '#src/platform/http/navigation';
import { Problem, type ProblemCode } from '#src/platform/http/problem';
import type { AppRequest } from '#src/strategy-kit/app-request';

/**
 * The error end of the routes that browsers are sent to. The app that waits is told (RFC 6749
 * §4.1.2.1), also when the browser did not get as far as the provider. Without an app it is the
 * person, by a page.
 */
export const redirectErrorHandler = (ctx: Context): ErrorRequestHandler => {
  const page = pageError(ctx);
  return (error, req, res, next) => {
    const request = authorizationRequestOf(req);
    const departure = departureOf(req);
    const reason = { ...(request && saidBy(req)), ...providerReason(error) };
    const problem = refusalOf(error, reason.error, (request ?? departure) !== undefined);
    const { cause, code } = problem;
    const strategy = request?.strategy ?? departure?.strategy;
    if (cause) ctx.log.warn({ err: cause, code, strategy, ...reason }, 'a sign-in failed');
    const app = request ?? (acceptsPages(req) ? departure?.app : undefined);
    if (app) res.redirect(303, answerTo(app, problem));
    else if (prefersPage(req)) void page(problem, req, res, next);
    else next(problem);
  };
};

/** What the provider sent the browser back with. Libraries leave it out when they miss something else. */
function saidBy({ body, query }: Request) {
  const { error, error_description } = { ...query, ...(body as Record<string, unknown>) };
  return providerReason({ error, error_description });
}

/** A program that asks for JSON alone, at departure, gets a problem. */
const acceptsPages = (req: Request): boolean => Boolean(req.accepts('html'));

function answerTo(
  { redirectUri, state, clientId }: AppRequest,
  { code, message }: Problem,
): string {
  const error = clientId === undefined ? code : (AUTHORIZATION_ERRORS[code] ?? 'access_denied');
  return withQuery(redirectUri, { error, error_description: message, state });
}

/** What an OAuth client is told (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). */
const AUTHORIZATION_ERRORS: Partial<Record<ProblemCode, string>> = {
  invalid_request: 'invalid_request',
  interaction_required: 'interaction_required',
  server_error: 'server_error',
  internal: 'server_error',
  busy: 'temporarily_unavailable',
  rate_limited: 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
};

/**
 * What the app is told. A library that cannot use what a provider answered throws, in a hundred
 * ways. None of them is a failure of this server, and few are the user's: they are `server_error`.
 */
function refusalOf(error: unknown, said: string | undefined, isUnderWay: boolean): Problem {
  const problem = problemOf(error);
  if (problem.status === 401)
    return new Problem('access_denied', { cause: problem.cause ?? problem });
  const isOurs = error instanceof Problem || problem.code === 'unavailable';
  if (isOurs || !isUnderWay) return problem;
  return new Problem(codeFor(said), { cause: problem.cause ?? problem });
}

/** What providers say when the user cancelled, or when their answer can be of no use any more. */
const DENIED = new Set([
  'access_denied',
  'user_cancelled_login',
  'user_cancelled_authorize',
  'user_denied',
  'invalid_grant',
  'bad_verification_code',
]);
/** OpenID Connect Core §3.1.2.6: answers to `prompt=none`. */
const INTERACTION = new Set([
  'interaction_required',
  'login_required',
  'account_selection_required',
  'consent_required',
]);
const TRANSIENT = new Set(['server_error', 'temporarily_unavailable']);

function codeFor(error: string | undefined): ProblemCode {
  if (error === undefined) return 'server_error';
  if (DENIED.has(error)) return 'access_denied';
  if (INTERACTION.has(error)) return 'interaction_required';
  return TRANSIENT.has(error) ? 'unavailable' : 'server_error';
}

/** The error that a provider sends the browser back with, if it is one that no strategy needs to see. */
export function transientRefusal(given: {
  error?: string;
  error_description?: string;
}): Problem | undefined {
  if (!given.error || !TRANSIENT.has(given.error)) return undefined;
  return new Problem('unavailable', {
    cause: Object.assign(new Error('The provider cannot answer right now'), given),
  });
}
