import { z } from 'zod';
import { defineStrategy, later } from '#src/strategy-kit/strategy';
import { clientOf, nameIn, privateKey, sharedWithApple } from '#strategies/_apple';

export default defineStrategy({
  name: 'apple',
  kind: 'redirect',
  responseMode: 'form_post',
  summary: 'Sign in with Apple',
  env: z.object({
    APPLE_CLIENT_ID: z
      .string()
      .min(1)
      .describe(
        'Services ID from the Apple developer account, for <PUBLIC_URL>/auth/apple/callback.',
      ),
    APPLE_TEAM_ID: z.string().min(1).describe('Team ID of that account.'),
    APPLE_KEY_ID: z.string().min(1).describe('Key ID of a key for Sign in with Apple.'),
    APPLE_PRIVATE_KEY: privateKey.describe(
      'The text of the .p8 file of that key, on one line with \\n in it. Or name the file in APPLE_PRIVATE_KEY_FILE.',
    ),
    ...sharedWithApple,
  }),
  sharedSettings: Object.keys(sharedWithApple),
  check: async (settings) =>
    (await import('#strategies/_openid-check')).checkOpenId(clientOf(settings)),
  load: () => import('#strategies/_openid'),
  revoke: async (grant, settings) =>
    (await import('#strategies/_openid')).revokeGrant(clientOf(settings), grant),
  create(context) {
    const client = {
      ...clientOf(context.env),
      scope: 'openid email name',
      formPost: { nameIn },
      keepsGrant: true,
    };
    return later(async () => (await import('#strategies/_openid')).openId(client, context));
  },
});
