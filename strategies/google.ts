import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';
import { defineStrategy, later } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'google',
  kind: 'redirect',
  summary: 'Sign in with Google',
  env: z.object({
    GOOGLE_CLIENT_ID: z
      .string()
      .min(1)
      .describe('Client id from the Google Cloud console, for <PUBLIC_URL>/auth/google/callback.'),
    GOOGLE_CLIENT_SECRET: z.string().min(1).describe('Client secret of that client.'),
    GOOGLE_HOSTED_DOMAIN: z
      .hostname()
      .optional()
      .describe('Only users of this Google Workspace domain may sign in.'),
    GOOGLE_ISSUER: secureUrl
      .default('https://accounts.google.com')
      .describe('For tests: another issuer in the place of Google.'),
  }),
  create: (context) => {
    const { env } = context;
    const provider = {
      issuer: env.GOOGLE_ISSUER,
      clientId: env.GOOGLE_CLIENT_ID,
      clientSecret: env.GOOGLE_CLIENT_SECRET,
      accepts: ({ hd }: Record<string, unknown>) =>
        !env.GOOGLE_HOSTED_DOMAIN || hd === env.GOOGLE_HOSTED_DOMAIN,
    };
    return later(async () => (await import('#strategies/_openid')).openId(provider, context));
  },
});
