import type { Request } from 'express';
import { SERVICE_FAILURES } from '#src/authentication/limits';
import { claimedBy, rememberService } from '#src/authentication/signed-in';
import type { Context } from '#src/context';
import { clientCredentials } from '#src/platform/http/client-credentials';
import { isBoundScheme, presentedToken } from '#src/platform/http/credential-headers';
import { Id } from '#src/platform/http/listing';
import { Problem } from '#src/platform/http/problem';
import { hitsFor, refuse, refuseKnown } from '#src/platform/http/rate-limit';
import { guard } from '#src/platform/http/route';
import type { ServiceScope } from '#src/services/scopes';
import { isServiceSecret, serviceDigest } from '#src/services/secret';
import { readServiceToken, type ProvenSecret } from '#src/services/tokens';
import { findService, type AuthenticatedService, type ProvenService } from '#src/services/use';

/** Its OpenAPI security scheme. */
export const SERVICE_SCHEME = {
  name: 'service',
  scheme: {
    type: 'http',
    scheme: 'basic',
    description:
      'Id and secret of a service, each form-urlencoded (RFC 6749 §2.3.1). Or the token of the service, as Bearer.',
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

/** Lets everybody in. `req.service` is the service, if the request has an Authorization header. */
export const authenticateServiceIfAny = (ctx: Context) =>
  guard<{ service: AuthenticatedService | undefined }>(
    {
      problems: ['invalid_client', 'rate_limited', 'unavailable'],
      note: 'A service sends its credential. Public clients send none.',
    },
    async (req, _res, next) => {
      const isGiven = req.headers.authorization !== undefined;
      Object.assign(req, { service: isGiven ? await serviceIn(ctx, req) : undefined });
      next();
    },
  );

/**
 * The service that a request comes from. Failures are counted by network, and a
 * network that is full reaches no database; a service that was let in a moment ago is not kept out by them.
 * @throws {Problem} 401 `invalid_client` for any other credential, and for none; 429 `rate_limited`
 */
async function serviceIn(ctx: Context, req: Request): Promise<AuthenticatedService> {
  const given = secretIn(req) ?? tokenIn(ctx, req);
  return proven(ctx, req, given);
}

/** The same for its secret alone, with what was proved by it. */
export async function serviceBySecret(ctx: Context, req: Request): Promise<ProvenService> {
  const given = secretIn(req);
  return { ...(await proven(ctx, req, given)), digest: given!.digest };
}

async function proven(
  ctx: Context,
  req: Request,
  given: ProvenSecret | undefined,
): Promise<AuthenticatedService> {
  if (!given) throw new Problem('invalid_client'); // costs nothing, so it counts for nothing
  const hits = ctx.settings.limits === 'off' ? [] : hitsFor(ctx, req, SERVICE_FAILURES);
  if (claimedBy(ctx, req, false)?.by !== 'service') refuseKnown(ctx, hits);
  const service = await findService(ctx, given);
  if (!service) {
    const full = await ctx.limits.hit(hits);
    if (full) await refuse(ctx, req, hits, full);
    throw new Problem('invalid_client');
  }
  rememberService(ctx, req, service);
  return service;
}

/** Of the Basic header. Undefined without one, and for what is no id and secret of ours. */
function secretIn(req: Request): ProvenSecret | undefined {
  const given = clientCredentials(req);
  const id = Id.safeParse(given?.id).data;
  if (!given || id === undefined || !isServiceSecret(given.secret)) return undefined;
  return { id, digest: serviceDigest(given.secret) };
}

/** Tokens of services are not bound to a key: with the scheme DPoP there is none (RFC 9449 §7.1). */
const tokenIn = (ctx: Context, req: Request): ProvenSecret | undefined =>
  isBoundScheme(req) ? undefined : readServiceToken(ctx, presentedToken(req) ?? '');
