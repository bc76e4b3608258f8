import { Router, type ErrorRequestHandler, type Express } from 'express';
import { log } from '#src/core/log';
import { Problem } from '#src/core/problem';
import { formBody } from '#src/http/body';
import { prose, sendPage } from '#src/http/page';
import { withQuery } from '#src/http/redirect-uri';
import { problemOf, setHeaders } from '#src/http/render-problem';
import { mount, type Route } from '#src/http/route';
import { roundTripOf } from '#src/http/round-trip';

/** Mounts what browsers are sent to: a failure is told to the app that waits for them, or else to the person. */
export function mountRedirects(app: Express, routes: readonly Route[]): void {
  const router = Router();
  mount(router, routes, formBody);
  app.use(router.use(tellPerson));
}

/** What a browser brings back is a stranger's: a library that cannot use it throws, in a hundred ways. None of them is our failure. */
function told(error: unknown, cameBack: boolean): Problem {
  const problem = problemOf(error);
  const theirs = cameBack && !(error instanceof Problem) && problem.code !== 'unavailable';
  const refused = problem.status === 401 || theirs;
  return refused ? new Problem('access_denied', { cause: problem.cause ?? problem }) : problem;
}

const tellPerson: ErrorRequestHandler = (error, req, res, next) => {
  const trip = roundTripOf(req);
  const problem = told(error, trip !== undefined);
  if (problem.cause) log.warn({ err: problem.cause, code: problem.code, strategy: trip?.strategy }, 'somebody could not sign in');
  if (trip) {
    const { redirectUri, state } = trip;
    return res.redirect(303, withQuery(redirectUri, { error: problem.code, error_description: problem.message, state }));
  }
  if (req.accepts(['json', 'html']) !== 'html') return next(problem);
  setHeaders(res.status(problem.status), problem);
  sendPage(res, problem.message, pageOf(problem));
};

function pageOf({ code, message, members: { errors = [] } }: Problem): string {
  const lines = errors.map(({ pointer, message }) => `<p>${prose(`\`${pointer.slice(1)}\`: ${message}.`)}</p>`);
  return `<h1>${prose(message)}</h1>${lines.join('')}<p><a href="/problems/${code}">What this means</a></p>`;
}
