import Strategy from 'passport-openidconnect';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-openidconnect',
  kind: 'redirect',
  summary: 'Sign in with an OpenID provider',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string() }),
  create({
    env: { IDP_URL: issuer, IDP_SECRET: clientSecret },
    callbackUrl: callbackURL,
    resolveUser,
  }) {
    const urls = {
      authorizationURL: `${issuer}/auth`,
      tokenURL: `${issuer}/token`,
      userInfoURL: `${issuer}/userinfo`,
      callbackURL,
    };
    const options = {
      issuer,
      ...urls,
      clientID: 'sallyport',
      clientSecret,
      scope: ['profile'],
      nonce: true,
      skipUserProfile: false,
    };
    const find = async (
      _issuer: string,
      { id, username, displayName }: Record<'id' | 'username' | 'displayName', string>,
    ) => resolveUser({ subject: id, username, name: displayName });
    return new Strategy(options, verify(find));
  },
});
