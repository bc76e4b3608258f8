import { Strategy, type Profile, type StrategyOptions } from 'passport-google-oauth20';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-google-oauth20',
  kind: 'redirect',
  summary: 'Sign in with Google',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string() }),
  create({
    env: { IDP_URL: idp, IDP_SECRET: clientSecret },
    callbackUrl: callbackURL,
    resolveUser,
  }) {
    const addresses = {
      authorizationURL: `${idp}/auth`,
      tokenURL: `${idp}/token`,
      userProfileURL: `${idp}/userinfo`,
      callbackURL,
    };
    const find = async (_access: string, _refresh: string, profile: Profile) => {
      const { id, displayName: name, emails: [email] = [] } = profile;
      const emailVerified = Boolean(email?.verified);
      return resolveUser({ subject: id, email: email?.value, emailVerified, name });
    };
    const options = {
      ...addresses,
      clientID: 'sallyport',
      clientSecret,
      scope: ['openid', 'profile', 'email'],
      state: true,
    };
    return new Strategy(options as unknown as StrategyOptions, verify(find));
  },
});
