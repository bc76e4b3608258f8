import { Strategy, type Profile } from 'passport-github2';
import { z } from 'zod';
import { secureUrl } from '#src/core/setting-types';
import { defineStrategy, verify } from '#src/http/strategy';

/** With `allRawEmails` the library tells which addresses GitHub has verified; without, it drops that. Its own `id` is `undefined` as a word where there is none. */
type Said = Omit<Profile, 'emails'> & { emails?: { value: string; primary: boolean; verified: boolean }[]; _json: { id?: unknown } };

export default defineStrategy({
  name: 'github',
  kind: 'redirect',
  summary: 'Sign in with GitHub',
  env: z.object({
    GITHUB_CLIENT_ID: z.string().min(1).describe('Client id of an OAuth app at GitHub, for <PUBLIC_URL>/auth/github/callback.'),
    GITHUB_CLIENT_SECRET: z.string().min(1).describe('Client secret to it.'),
    GITHUB_URL: secureUrl.default('https://github.com').describe('Your GitHub Enterprise Server, if it is not github.com.'),
  }),
  create: ({ env, callbackUrl, state, userOf }) => {
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
    const find = async (_access: string, _refresh: string, profile: Profile) => {
      const { _json, username, displayName, emails = [] } = profile as unknown as Said;
      const { id } = _json;
      if (typeof id !== 'number') throw new Error('GitHub did not say who it is');
      const email = emails.find(({ primary }) => primary);
      // Numbers are unique at their site only: with another GITHUB_URL nobody becomes somebody else.
      return userOf({ subject: `${site} ${id}`, email: email?.value, emailVerified: email?.verified, username, name: displayName });
    };
    return new Strategy(options, verify(find));
  },
});
