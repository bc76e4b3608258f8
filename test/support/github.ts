import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll } from 'vitest';

interface Person {
  id: unknown;
  login?: unknown;
  name?: unknown;
  email?: unknown;
  emails: { email: string; primary: boolean; verified: boolean; visibility: string | null }[];
}
interface Grant {
  redirectUri: string;
  challenge: string | null;
  scope: string;
  person: string;
}
type Answer = (res: ServerResponse) => void;

export const client = { id: 'Iv1.0123456789abcdef', secret: 'g'.repeat(40) };

/** What GitHub keeps of somebody: a public profile, and addresses. */
export const person = (
  id: number,
  login: string,
  ...emails: [address: string, verified: boolean][]
): Person => ({
  id,
  login,
  name: `${login} the cat`,
  email: null,
  emails: emails.map(([email, verified], i) => ({
    email,
    verified,
    primary: i === 0,
    visibility: i === 0 ? 'private' : null,
  })),
});

const json = (res: ServerResponse, body: unknown, status = 200) =>
  void res
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body));

/**
 * GitHub Enterprise Server as its documentation describes it ("Authorizing OAuth apps", REST "users" and "emails"), on loopback. The
 * person in `signedIn` consents at once. Tests put something else in the place of an answer with `instead`.
 */
export async function startGitHub(people: Record<string, Person>) {
  const codes = new Map<string, Grant>();
  const tokens = new Map<string, Grant>();
  const state = { signedIn: '', scope: undefined as string | undefined, consents: true };
  const instead: Record<string, Answer> = {};
  const asked: string[] = [];

  function authorize(query: URLSearchParams, res: ServerResponse): void {
    const redirectUri = query.get('redirect_uri')!;
    if (query.get('client_id') !== client.id) return json(res, { message: 'Not Found' }, 404);
    if (query.get('response_type') !== 'code' || query.get('code_challenge_method') !== 'S256')
      return json(res, {}, 400);
    const back = new URL(redirectUri);
    if (state.consents) {
      const code = randomBytes(10).toString('hex');
      const scope = state.scope ?? query.get('scope') ?? '';
      codes.set(code, {
        redirectUri,
        challenge: query.get('code_challenge'),
        scope,
        person: state.signedIn,
      });
      back.searchParams.set('code', code);
    } else {
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', 'The user has denied your application access.');
    }
    back.searchParams.set('state', query.get('state')!);
    res.writeHead(302, { location: back.href }).end();
  }

  /** A mistake is a 200, too; and without `Accept` a form, not JSON. */
  async function accessToken(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(req));
    const say = (body: Record<string, string>) =>
      req.headers.accept === 'application/json'
        ? json(res, body)
        : void res
            .writeHead(200, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' })
            .end(String(new URLSearchParams(body)));
    const grant = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    if (form.get('client_id') !== client.id || form.get('client_secret') !== client.secret)
      return say({
        error: 'incorrect_client_credentials',
        error_description: 'The client_id and/or client_secret passed are incorrect.',
      });
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (!grant || grant.challenge !== challenge)
      return say({
        error: 'bad_verification_code',
        error_description: 'The code passed is incorrect or expired.',
      });
    if (grant.redirectUri !== form.get('redirect_uri'))
      return say({ error: 'redirect_uri_mismatch' });
    const token = `gho_${randomBytes(18).toString('hex')}`;
    tokens.set(token, grant);
    say({ access_token: token, scope: grant.scope, token_type: 'bearer' });
  }

  function api(req: IncomingMessage, res: ServerResponse, path: string): void {
    if (!req.headers['user-agent'])
      return json(res, { message: 'Request forbidden by administrative rules.' }, 403);
    const grant = tokens.get(
      /^(?:Bearer|token) (\S+)$/i.exec(req.headers.authorization ?? '')?.[1] ?? '',
    );
    if (!grant) return json(res, { message: 'Bad credentials' }, 401);
    const { emails, ...profile } = people[grant.person]!;
    if (path === '/api/v3/user') return json(res, profile);
    if (path === '/api/v3/user/emails' && /\buser\b/.test(grant.scope)) return json(res, emails);
    json(res, { message: 'Not Found' }, 404);
  }

  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url!, 'http://x');
    asked.push(pathname);
    if (instead[pathname]) instead[pathname](res);
    else if (pathname === '/login/oauth/authorize') authorize(searchParams, res);
    else if (pathname === '/login/oauth/access_token' && req.method === 'POST')
      void accessToken(req, res);
    else api(req, res, pathname);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    instead,
    asked,
    tokens,
  };
}
export const says =
  (body: string, status = 200, type = 'application/json'): Answer =>
  (res) =>
    void res.writeHead(status, { 'content-type': type }).end(body);
