import Strategy from 'passport-oauth2';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-oauth2',
  kind: 'redirect',
  summary: 'Sign in with an OAuth 2 provider',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string() }),
  create({
    env: { IDP_URL: idp, IDP_SECRET: clientSecret },
    callbackUrl: callbackURL,
    state: store,
    resolveUser,
  }) {
    const addresses = { authorizationURL: `${idp}/auth`, tokenURL: `${idp}/token`, callbackURL };
    const find = async (token: string, _refresh: string, _profile: object) => {
      const answer = await fetch(`${idp}/userinfo`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const { sub, preferred_username: username } = (await answer.json()) as {
        sub: string;
        preferred_username: string;
      };
      return resolveUser({ subject: sub, username });
    };
    return new Strategy(
      {
        ...addresses,
        clientID: 'sallyport',
        clientSecret,
        scope: 'openid profile',
        store,
        pkce: true,
      },
      verify(find),
    );
  },
});
