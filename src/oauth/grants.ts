import { z } from 'zod';
import type { Context } from '#src/context';
import { CodeVerifier } from '#src/federation/authorization-code';
import { redeemAuthorizationCode } from '#src/authentication/redeem-code';
import { lifetimes } from '#src/lifetimes';
import { parsed } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';
import { serviceScopesIn, type ServiceScope } from '#src/services/scopes';
import { issueServiceToken } from '#src/services/tokens';
import type { ProvenService } from '#src/services/use';
import type { Device } from '#src/sessions/device';
import { issueTokens, type TokensBody } from '#src/sessions/issue-tokens';
import { refreshSession } from '#src/sessions/refresh';
import type { Principal } from '#src/users/principal';

const text = (max: number) => z.string().min(1).max(max);

/** The form of every grant. RFC 6749 §3.2: what is not known is ignored, and nothing may be there twice. */
export const TokenRequest = z
  .object({
    grant_type: text(256).meta({
      description: '`authorization_code`, `refresh_token` or `client_credentials`.',
    }),
    code: text(128).optional(),
    code_verifier: CodeVerifier.optional(),
    redirect_uri: text(512).optional().meta({ description: 'The one that the code came to.' }),
    client_id: text(128).optional(),
    refresh_token: text(1024).optional(),
    scope: text(1024)
      .optional()
      .meta({ description: 'Of `client_credentials`: scopes of the service. Else it is ignored.' }),
  })
  .catchall(z.string('Give it once'))
  .meta({ id: 'TokenRequest' });
export type TokenRequest = z.output<typeof TokenRequest>;

/** RFC 6749 §5.1. */
export const TokenResponse = z
  .object({
    access_token: z.string(),
    token_type: z.enum(['Bearer', 'DPoP']),
    expires_in: z.int().meta({ description: 'Seconds until the access token expires.' }),
    refresh_token: z.string().optional().meta({
      description: 'Store it before you use the access token. The one before is then void.',
    }),
    scope: z.string().optional().meta({
      description: 'The permissions of the user, or the scopes of the service. Missing: none.',
    }),
  })
  .meta({ id: 'TokenResponse' });
type TokenResponse = z.input<typeof TokenResponse>;

const CodeGrant = z.object({ code: z.string(), code_verifier: CodeVerifier });
const RefreshGrant = z.object({ refresh_token: z.string() });

/**
 * Tokens for the code of an authorization request (RFC 6749 §4.1.3), with its verifier (RFC 7636). A second factor is asked
 * for by the problem `mfa_required`.
 * @throws {Problem} 400 `invalid_request`, `invalid_code`; and what `signIn` throws
 */
export async function redeemCode(
  ctx: Context,
  request: TokenRequest,
  device: Device,
): Promise<TokenResponse> {
  const { code, code_verifier: verifier } = parsed(CodeGrant, request);
  const client = { clientId: request.client_id, redirectUri: request.redirect_uri };
  const { tokens, user } = await redeemAuthorizationCode(ctx, code, verifier, device, client);
  return responseOf(tokens, user);
}

/** As `POST /auth/refresh` does (RFC 6749 §6). @throws {Problem} 400 `invalid_request`, `invalid_grant` */
export async function redeemRefreshToken(
  ctx: Context,
  request: TokenRequest,
  device: Device,
): Promise<TokenResponse> {
  const { refresh_token: token } = parsed(RefreshGrant, request);
  const { session, user } = await refreshSession(ctx, token, device);
  return responseOf(issueTokens(ctx, session, user), user);
}

const responseOf = (
  { tokenType, accessToken, expiresIn, refreshToken }: TokensBody,
  { permissions }: Principal,
): TokenResponse => ({
  access_token: accessToken,
  token_type: tokenType,
  expires_in: expiresIn,
  refresh_token: refreshToken,
  ...scopeOf(permissions),
});

/** RFC 6749 §3.3 has no empty scope. */
const scopeOf = (scopes: readonly string[]) => scopes.length > 0 && { scope: scopes.join(' ') };

/** A token for a service (RFC 6749 §4.4). @throws {Problem} 400 `invalid_scope` */
export function grantToService(
  ctx: Context,
  { scope }: TokenRequest,
  service: ProvenService,
): TokenResponse {
  const asked = scope === undefined ? service.scopes : serviceScopesIn(scope);
  const scopes = [...new Set<ServiceScope>(asked)];
  if (!scopes.every((each) => service.scopes.includes(each))) throw new Problem('invalid_scope');
  return {
    access_token: issueServiceToken(ctx, service, scopes),
    token_type: 'Bearer',
    expires_in: lifetimes.serviceTokenSeconds,
    ...scopeOf(scopes),
  };
}
