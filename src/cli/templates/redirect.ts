/** What `strategy new --kind redirect` writes. */
export const redirect = {
  settings: ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET'],
  file: `import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';
import { defineStrategy, later } from '#src/strategy-kit/strategy';

/**
 * Signs in at an OpenID provider. For one that supports only OAuth 2.0, return a Passport strategy
 * from npm instead, with \`callbackURL: callbackUrl, store: state, pkce: true\` and a verify(…) that
 * ends in \`resolveUser({ subject: profile.id })\`: see github.ts.
 */
export default defineStrategy({
  name: '{name}', // same as the file
  kind: 'redirect', // GET /auth/{name} redirects to the provider, which calls /auth/{name}/callback
  summary: 'Sign in with {name}',
  // Its own settings. Without them it is off.
  env: z.object({
    {PREFIX}_ISSUER: secureUrl.describe('Issuer, as in the discovery document of the provider.'),
    {PREFIX}_CLIENT_ID: z
      .string()
      .min(1)
      .describe('Client id that the provider gave you for <PUBLIC_URL>/auth/{name}/callback.'),
    {PREFIX}_CLIENT_SECRET: z.string().min(1).describe('Client secret of that client.'),
  }),
  create: (context) => {
    const { env } = context;
    const provider = {
      issuer: env.{PREFIX}_ISSUER,
      clientId: env.{PREFIX}_CLIENT_ID,
      clientSecret: env.{PREFIX}_CLIENT_SECRET,
    };
    // Created with the first request: it must ask the provider for its addresses.
    return later(async () => (await import('#strategies/_openid')).openId(provider, context));
  },
});
`,
  test: `import { describe, it } from 'vitest';
import { strategyConformance } from '#src/strategy-kit/conformance';
import strategy from '#strategies/{name}';
import { browser } from '#test/support/browser';
import { clientSecret, signInAt, startProvider } from '#test/support/open-id-provider';

/** Nothing listens there. The test browser stops when it is redirected there. */
const callbackUrl = 'http://127.0.0.1:9/auth/{name}/callback';
/** A real provider on this machine, with two users. */
const { issuer } = await startProvider([callbackUrl], {
  ada: { email: 'ada@idp.test', email_verified: true },
  bob: {},
});

/** Signs in at the provider. Answers what it returns through the browser. */
const signedIn = (who: string) => async (address: URL) => {
  const tab = browser();
  const page = await tab.open(address.href, callbackUrl);
  const { url } = await signInAt(page, who, callbackUrl, tab);
  return { query: Object.fromEntries(url.searchParams) };
};
const cancelled = ({ searchParams }: URL) => ({
  query: { error: 'access_denied', state: searchParams.get('state')!, iss: issuer },
});

describe('strategies/{name}', () => {
  const checks = strategyConformance(strategy, {
    env: {
      {PREFIX}_ISSUER: issuer,
      {PREFIX}_CLIENT_ID: 'sallyport',
      {PREFIX}_CLIENT_SECRET: clientSecret,
    },
    callbackUrl,
    good: [signedIn('ada'), signedIn('bob')],
    bad: [cancelled],
  });
  it.each(checks)('$name', ({ run }) => run());
});
`,
};
