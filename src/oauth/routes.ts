import type { ErrorRequestHandler } from 'express';
import { z } from 'zod';
import { authenticateService } from '#src/authentication/authenticate-service';
import type { Context } from '#src/context';
import { OAuthError } from '#src/oauth/errors';
import { INACTIVE, introspect, Introspection } from '#src/oauth/introspect';
import { Problem } from '#src/platform/http/problem';
import { post, type Route } from '#src/platform/http/route';

const tag = 'Services';
const INTROSPECT = '/oauth/introspect';

/** RFC 7662 §2.1, RFC 7009 §2.1. What a token is, is seen from the token. */
const TokenInput = z
  .strictObject({ token: z.string().min(1), token_type_hint: z.string().max(64).optional() })
  .meta({ id: 'TokenInput' });

export const oauthRoutes = (ctx: Context): Route[] => [
  post(
    INTROSPECT,
    [authenticateService(ctx, 'introspect')],
    {
      operationId: 'introspectToken',
      tag,
      summary: 'Ask what an access token is good for',
      description:
        'RFC 7662. The answer is that of this moment: sign-outs, disabled users and changed roles are in it. For every other token, whatever is wrong with it, it is exactly `{"active":false}`.',
      body: TokenInput,
      form: true,
      returns: Introspection,
      errorForm: OAuthError,
    },
    (req) => introspect(ctx, req.body.token),
  ),
];

/** A token that is larger than any body that is read here is none of ours, which is an answer. */
export const answerTooLarge: ErrorRequestHandler = (error, req, res, next) => {
  const isTooLarge = error instanceof Problem && error.code === 'payload_too_large';
  if (!isTooLarge || req.path !== INTROSPECT || res.headersSent) return next(error);
  res.set('Connection', 'close').json(INACTIVE); // the rest of the body is not read
};
