import { Strategy, type Profile } from 'passport-github2';
import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

/**
 * With `allRawEmails` the profile says which addresses GitHub has verified. The id is read from
 * `_json`: the `id` of the library is the text `undefined` if GitHub sends none.
 */
type GitHubProfile = Omit<Profile, 'emails'> & {
  emails?: { value: string; primary: boolean; verified: boolean }[];
  _json: { id?: unknown };
};

export default defineStrategy({
  name: 'github',
  kind: 'redirect',
  summary: 'Sign in with GitHub',
  env: z.object({
    GITHUB_CLIENT_ID: z
      .string()
      .min(1)
      .describe('Client id of an OAuth app at GitHub, for <PUBLIC_URL>/auth/github/callback.'),
    GITHUB_CLIENT_SECRET: z.string().min(1).describe('Client secret of that app.'),
    GITHUB_URL: secureUrl
      .default('https://github.com')
      .describe('Your GitHub Enterprise Server, if it is not github.com.'),
  }),
  create: ({ env, callbackUrl, state, resolveUser }) => {
    const site = env.GITHUB_URL.replace(/\/$/, '');
    const api = site === 'https://github.com' ? 'https://api.github.com' : `${site}/api/v3`;
    const options = {
      clientID: env.GITHUB_CLIENT_ID,
      clientSecret: env.GITHUB_CLIENT_SECRET,
      callbackURL: callbackUrl,
      authorizationURL: `${site}/login/oauth/authorize`,
      tokenURL: `${site}/login/oauth/access_token`,
      userProfileURL: `${api}/user`,
      userEmailURL: `${api}/user/emails`,
      scope: ['user:email'],
      allRawEmails: true,
      store: state,
      pkce: true,
    };
    const find = async (_accessToken: string, _refreshToken: string, profile: Profile) => {
      const { _json, username, displayName, emails = [] } = profile as unknown as GitHubProfile;
      const { id } = _json;
      if (typeof id !== 'number') throw new Error('GitHub did not say who it is');
      const email = emails.find(({ primary }) => primary);
      return resolveUser({
        // An id is unique only at its site. If GITHUB_URL changes, users must not turn into others.
        subject: `${site} ${id}`,
        email: email?.value,
        emailVerified: email?.verified,
        username,
        name: displayName,
      });
    };
    return new Strategy(options, verify(find));
  },
});
