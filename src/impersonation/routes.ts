import { z } from 'zod';
import {
  authenticate,
  requireAal2,
  requireFullAccess,
  requirePermission,
} from '#src/authentication/guards';
import type { Context } from '#src/context';
import { impersonate } from '#src/impersonation/impersonate';
import { Impersonation, ImpersonationTokens } from '#src/impersonation/schemas';
import { inWords, lifetimes } from '#src/lifetimes';
import { Id } from '#src/platform/http/listing';
import { post, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { IMPERSONATE } from '#src/users/impersonation';

export const impersonationRoutes = (ctx: Context): Route[] => [
  post(
    '/admin/users/:id/impersonate',
    [
      authenticate(ctx),
      requirePermission(IMPERSONATE),
      requireFullAccess,
      requireAal2(ctx, lifetimes.freshCredentialChangeMinutes),
    ],
    {
      operationId: 'impersonateUser',
      tag: 'Administration',
      summary: 'Act for a user',
      description:
        `Starts a session of this user for you. It ends after ${inWords(lifetimes.impersonationSeconds)}, and with your own session, your permission or your account; there is no refresh token. ` +
        'The user is told by mail, and sees it in their list of sessions. `GET /me` then names you in `actor`, the access token in `act` (RFC 8693 §4.1). ' +
        'What governs the account answers 403 `impersonated`. ' +
        'Never for yourself, for somebody with a permission that you lack, or for somebody who may do the same.',
      params: z.strictObject({ id: Id }),
      body: Impersonation,
      returns: ImpersonationTokens,
      problems: ['not_found', 'conflict', 'session_ended'],
    },
    (req) => impersonate(ctx, req.user, req.params.id, req.body.reason, deviceOf(req)),
  ),
];
