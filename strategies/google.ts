import { z } from 'zod';
import { defineStrategy, later } from '#src/strategy-kit/strategy';
import { sharedWithGoogle } from '#strategies/_google';

export default defineStrategy({
  name: 'google',
  kind: 'redirect',
  summary: 'Sign in with Google',
  authorizationParameters: ['prompt', 'login_hint'],
  env: z.object({
    GOOGLE_CLIENT_ID: z
      .string()
      .min(1)
      .describe('Client id from the Google Cloud console, for <PUBLIC_URL>/auth/google/callback.'),
    GOOGLE_CLIENT_SECRET: z.string().min(1).describe('Client secret of that client.'),
    ...sharedWithGoogle,
  }),
  sharedSettings: Object.keys(sharedWithGoogle),
  check: async (env) => (await import('#strategies/_openid-check')).checkOpenId(providerOf(env)),
  load: () => import('#strategies/_openid'),
  create: (context) => {
    const { env } = context;
    const client = {
      ...providerOf(env),
      accepts: ({ hd }: Record<string, unknown>) =>
        !env.GOOGLE_HOSTED_DOMAIN || hd === env.GOOGLE_HOSTED_DOMAIN,
    };
    return later(async () => (await import('#strategies/_openid')).openId(client, context));
  },
});

const providerOf = (env: {
  GOOGLE_ISSUER: string;
  GOOGLE_CLIENT_ID: string;
  GOOGLE_CLIENT_SECRET: string;
}) => ({
  issuer: env.GOOGLE_ISSUER,
  clientId: env.GOOGLE_CLIENT_ID,
  clientSecret: env.GOOGLE_CLIENT_SECRET,
});
