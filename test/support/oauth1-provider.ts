import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

/** RFC 5849 §3.6. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** The parameters of a request whose HMAC-SHA1 signature is right (RFC 5849 §3.4), else null. */
function signedBy(
  req: IncomingMessage,
  base: string,
  consumerSecret: string,
  secretOf: (token?: string) => string | undefined,
) {
  const params = Object.fromEntries(
    [...(req.headers.authorization ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [
      name!,
      decodeURIComponent(value!),
    ]),
  );
  const { oauth_signature: signature, ...rest } = params;
  const pairs = Object.entries(rest).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  const text = [req.method!, `${base}${req.url}`, pairs.sort().join('&')].map(encode).join('&');
  const tokenSecret = secretOf(params['oauth_token']);
  if (tokenSecret === undefined) return null;
  const expected = createHmac('sha1', `${encode(consumerSecret)}&${encode(tokenSecret)}`)
    .update(text)
    .digest('base64');
  return signature === expected ? params : null;
}

/** An OAuth 1.0a provider on loopback that knows who sits in front of it. */
export async function startOAuth1Provider(
  consumerSecret: string,
  who: { user_id: string; screen_name: string },
) {
  const tokens = new Map<string, { secret: string; callback: string; verifier?: string }>();
  const random = () => randomBytes(12).toString('hex');
  const server = createServer((req, res) => {
    const refuse = () => void res.writeHead(401).end('no');
    const say = (fields: Record<string, string>) =>
      void res.end(String(new URLSearchParams(fields)));
    const { pathname, searchParams } = new URL(req.url!, base);
    if (pathname === '/authorize') {
      const id = searchParams.get('oauth_token')!;
      const token = tokens.get(id);
      if (!token) return refuse();
      token.verifier = random();
      const query = new URLSearchParams({ oauth_token: id, oauth_verifier: token.verifier });
      return void res.writeHead(302, { location: `${token.callback}?${String(query)}` }).end();
    }
    const params = signedBy(req, base, consumerSecret, (id) =>
      id === undefined ? '' : tokens.get(id)?.secret,
    );
    if (!params) return refuse();
    if (pathname === '/request') {
      const [id, secret] = [random(), random()];
      tokens.set(id, { secret, callback: params['oauth_callback']! });
      return say({ oauth_token: id, oauth_token_secret: secret, oauth_callback_confirmed: 'true' });
    }
    const token = tokens.get(params['oauth_token']!);
    tokens.delete(params['oauth_token']!);
    if (!token?.verifier || token.verifier !== params['oauth_verifier']) return refuse();
    return say({ oauth_token: random(), oauth_token_secret: random(), ...who });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return base;
}
