import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import type { Context } from '#src/context';
import { errorHandler } from '#src/platform/http/error-handler';
import { asDeclared } from '#src/platform/http/own-paths';
import { sentenceOf, type Problem, type ProblemCode } from '#src/platform/http/problem';

export const TOKEN_PATH = '/oauth/token';

/** The errors of RFC 6749 §5.2 and §4.1.2.1 that our problems are, where it is not `invalid_request`. */
const ERRORS: Partial<Record<ProblemCode, string>> = {
  invalid_client: 'invalid_client',
  unauthorized_client: 'unauthorized_client',
  invalid_dpop_proof: 'invalid_dpop_proof',
  use_dpop_nonce: 'use_dpop_nonce',
  invalid_grant: 'invalid_grant',
  invalid_code: 'invalid_grant',
  unsupported_grant_type: 'unsupported_grant_type',
  invalid_scope: 'invalid_scope',
  internal: 'server_error',
  server_error: 'server_error',
  rate_limited: 'temporarily_unavailable',
  busy: 'temporarily_unavailable',
  unavailable: 'temporarily_unavailable',
};

/** A refusal in the form of RFC 6749 §5.2, with the members of a problem that a client can act on. */
export const OAuthError = z
  .object({
    error: z.string().meta({ example: 'invalid_client' }),
    error_description: z.string(),
    status: z.int().min(400).max(599),
    code: z.string().meta({ description: 'The code of the problem: `/problems/<code>`.' }),
    action: z.string(),
    requestId: z.string(),
    detail: z.string().optional(),
    required: z.array(z.string()).optional(),
    reason: z.string().optional(),
    sessionStatus: z.string().optional(),
    mfaToken: z.string().optional(),
    factors: z.array(z.string()).optional(),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749 §5.2.' });

/** Answers refusals of the routes for OAuth clients. */
export const oauthErrorHandler = (ctx: Context): ErrorRequestHandler =>
  errorHandler(ctx, {
    say: (problem, requestId, path) => {
      const { code, action, members } = problem;
      const [status, error] =
        asDeclared(path) === TOKEN_PATH ? refusedGrant(problem) : errorOf(problem);
      const error_description = describe(problem);
      return {
        status,
        body: { error, error_description, status, code, action, requestId, ...members },
      };
    },
  });

const errorOf = ({ status, code }: Problem): [status: number, error: string] => [
  status,
  ERRORS[code] ?? 'invalid_request',
];

/** The token endpoint says 400 of everything but the client (RFC 6749 §5.2): of a user whom a policy refuses, too. */
function refusedGrant(problem: Problem): [status: number, error: string] {
  const { status, code } = problem;
  if (code === 'invalid_client' || ![401, 403, 409].includes(status)) return errorOf(problem);
  return [400, ERRORS[code] ?? 'invalid_grant'];
}

const NOT_A_FORM = 'Send the body as application/x-www-form-urlencoded, in UTF-8.';

/** RFC 6749 §5.2 allows no other characters. */
const describe = (problem: Problem): string =>
  (problem.code === 'unsupported_media_type' ? NOT_A_FORM : sentenceOf(problem)).replaceAll(
    /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g,
    "'",
  );

/** RFC 6749 §3.1, §3.2: a parameter without a value counts as omitted. */
export const withoutEmpty = (given: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));

/** The same for a form that was read. */
export const omitEmpty: RequestHandler = (req, _res, next) => {
  req.body = withoutEmpty((req.body ?? {}) as Record<string, unknown>);
  next();
};
