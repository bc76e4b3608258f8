import type { ErrorRequestHandler } from 'express';
import { z } from 'zod';
import {
  authenticateService,
  authenticateServiceIfAny,
} from '#src/authentication/authenticate-service';
import type { Context } from '#src/context';
import { OAuthError } from '#src/oauth/errors';
import { INACTIVE, introspect, Introspection } from '#src/oauth/introspect';
import { asDeclared } from '#src/platform/http/own-paths';
import { Problem } from '#src/platform/http/problem';
import { refuseDeferred } from '#src/platform/http/rate-limit';
import { guard, post, type Route } from '#src/platform/http/route';
import { sessionIn } from '#src/sessions/access-tokens';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import { signOut } from '#src/sessions/sign-out';

const tag = 'Services';
const INTROSPECT = '/oauth/introspect';
const REVOKE = '/oauth/revoke';

/** RFC 7662 §2.1, RFC 7009 §2.1. What a token is, is seen from the token. */
const TokenInput = z
  .strictObject({ token: z.string().min(1), token_type_hint: z.string().max(64).optional() })
  .meta({ id: 'TokenInput' });

/** RFC 6749 §3.2, which RFC 7009 §2.1 builds on: what is not known is ignored, such as `client_id`. */
const RevocationRequest = z
  .object({ token: z.string().min(1), token_type_hint: z.string().optional() })
  .catchall(z.string('Give it once'))
  .meta({ id: 'RevocationRequest' });

/** Nobody is kept from ending their session because their network is full. */
const refuseStrangers = (ctx: Context) =>
  guard({}, (req, _res, next) => {
    const { token } = req.body as z.output<typeof RevocationRequest>;
    if (!readRefreshToken(ctx, token) && sessionIn(ctx, token) === undefined) refuseDeferred(req);
    next();
  });

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

  post(
    REVOKE,
    [refuseStrangers(ctx), authenticateServiceIfAny(ctx)],
    {
      operationId: 'revokeToken',
      tag,
      summary: 'End the session of a token',
      description:
        'RFC 7009. With the refresh token or the access token of a session, also one that has expired or was replaced. A public client needs nothing else; a service needs the scope `revoke`. The answer is the same for all other tokens, and for a service without the scope: then nothing is ended.',
      body: RevocationRequest,
      form: true,
      errorForm: OAuthError,
      status: 200,
      problems: ['unavailable'],
    },
    async ({ body: { token }, service }) => {
      if (service && !service.scopes.includes('revoke')) return;
      const by = service && ({ actor: service.id, kind: 'service' } as const);
      await signOut(ctx, { refreshToken: token, accessToken: token }, 'session', by);
    },
  ),
];

/** A token that is larger than any body that is read here is none of ours, which is an answer. */
export const answerTooLarge: ErrorRequestHandler = (error, req, res, next) => {
  const isTooLarge = error instanceof Problem && error.code === 'payload_too_large';
  if (!isTooLarge || res.headersSent) return next(error);
  const close = () => res.set('Connection', 'close'); // the rest of the body is not read
  const path = asDeclared(req.path);
  if (path === INTROSPECT) close().json(INACTIVE);
  else if (path === REVOKE) close().end();
  else next(error);
};
