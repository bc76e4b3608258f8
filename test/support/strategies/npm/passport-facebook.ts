import { Strategy, type Profile } from 'passport-facebook';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-facebook',
  kind: 'redirect',
  summary: 'Sign in with Facebook',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string(), IDP_API: z.url() }),
  create({
    env: { IDP_URL: idp, IDP_SECRET: clientSecret, IDP_API: api },
    callbackUrl: callbackURL,
    resolveUser,
  }) {
    const urls = {
      authorizationURL: `${idp}/auth`,
      tokenURL: `${idp}/token`,
      profileURL: `${api}/me`,
      callbackURL,
    };
    const find = async (
      _access: string,
      _refresh: string,
      { id, displayName, emails: [email] = [] }: Profile,
    ) => resolveUser({ subject: id, name: displayName, email: email?.value });
    const options = {
      ...urls,
      clientID: 'sallyport',
      clientSecret,
      scope: ['email'],
      profileFields: ['id', 'displayName', 'emails'],
    };
    return new Strategy({ ...options, enableProof: true }, verify(find));
  },
});
