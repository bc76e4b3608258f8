import type { Request } from 'express';
import { SERVICE_FAILURES } from '#src/authentication/limits';
import { claimedBy, rememberService } from '#src/authentication/signed-in';
import type { Context } from '#src/context';
import { clientCredentials } from '#src/platform/http/client-credentials';
import { Id } from '#src/platform/http/listing';
import { Problem } from '#src/platform/http/problem';
import { hitsFor, refuse, refuseKnown } from '#src/platform/http/rate-limit';
import { guard } from '#src/platform/http/route';
import type { ServiceScope } from '#src/services/scopes';
import { isServiceSecret } from '#src/services/secret';
import { findService, type AuthenticatedService } from '#src/services/use';

/** Its OpenAPI security scheme. */
export const SERVICE_SCHEME = {
  name: 'service',
  scheme: {
    type: 'http',
    scheme: 'basic',
    description: 'Id and secret of a service, each form-urlencoded (RFC 6749 §2.3.1).',
  },
} as const;

/** Lets a service in that has this scope. `req.service` is then the service. No credential of a user opens. */
export const authenticateService = (ctx: Context, scope: ServiceScope) =>
  guard<{ service: AuthenticatedService }>(
    {
      security: () => [{ [SERVICE_SCHEME.name]: [] }],
      problems: ['invalid_client', 'unauthorized_client', 'rate_limited', 'unavailable'],
      note: `For a service with the scope \`${scope}\`.`,
    },
    async (req, _res, next) => {
      const service = await serviceIn(ctx, req);
      if (!service.scopes.includes(scope))
        throw new Problem('unauthorized_client', { members: { required: [scope] } });
      Object.assign(req, { service });
      next();
    },
  );

/**
 * The service that a request comes from. Failures are counted by network, and a
 * network that is full reaches no database; a service that was let in a moment ago is not kept out by them.
 * @throws {Problem} 401 `invalid_client` for any other credential, and for none; 429 `rate_limited`
 */
async function serviceIn(ctx: Context, req: Request): Promise<AuthenticatedService> {
  const given = clientCredentials(req);
  const id = Id.safeParse(given?.id).data;
  // Costs nothing, so it counts for nothing.
  if (!given || id === undefined || !isServiceSecret(given.secret))
    throw new Problem('invalid_client');
  const hits = ctx.settings.limits === 'off' ? [] : hitsFor(ctx, req, SERVICE_FAILURES);
  if (claimedBy(ctx, req, false)?.by !== 'service') refuseKnown(ctx, hits);
  const service = await findService(ctx, id, given.secret);
  if (!service) {
    const full = await ctx.limits.hit(hits);
    if (full) await refuse(ctx, req, hits, full);
    throw new Problem('invalid_client');
  }
  rememberService(ctx, req, service);
  return service;
}
