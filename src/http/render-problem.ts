import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { isDatabaseAway } from '#models/database';
import { log } from '#src/core/log';
import { Problem, type ProblemCode } from '#src/core/problem';

const REALM = 'Bearer realm="sallyport"';

/** RFC 6750 §3: every 401 says how to authenticate; only a token that was presented gets an `error`. */
const challenges: Partial<Record<ProblemCode, string>> = {
  token_missing: REALM,
  invalid_credentials: REALM,
  token_expired: `${REALM}, error="invalid_token", error_description="The access token expired"`,
  token_invalid: `${REALM}, error="invalid_token"`,
  session_ended: `${REALM}, error="invalid_token"`,
  user_disabled: `${REALM}, error="invalid_token"`,
  forbidden: `${REALM}, error="insufficient_scope"`,
};

/** What Express and body-parser throw, by the status they give it. Their messages repeat the input, so they stay here. */
const byStatus: Record<number, ProblemCode> = { 413: 'payload_too_large', 415: 'unsupported_media_type' };

/** What a failure is to whoever asked. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseAway(error)) return new Problem('unavailable', { cause: error });
  const { status = 500 } = (error ?? {}) as { status?: number };
  const code = status >= 400 && status < 500 ? (byStatus[status] ?? 'invalid_request') : 'internal';
  return new Problem(code, { cause: error });
}

/** The members every problem has (RFC 9457 §3.1), and those of its own. */
export const problemBody = (problem: Problem, requestId: string) => ({
  type: `/problems/${problem.code}`,
  title: problem.message,
  status: problem.status,
  code: problem.code,
  action: problem.action,
  requestId,
  ...problem.members,
});

/** What somebody is told who is refused: JSON, or text. */
export interface Refusal {
  status: number;
  body: object | string;
  type?: string;
}

/** What goes with a refusal, whichever words it is said in. */
export function setHeaders(res: Response, problem: Problem): void {
  if (problem.status === 503) res.setHeader('Retry-After', '2');
  if (problem.status === 413) res.setHeader('Connection', 'close'); // the rest of the body is not read
  const { 'WWW-Authenticate': another, ...headers } = problem.headers;
  if (another) res.append('WWW-Authenticate', another);
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
}

/** The error end: where a failure becomes an answer, in the words of whoever was asked. */
export const errorEnd =
  (say: (problem: Problem, requestId: string, path: string) => Refusal): ErrorRequestHandler =>
  (error, req, res, next) => {
    const problem = problemOf(error);
    if (problem.status >= 500)
      log[problem.status === 500 ? 'error' : 'warn']({ err: problem.cause ?? problem, code: problem.code }, 'request failed');
    if (res.headersSent) return next(error);
    const {
      status,
      body,
      type = typeof body === 'string' ? 'text/html' : 'application/json',
    } = say(problem, res.getHeader('X-Request-Id') as string, req.path);
    const challenge = challenges[problem.code];
    if (challenge && (status === 401 || status === problem.status)) res.setHeader('WWW-Authenticate', challenge);
    setHeaders(res, problem);
    res
      .status(status)
      .type(type)
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  };

export const renderProblem = errorEnd((problem, requestId) => ({
  status: problem.status,
  body: problemBody(problem, requestId),
  type: 'application/problem+json',
}));

export const notFound: RequestHandler = () => {
  throw new Problem('not_found');
};
