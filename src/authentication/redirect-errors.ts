import type { ErrorRequestHandler } from 'express';
import { authorizationRequestOf } from '#src/authentication/authorization-request';
import { withQuery } from '#src/authentication/redirect-uri';
import type { Context } from '#src/context';
import { pageError, prefersPage, problemOf } from '#src/platform/http/error-handler';
import { Problem } from '#src/platform/http/problem';

/** The error end of the routes that browsers are sent to: the app that waits is told, or else the person, by a page. */
export const redirectErrorHandler = (ctx: Context): ErrorRequestHandler => {
  const page = pageError(ctx);
  return (error, req, res, next) => {
    const request = authorizationRequestOf(req);
    const problem = refusalOf(error, request !== undefined);
    if (problem.cause)
      ctx.log.warn(
        { err: problem.cause, code: problem.code, strategy: request?.strategy },
        'a sign-in failed',
      );
    if (!request) {
      if (prefersPage(req)) void page(problem, req, res, next);
      else next(problem);
      return;
    }
    const { redirectUri, state } = request;
    const members = { error: problem.code, error_description: problem.message, state };
    res.redirect(303, withQuery(redirectUri, members));
  };
};

/**
 * A callback carries input of strangers. A library that cannot use it throws, in a hundred ways. None of them is a failure
 * of the server.
 */
function refusalOf(error: unknown, isCallback: boolean): Problem {
  const problem = problemOf(error);
  const isForeign = isCallback && !(error instanceof Problem) && problem.code !== 'unavailable';
  return problem.status === 401 || isForeign
    ? new Problem('access_denied', { cause: problem.cause ?? problem })
    : problem;
}
