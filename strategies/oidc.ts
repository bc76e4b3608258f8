import { z } from 'zod';
import { list, secureUrl } from '#src/platform/settings/types';
import { defineStrategy, later } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'oidc',
  kind: 'redirect',
  summary: 'Sign in with an OpenID provider',
  authorizationParameters: ['prompt', 'login_hint', 'acr_values', 'ui_locales', 'max_age'],
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
    OIDC_CLIENT_AUTH: z
      .enum(['client_secret_basic', 'client_secret_post'])
      .optional()
      .describe(
        'How this client authenticates: client_secret_basic or client_secret_post. Default: what the discovery document of the provider allows, client_secret_post if it allows both.',
      ),
    OIDC_MFA_ACR: list
      .default([])
      .describe(
        'Values of `acr` in its ID token that mean two factors, comma-separated. Nobody with one of these is asked for a second factor here. Default: none is believed.',
      ),
    OIDC_MFA_AMR: list
      .default([])
      .describe(
        'The same for the values in `amr`, such as mfa (RFC 8176). One of them is enough. Default: none is believed.',
      ),
  }),
  check: async (env) => (await import('#strategies/_openid-check')).checkOpenId(providerOf(env)),
  load: () => import('#strategies/_openid'),
  create: (context) => {
    const { OIDC_SCOPE: scope, OIDC_MFA_ACR, OIDC_MFA_AMR } = context.env;
    const twoFactors = ({ acr, amr }: Record<string, unknown>) =>
      (typeof acr === 'string' && OIDC_MFA_ACR.includes(acr)) ||
      (isTexts(amr) && amr.some((each) => OIDC_MFA_AMR.includes(each)));
    const client = { ...providerOf(context.env), scope, twoFactors };
    return later(async () => (await import('#strategies/_openid')).openId(client, context));
  },
});

const isTexts = (given: unknown): given is string[] =>
  Array.isArray(given) && given.every((each) => typeof each === 'string');

const providerOf = (env: {
  OIDC_ISSUER: string;
  OIDC_CLIENT_ID: string;
  OIDC_CLIENT_SECRET: string;
  OIDC_CLIENT_AUTH?: 'client_secret_basic' | 'client_secret_post' | undefined;
}) => ({
  issuer: env.OIDC_ISSUER,
  clientId: env.OIDC_CLIENT_ID,
  clientSecret: env.OIDC_CLIENT_SECRET,
  clientAuth: env.OIDC_CLIENT_AUTH,
});
