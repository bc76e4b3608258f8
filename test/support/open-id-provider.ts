import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { afterAll } from 'vitest';
import { browser, type Landing } from '#test/support/browser';

/** What a provider says of its people, by the name they sign in with there. Tests change it as they like. */
export type People = Record<string, Record<string, unknown>>;
export const clientSecret = 's'.repeat(40);

/** A real OpenID provider on loopback. `callbacks`: where its client is called back. */
export async function startProvider(callbacks: string[], people: People, more: object = {}) {
  let listener: RequestListener = (_req, res) => res.end();
  const server = createServer((req, res) => listener(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'sallyport',
        client_secret: clientSecret,
        redirect_uris: callbacks,
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: {
      openid: ['sub', 'hd'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
    },
    pkce: { required: () => false },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...people[id] }),
    }),
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ['a key of the test'] },
    ttl: Object.fromEntries(
      ['AccessToken', 'AuthorizationCode', 'Grant', 'IdToken', 'Interaction', 'Session'].map(
        (name) => [name, 600],
      ),
    ),
    ...more,
  });
  provider.on('server_error', () => {});
  listener = provider.callback();
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { issuer, server };
}

/** Signs in at the provider's own pages as this person, and goes where it sends the browser then. */
export async function signInAt(
  page: Landing,
  who: string,
  stop: string,
  tab: ReturnType<typeof browser>,
): Promise<Landing> {
  let landing = page;
  for (let step = 0; step < 4; step++) {
    const form = /<form[^>]*action="([^"]+)"/.exec(landing.text)?.[1];
    if (landing.status !== 200 || !form) return landing;
    const prompt = /name="prompt" value="(\w+)"/.exec(landing.text)?.[1] ?? 'login';
    landing = await tab.open(new URL(form, landing.url).href, stop, {
      form: { prompt, login: who, password: 'any' },
    });
  }
  return landing;
}
