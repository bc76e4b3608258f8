import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';
import { clientSecret } from '#test/support/open-id-provider';

/** What these services say of somebody, as their documentation shows it. A person's `number` and `name` are those of the test. */
const shapes: Record<string, (who: string, id: number) => object> = {
  '/user': (who, id) => ({
    login: who,
    id,
    node_id: 'MDQ6',
    html_url: `https://github.test/${who}`,
    name: who,
    email: null,
    type: 'User',
  }),
  '/user/emails': (who) => [
    { email: `${who}@users.noreply.test`, primary: false, verified: true, visibility: null },
    { email: `${who}@mail.test`, primary: true, verified: true, visibility: 'public' },
  ],
  '/api/v4/user': (who, id) => ({
    id,
    username: who,
    name: who,
    state: 'active',
    email: `${who}@mail.test`,
    avatar_url: null,
    web_url: '',
  }),
  '/v1.0/me/': (who, id) => ({
    id: `${id}-aad`,
    displayName: who,
    givenName: who,
    surname: 'M',
    mail: `${who}@mail.test`,
    userPrincipalName: `${who}@m.test`,
  }),
  '/me': (who, id) => ({ id: String(id), name: who, email: `${who}@mail.test` }),
};

/** The interfaces of services that say who somebody is in words of their own. Access tokens are those of the real provider, which is asked about them. */
export async function startProfiles(issuer: string): Promise<string> {
  const owner = async (token: string) => {
    const body = new URLSearchParams({
      token,
      client_id: 'sallyport',
      client_secret: clientSecret,
    });
    const answer = await fetch(`${issuer}/token/introspection`, { method: 'POST', body });
    return ((await answer.json()) as { sub?: string }).sub;
  };
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url!, 'http://localhost');
    const token =
      req.headers.authorization?.replace(/^Bearer /, '') ?? searchParams.get('access_token') ?? '';
    const proof =
      pathname !== '/me' ||
      searchParams.get('appsecret_proof') ===
        createHmac('sha256', clientSecret).update(token).digest('hex');
    void owner(token).then((who) => {
      const shape = shapes[pathname];
      const said = who && proof && shape ? shape(who, 1000 + who.length) : undefined;
      res
        .writeHead(said ? 200 : 401, { 'content-type': 'application/json' })
        .end(JSON.stringify(said ?? { message: 'Bad credentials' }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
