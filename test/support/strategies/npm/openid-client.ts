import { allowInsecureRequests, ClientSecretPost, discovery, fetchUserInfo } from 'openid-client';
import { Strategy, type VerifyFunction } from 'openid-client/passport';
import { z } from 'zod';
import { defineStrategy, later, verify } from '#src/strategy-kit/strategy';

const http = { execute: [allowInsecureRequests] }; // only for a test: its provider speaks plain HTTP
export default defineStrategy({
  name: 'openid-client',
  kind: 'redirect',
  summary: 'Sign in with an OpenID provider that is found by its issuer',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string() }),
  create: ({ env, callbackUrl: callbackURL, resolveUser }) =>
    later(async () => {
      const config = await discovery(
        new URL(env.IDP_URL),
        'sallyport',
        undefined,
        ClientSecretPost(env.IDP_SECRET),
        http,
      );
      const find = async (tokens: Parameters<VerifyFunction>[0]) =>
        resolveUser({
          subject: tokens.claims()!.sub,
          ...(await fetchUserInfo(config, tokens.access_token, tokens.claims()!.sub)),
        });
      return new Strategy({ config, scope: 'openid email', callbackURL }, verify(find));
    }),
});
