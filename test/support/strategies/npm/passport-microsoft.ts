import { Strategy } from 'passport-microsoft';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

type Profile = { id: string; displayName: string; emails?: { value: string }[] };
export default defineStrategy({
  name: 'passport-microsoft',
  kind: 'redirect',
  summary: 'Sign in with Microsoft',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string(), IDP_API: z.url() }),
  create({
    env: { IDP_URL: idp, IDP_SECRET: clientSecret, IDP_API: apiEntryPoint },
    callbackUrl: callbackURL,
    state: store,
    resolveUser,
  }) {
    const urls = {
      authorizationURL: `${idp}/auth`,
      tokenURL: `${idp}/token`,
      apiEntryPoint,
      callbackURL,
    };
    const find = async (
      _access: string,
      _refresh: string,
      { id, displayName, emails: [email] = [] }: Profile,
    ) => resolveUser({ subject: id, name: displayName, email: email?.value });
    return new Strategy(
      { ...urls, clientID: 'sallyport', clientSecret, scope: ['user.read'], store, pkce: true },
      verify(find),
    );
  },
});
