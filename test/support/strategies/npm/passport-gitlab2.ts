import { Strategy } from 'passport-gitlab2';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-gitlab2',
  kind: 'redirect',
  summary: 'Sign in with GitLab',
  env: z.object({ IDP_URL: z.url(), IDP_SECRET: z.string(), IDP_API: z.url() }),
  create({
    env: { IDP_URL: idp, IDP_SECRET: clientSecret, IDP_API: api },
    callbackUrl: callbackURL,
    resolveUser,
  }) {
    const urls = {
      authorizationURL: `${idp}/auth`,
      tokenURL: `${idp}/token`,
      profileURL: `${api}/api/v4/user`,
      callbackURL,
    };
    const find = async (
      _access: string,
      _refresh: string,
      { id, username }: Record<'id' | 'username', string>,
    ) => resolveUser({ subject: id, username });
    return new Strategy({ ...urls, clientID: 'sallyport', clientSecret }, verify(find));
  },
});
