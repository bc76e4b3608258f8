import type { ErrorRequestHandler } from 'express';
import { z } from 'zod';
import type { Context } from '#src/context';
import { errorHandler } from '#src/platform/http/error-handler';
import { sentenceOf, type Problem, type ProblemCode } from '#src/platform/http/problem';

/** The errors of RFC 6749 §5.2 and §4.1.2.1 that our problems are, where it is not `invalid_request`. */
const ERRORS: Partial<Record<ProblemCode, string>> = {
  invalid_client: 'invalid_client',
  unauthorized_client: 'unauthorized_client',
  internal: 'server_error',
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
    required: z.array(z.string()).optional(),
  })
  .meta({ id: 'OAuthError', description: 'RFC 6749 §5.2.' });

/** Answers refusals of the routes for OAuth clients. */
export const oauthErrorHandler = (ctx: Context): ErrorRequestHandler =>
  errorHandler(ctx, {
    say: (problem, requestId) => {
      const { status, code, action, members } = problem;
      const error = ERRORS[code] ?? 'invalid_request';
      const error_description = describe(problem);
      return {
        status,
        body: { error, error_description, status, code, action, requestId, ...members },
      };
    },
  });

const NOT_A_FORM = 'Send the body as application/x-www-form-urlencoded, in UTF-8.';

/** RFC 6749 §5.2 allows no other characters. */
const describe = (problem: Problem): string =>
  (problem.code === 'unsupported_media_type' ? NOT_A_FORM : sentenceOf(problem)).replaceAll(
    /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g,
    "'",
  );
