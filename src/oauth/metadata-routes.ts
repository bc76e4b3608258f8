import { z } from 'zod';
import type { Context } from '#src/context';
import { PROOF_ALGORITHMS } from '#src/platform/http/proven-key';
import { get, type Route } from '#src/platform/http/route';
import { SERVICE_SCOPES } from '#src/services/scopes';

const list = z.array(z.string());

/** RFC 8414 §2. */
const ServerMetadata = z
  .object({
    issuer: z.string(),
    authorization_endpoint: z.string(),
    token_endpoint: z.string(),
    revocation_endpoint: z.string(),
    introspection_endpoint: z.string(),
    jwks_uri: z.string(),
    service_documentation: z.string(),
    response_types_supported: list,
    response_modes_supported: list,
    grant_types_supported: list,
    code_challenge_methods_supported: list,
    scopes_supported: list,
    token_endpoint_auth_methods_supported: list,
    revocation_endpoint_auth_methods_supported: list,
    introspection_endpoint_auth_methods_supported: list,
    dpop_signing_alg_values_supported: list,
  })
  .meta({ id: 'ServerMetadata' });

export const metadataRoutes = ({ settings: { publicUrl, jwtIssuer } }: Context): Route[] => [
  get(
    '/.well-known/oauth-authorization-server',
    [],
    {
      operationId: 'getServerMetadata',
      tag: 'Services',
      summary: 'Get what OAuth clients need to know of this server',
      description: 'RFC 8414.',
      returns: ServerMetadata,
    },
    () => ({
      issuer: jwtIssuer,
      authorization_endpoint: `${publicUrl}/oauth/authorize`,
      token_endpoint: `${publicUrl}/oauth/token`,
      revocation_endpoint: `${publicUrl}/oauth/revoke`,
      introspection_endpoint: `${publicUrl}/oauth/introspect`,
      jwks_uri: `${publicUrl}/.well-known/jwks.json`,
      service_documentation: `${publicUrl}/docs`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: [...SERVICE_SCOPES],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      revocation_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
      dpop_signing_alg_values_supported: [...PROOF_ALGORITHMS],
    }),
  ),
];
