import Strategy from 'passport-oauth1';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-oauth1',
  kind: 'redirect',
  summary: 'Sign in with an OAuth 1.0a provider',
  env: z.object({ OAUTH1_URL: z.url(), OAUTH1_SECRET: z.string() }),
  create({
    env: { OAUTH1_URL: idp, OAUTH1_SECRET: consumerSecret },
    callbackUrl: callbackURL,
    resolveUser,
  }) {
    const urls = {
      requestTokenURL: `${idp}/request`,
      accessTokenURL: `${idp}/access`,
      userAuthorizationURL: `${idp}/authorize`,
    };
    const find = async (
      _token: string,
      _secret: string,
      { user_id, screen_name }: Record<string, string>,
      _profile: object,
    ) => resolveUser({ subject: user_id!, username: screen_name });
    return new Strategy(
      { ...urls, callbackURL, consumerKey: 'sallyport', consumerSecret },
      verify(find),
    );
  },
});
