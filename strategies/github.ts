import type { Profile } from 'passport-github2';
import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';
import { defineStrategy, later, verify } from '#src/strategy-kit/strategy';
import type { Address } from '#strategies/_github';
import { explain } from '#strategies/_unreachable';

/** The `id` of the library is the text `undefined` if GitHub sends none, so it is read from `_json`. */
type GitHubProfile = Profile & { addresses: Address[]; _json: { id?: unknown } };

/** The addresses of a GitHub and of its API. */
function siteOf(url: string): { site: string; api: string } {
  const site = url.replace(/\/$/, '');
  return {
    site,
    api: site === 'https://github.com' ? 'https://api.github.com' : `${site}/api/v3`,
  };
}

export default defineStrategy({
  name: 'github',
  kind: 'redirect',
  summary: 'Sign in with GitHub',
  authorizationParameters: ['prompt', 'login_hint'],
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
  check: async ({ GITHUB_URL }) => {
    const { api } = siteOf(GITHUB_URL);
    try {
      const response = await fetch(api, { signal: AbortSignal.timeout(5000) });
      await response.body?.cancel();
      return response.ok ? [] : [explain({ status: response.status }, `The API at ${api}`)];
    } catch (error) {
      return [explain(error, `The API at ${api}`)];
    }
  },
  load: () => import('#strategies/_github'),
  create: ({ env, callbackUrl, state, resolveUser }) => {
    const { site, api } = siteOf(env.GITHUB_URL);
    const options = {
      clientID: env.GITHUB_CLIENT_ID,
      clientSecret: env.GITHUB_CLIENT_SECRET,
      callbackURL: callbackUrl,
      authorizationURL: `${site}/login/oauth/authorize`,
      tokenURL: `${site}/login/oauth/access_token`,
      userProfileURL: `${api}/user`,
      store: state,
      pkce: true,
    };
    const find = async (_accessToken: string, _refreshToken: string, profile: Profile) => {
      const { _json, username, displayName, addresses } = profile as GitHubProfile;
      const { id } = _json;
      if (typeof id !== 'number') throw new Error('GitHub did not say who it is');
      const { email, verified } = addresses.find(({ primary }) => primary) ?? {};
      return resolveUser({
        issuer: site, // if GITHUB_URL changes, users must not turn into others
        subject: id,
        email,
        emailVerified: verified,
        username,
        name: displayName,
      });
    };
    return later(async () => {
      const { GitHubStrategy } = await import('#strategies/_github');
      return new GitHubStrategy(options, `${api}/user/emails`, verify(find));
    });
  },
});
