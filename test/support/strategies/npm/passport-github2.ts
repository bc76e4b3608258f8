import { Strategy, type Profile, type StrategyOptions } from 'passport-github2';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-github2',
  kind: 'redirect',
  summary: 'Sign in with GitHub',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string(), IDP_API: z.url() }),
  create({
    env: { IDP_URL: idp, IDP_SECRET: clientSecret, IDP_API: api },
    callbackUrl: callbackURL,
    resolveUser,
  }) {
    const urls = {
      authorizationURL: `${idp}/auth`,
      tokenURL: `${idp}/token`,
      userProfileURL: `${api}/user`,
      callbackURL,
    };
    const options = {
      ...urls,
      userEmailURL: `${api}/user/emails`,
      clientID: 'sallyport',
      clientSecret,
      scope: ['user:email'],
    };
    const find = async (
      _access: string,
      _refresh: string,
      { id, username, emails = [] }: Profile,
    ) => resolveUser({ subject: id, username: username!, email: emails[0]?.value });
    return new Strategy(options as StrategyOptions, verify(find));
  },
});
