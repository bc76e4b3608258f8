import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Context } from '#src/context';
import { isDatabaseUnavailable } from '#src/platform/database/errors';
import { isBoundScheme } from '#src/platform/http/credential-headers';
import { Problem, type ProblemCode } from '#src/platform/http/problem';
import { PROOF_ALGORITHMS } from '#src/platform/http/proven-key';
import { newRequestId, requestIdOf } from '#src/platform/http/request-id';
import type { Settings } from '#src/platform/settings/settings';

type Paths = Pick<Settings, 'basePath'>;

const [REALM, ALGORITHMS] = ['Bearer realm="sallyport"', `algs="${PROOF_ALGORITHMS.join(' ')}"`];

/** RFC 6750 §3: every 401 says how to authenticate. Only a token that was presented gets an `error`. */
const challenges: Partial<Record<ProblemCode, string>> = {
  token_missing: REALM,
  invalid_credentials: REALM,
  token_expired: `${REALM}, error="invalid_token", error_description="The access token expired"`,
  token_invalid: `${REALM}, error="invalid_token"`,
  session_ended: `${REALM}, error="invalid_token"`,
  user_disabled: `${REALM}, error="invalid_token"`,
  invalid_dpop_proof: `${REALM}, error="invalid_dpop_proof"`,
  use_dpop_nonce: `${REALM}, error="use_dpop_nonce"`,
  forbidden: `${REALM}, error="insufficient_scope"`,
  invalid_client: 'Basic realm="sallyport"', // RFC 6749 §5.2
};

/** RFC 9449 §7.1: a token of the scheme DPoP, and a proof, are refused in that scheme. */
function challengeOf(code: ProblemCode, req: Request): string | undefined {
  const isOfKey = isBoundScheme(req) || code === 'invalid_dpop_proof' || code === 'use_dpop_nonce';
  const known = challenges[code];
  return isOfKey ? known?.replace(/^Bearer (.*)/, `DPoP $1, ${ALGORITHMS}`) : known;
}

/** Errors of Express and body-parser, by their status. Their messages repeat the input, so they are not answered. */
const byStatus: Record<number, ProblemCode> = {
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** Passport throws it with `failWithError: true`. The package does not export its class. */
const isAuthenticationError = (error: unknown): error is Error & { status: number } =>
  error instanceof Error && error.name === 'AuthenticationError';

/** Any error as the problem that the client is told. `req` is needed for Passport's AuthenticationError. */
export function problemOf(error: unknown, req?: Pick<Request, 'headers'>): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseUnavailable(error)) return new Problem('unavailable', { cause: error });
  const { status = 500 } = (error ?? {}) as { status?: number };
  if (isAuthenticationError(error) && status === 401) {
    const presented = /^(bearer|dpop)\s/i.test(req?.headers.authorization ?? '');
    return new Problem(presented ? 'token_invalid' : 'token_missing', { cause: error });
  }
  const isRefusal = status >= 400 && status < 500;
  const code = isRefusal ? (byStatus[status] ?? 'invalid_request') : 'internal';
  return new Problem(code, { cause: error });
}

/** The members every problem has (RFC 9457 §3.1), and its own. */
export const problemBody = (problem: Problem, requestId: string, { basePath }: Paths) => ({
  type: `${basePath}/problems/${problem.code}`,
  title: problem.message,
  status: problem.status,
  code: problem.code,
  action: problem.action,
  requestId,
  ...problem.members,
});

/** The answer to a refused request: JSON, or text. */
export interface Refusal {
  status: number;
  body: object | string;
  /** Media type. Default: that of JSON, or of HTML for text. */
  type?: string;
  headers?: Readonly<Record<string, string>>;
}
/** Puts a problem into the words of one kind of client. `path` is the one that was asked for. */
export type Say = (problem: Problem, requestId: string, path: string, req: Request) => Refusal;

/** For API clients: RFC 9457. */
const sayProblem =
  (settings: Paths): Say =>
  (problem, requestId) => ({
    status: problem.status,
    body: problemBody(problem, requestId, settings),
    type: 'application/problem+json',
  });

/** The error end: turns a failure into an answer, in the words of `say`. Default: a problem (RFC 9457). */
export const errorHandler = (
  ctx: Pick<Context, 'log' | 'settings'>,
  { say = sayProblem(ctx.settings) }: { say?: Say } = {},
): ErrorRequestHandler => {
  return (error, req, res, next) => {
    const problem = problemOf(error, req);
    logFailure(ctx, problem);
    if (res.headersSent) return next(error);
    send(res, problem, say(problem, requestIdOf(res) as string, req.path, req));
  };
};

/**
 * For an app that uses our guards on its own routes: answers a `Problem`, and the AuthenticationError of Passport, as
 * our API does. Any other error goes on to the app's own error handler, untouched.
 */
export const hostErrorHandler = (
  ctx: Pick<Context, 'log' | 'request' | 'settings'>,
): ErrorRequestHandler => {
  const say = sayProblem(ctx.settings);
  return (error, req, res, next) => {
    const isOurs = error instanceof Problem || isAuthenticationError(error);
    if (!isOurs || res.headersSent) return next(error);
    const problem = problemOf(error, req);
    logFailure(ctx, problem);
    const known =
      requestIdOf(res) ?? res.getHeader('X-Request-Id') ?? ctx.request.getStore()?.requestId;
    const requestId = String(known ?? newRequestId(req));
    res.setHeader('X-Request-Id', requestId);
    res.setHeader('Cache-Control', 'no-store');
    send(res, problem, say(problem, requestId, req.path, req));
  };
};

/** A refusal needs no line of its own: the line of the request has its status. */
function logFailure({ log }: Pick<Context, 'log'>, problem: Problem): void {
  const { status, code, cause } = problem;
  if (status < 500) return;
  log[status === 500 ? 'error' : 'warn']({ err: cause ?? problem, code }, 'request failed');
}

function send(res: Response, problem: Problem, refusal: Refusal): void {
  const { status, body, headers = {} } = refusal;
  const isText = typeof body === 'string';
  const challenge = challengeOf(problem.code, res.req);
  // With an AuthenticationError, Passport has set the challenges of its strategies.
  const isSet = isAuthenticationError(problem.cause) && res.hasHeader('WWW-Authenticate');
  if (challenge && !isSet && (status === 401 || status === problem.status))
    res.setHeader('WWW-Authenticate', challenge);
  if (problem.status === 503) res.setHeader('Retry-After', '2');
  if (problem.status === 413) res.setHeader('Connection', 'close'); // the rest of the body is not read
  const { 'WWW-Authenticate': another, ...own } = problem.headers;
  if (another) res.append('WWW-Authenticate', another);
  for (const [name, value] of Object.entries({ ...own, ...headers })) res.setHeader(name, value);
  res
    .status(status)
    .type(refusal.type ?? (isText ? 'text/html' : 'application/json'))
    .send(isText ? body : JSON.stringify(body));
}

export const notFound: RequestHandler = () => {
  throw new Problem('not_found');
};
