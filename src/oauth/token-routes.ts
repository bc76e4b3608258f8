import type { RequestHandler } from 'express';
import { serviceBySecret } from '#src/authentication/authenticate-service';
import { proveKey, unbound } from '#src/authentication/prove-key';
import type { Context } from '#src/context';
import { OAuthError, TOKEN_PATH } from '#src/oauth/errors';
import {
  grantToService,
  redeemCode,
  redeemRefreshToken,
  TokenRequest,
  TokenResponse,
} from '#src/oauth/grants';
import { CODE } from '#src/one-time-tokens/limits';
import { Problem } from '#src/platform/http/problem';
import { limit, refuseDeferred } from '#src/platform/http/rate-limit';
import { guard, post, type Route } from '#src/platform/http/route';
import type { ProvenService } from '#src/services/use';
import { deviceOf } from '#src/sessions/device';
import { limitRefresh } from '#src/sessions/routes';

/**
 * Who asks, and how often. A service authenticates for a token of its own, and for nothing else. Public clients do not
 * authenticate: the code verifier, or the refresh token, is the proof.
 */
function forGrant(ctx: Context) {
  const publicGrants: Record<string, RequestHandler> = {
    authorization_code: limit(ctx, CODE),
    refresh_token: limitRefresh(ctx),
  };
  return guard<{ service?: ProvenService }>(
    { problems: ['invalid_client', 'unauthorized_client', 'rate_limited', 'unavailable'] },
    async (req, res, next) => {
      const { grant_type: grant, client_secret: secret } = req.body as TokenRequest;
      if (grant !== 'refresh_token') refuseDeferred(req);
      if (secret !== undefined) throw new Problem('invalid_client'); // RFC 6749 §2.3.1: in the header
      const isOfService = grant === 'client_credentials';
      if (isOfService && req.headers['dpop'] !== undefined)
        throw unbound('Tokens of services are not bound to a key: leave out the header DPoP');
      if (isOfService || req.headers.authorization !== undefined)
        Object.assign(req, { service: await serviceBySecret(ctx, req) });
      if (isOfService) return next();
      const run = Object.hasOwn(publicGrants, grant) ? publicGrants[grant] : undefined;
      if (!run) throw new Problem('unsupported_grant_type');
      if (req.headers.authorization !== undefined) throw new Problem('unauthorized_client');
      return run(req, res, (error) => {
        if (error !== undefined) return next(error);
        proveKey(ctx, req).then(() => next(), next);
      });
    },
  );
}

export const tokenRoutes = (ctx: Context): Route[] => [
  post(
    TOKEN_PATH,
    [forGrant(ctx)],
    {
      operationId: 'grantTokens',
      tag: 'Services',
      summary: 'Get tokens as an OAuth client',
      description:
        'RFC 6749. `authorization_code` with PKCE does what `POST /auth/exchange` does, `refresh_token` what `POST /auth/refresh` does. `client_credentials` gives a service a token that takes the place of its secret. No client signs in with a password. What the server refuses for any other reason than the client is 400, and `code` says why.',
      body: TokenRequest,
      form: true,
      returns: TokenResponse,
      errorForm: OAuthError,
      problems: ['invalid_grant', 'invalid_code', 'unsupported_grant_type', 'invalid_scope'],
    },
    (req) => {
      const { body, service } = req;
      if (body.grant_type === 'authorization_code') return redeemCode(ctx, body, deviceOf(req));
      if (body.grant_type === 'refresh_token') return redeemRefreshToken(ctx, body, deviceOf(req));
      return grantToService(ctx, body, service!);
    },
  ),
];
