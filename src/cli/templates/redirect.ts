/** What `strategy new --kind redirect` writes. */
export const redirect = {
  settings: ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET'],
  file: `import { z } from 'zod';
import { secureUrl } from '#src/core/setting-types';
import { defineStrategy, later } from '#src/http/strategy';

/**
 * Signs in at an OpenID provider. For one that speaks only OAuth 2.0, return a Passport strategy from npm instead, with
 * \`callbackURL: callbackUrl, store: state, pkce: true\` and a verify(…) that ends in \`userOf({ subject: profile.id })\`: see github.ts.
 */
export default defineStrategy({
  name: '{name}', // as the file is called
  kind: 'redirect', // GET /auth/{name} goes to the provider; it comes back to /auth/{name}/callback
  summary: 'Sign in with {name}',
  // Its own settings. Without them it is off.
  env: z.object({
    {PREFIX}_ISSUER: secureUrl.describe('Issuer, as the discovery document of the provider names it.'),
    {PREFIX}_CLIENT_ID: z.string().min(1).describe('Client id that the provider gave you for <PUBLIC_URL>/auth/{name}/callback.'),
    {PREFIX}_CLIENT_SECRET: z.string().min(1).describe('Client secret to it.'),
  }),
  create: (context) => {
    const { {PREFIX}_ISSUER: issuer, {PREFIX}_CLIENT_ID: clientId, {PREFIX}_CLIENT_SECRET: clientSecret } = context.env;
    // Made when somebody first comes: the provider must be asked for its addresses.
    return later(async () => (await import('#strategies/_openid')).openId({ issuer, clientId, clientSecret }, context));
  },
});
`,
  test: `import { describe, it } from 'vitest';
import { strategyConformance } from '#src/http/conformance';
import strategy from '#strategies/{name}';
import { browser } from '#test/support/browser';
import { clientSecret, signInAt, startProvider } from '#test/support/open-id-provider';

/** Nobody listens there: a browser that is sent there has arrived. */
const callbackUrl = 'http://127.0.0.1:9/auth/{name}/callback';
/** A real provider on this machine, with its people. */
const { issuer } = await startProvider([callbackUrl], { ada: { email: 'ada@idp.test', email_verified: true }, bob: {} });

/** Signs in at the provider, and brings what it sends the browser back with. */
const signedIn = (who: string) => async (address: URL) => {
  const tab = browser();
  const { url } = await signInAt(await tab.open(address.href, callbackUrl), who, callbackUrl, tab);
  return { query: Object.fromEntries(url.searchParams) };
};
const cancelled = ({ searchParams }: URL) => ({ query: { error: 'access_denied', state: searchParams.get('state')!, iss: issuer } });

describe('strategies/{name}', () => {
  const checks = strategyConformance(strategy, {
    env: { {PREFIX}_ISSUER: issuer, {PREFIX}_CLIENT_ID: 'sallyport', {PREFIX}_CLIENT_SECRET: clientSecret },
    callbackUrl,
    good: [signedIn('ada'), signedIn('bob')],
    bad: [cancelled],
  });
  it.each(checks)('$name', ({ run }) => run());
});
`,
};
