import { Strategy, type Profile, type StrategyOptions } from 'passport-google-oauth20';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/http/strategy';

export default defineStrategy({
  name: 'passport-google-oauth20',
  kind: 'redirect',
  summary: 'Sign in with Google',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string() }),
  create({ env: { IDP_URL: idp, IDP_SECRET: clientSecret }, callbackUrl: callbackURL, userOf }) {
    const addresses = { authorizationURL: `${idp}/auth`, tokenURL: `${idp}/token`, userProfileURL: `${idp}/userinfo`, callbackURL };
    const find = async (_access: string, _refresh: string, { id, displayName, emails: [email] = [] }: Profile) =>
      userOf({ subject: id, email: email?.value, emailVerified: Boolean(email?.verified), name: displayName });
    const options = { ...addresses, clientID: 'sallyport', clientSecret, scope: ['openid', 'profile', 'email'], state: true };
    return new Strategy(options as unknown as StrategyOptions, verify(find));
  },
});
