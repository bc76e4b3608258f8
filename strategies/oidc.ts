import { z } from 'zod';
import { secureUrl } from '#src/core/setting-types';
import { defineStrategy, later } from '#src/http/strategy';

export default defineStrategy({
  name: 'oidc',
  kind: 'redirect',
  summary: 'Sign in with an OpenID provider',
  env: z.object({
    OIDC_ISSUER: secureUrl.describe('Issuer of an OpenID provider, as its discovery document names it.'),
    OIDC_CLIENT_ID: z.string().min(1).describe('Client id that the provider gave you for <PUBLIC_URL>/auth/oidc/callback.'),
    OIDC_CLIENT_SECRET: z.string().min(1).describe('Client secret to it.'),
    OIDC_SCOPE: z
      .string()
      .refine((scope) => scope.split(' ').includes('openid'), 'must contain openid: without it there is no ID token')
      .optional()
      .describe('What to ask for. Default: openid email profile.'),
  }),
  create: (context) => {
    const { OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_SCOPE } = context.env;
    const scope = OIDC_SCOPE && { scope: OIDC_SCOPE };
    const client = { issuer: OIDC_ISSUER, clientId: OIDC_CLIENT_ID, clientSecret: OIDC_CLIENT_SECRET, ...scope };
    return later(async () => (await import('#strategies/_openid')).openId(client, context));
  },
});
