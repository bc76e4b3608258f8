import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';
import { defineStrategy, later } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'oidc',
  kind: 'redirect',
  summary: 'Sign in with an OpenID provider',
  env: z.object({
    OIDC_ISSUER: secureUrl.describe('Issuer of an OpenID provider, as in its discovery document.'),
    OIDC_CLIENT_ID: z
      .string()
      .min(1)
      .describe('Client id that the provider gave you for <PUBLIC_URL>/auth/oidc/callback.'),
    OIDC_CLIENT_SECRET: z.string().min(1).describe('Client secret of that client.'),
    OIDC_SCOPE: z
      .string()
      .refine(
        (scope) => scope.split(' ').includes('openid'),
        'must contain openid: without it there is no ID token',
      )
      .optional()
      .describe('Scopes that are requested. Default: openid email profile.'),
  }),
  create: (context) => {
    const { env } = context;
    const provider = {
      issuer: env.OIDC_ISSUER,
      clientId: env.OIDC_CLIENT_ID,
      clientSecret: env.OIDC_CLIENT_SECRET,
      ...(env.OIDC_SCOPE && { scope: env.OIDC_SCOPE }),
    };
    return later(async () => (await import('#strategies/_openid')).openId(provider, context));
  },
});
