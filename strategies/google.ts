import { z } from 'zod';
import { secureUrl } from '#src/core/setting-types';
import { defineStrategy, later } from '#src/http/strategy';

export default defineStrategy({
  name: 'google',
  kind: 'redirect',
  summary: 'Sign in with Google',
  env: z.object({
    GOOGLE_CLIENT_ID: z.string().min(1).describe('Client id from the Google Cloud console, for <PUBLIC_URL>/auth/google/callback.'),
    GOOGLE_CLIENT_SECRET: z.string().min(1).describe('Client secret to it.'),
    GOOGLE_HOSTED_DOMAIN: z.hostname().optional().describe('Only people of this Google Workspace domain.'),
    GOOGLE_ISSUER: secureUrl.default('https://accounts.google.com').describe('For tests: another issuer in the place of Google.'),
  }),
  create: (context) => {
    const { GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GOOGLE_HOSTED_DOMAIN: domain, GOOGLE_ISSUER: issuer } = context.env;
    const accepts = ({ hd }: Record<string, unknown>) => !domain || hd === domain;
    const client = { issuer, clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET, accepts };
    return later(async () => (await import('#strategies/_openid')).openId(client, context));
  },
});
