import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import type { browser, Landing } from '#test/support/browser';
import { listenOnLoopback, newSigner, standardClaims } from '#test/support/id-tokens';

interface Person {
  sub: string;
  email?: string;
  /** Apple writes booleans as text, or not. */
  email_verified?: unknown;
  is_private_email?: unknown;
  firstName?: string;
  lastName?: string;
}
interface Grant {
  redirectUri: string;
  challenge: string | null;
  nonce: string | null;
  person: Person;
}

/** A developer account: what Apple knows, and what the server is told. */
const TEAM = 'TEAM123456';
const KEY_ID = 'KEY1234567';
const CLIENT = 'com.example.web';
const HALF_A_YEAR = 15_777_000;

const json = (res: ServerResponse, body: unknown, status = 200) =>
  void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/**
 * Apple as its documentation describes it ("Sign in with Apple REST API"), on loopback: it answers with
 * a form, names a person only once, wants a client secret that is signed, writes booleans as text,
 * and has no userinfo. The person in `signedIn` consents at once.
 */
export async function startApple() {
  const signer = await newSigner('apple-key');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const codes = new Map<string, Grant>();
  /** Refresh tokens that are valid, and whose they are. */
  const grants = new Map<string, string>();
  const named = new Set<string>();
  const secrets: string[] = [];
  const asked: string[] = [];
  const state = {
    signedIn: { sub: 'nobody' } as Person,
    consents: true,
    /** What the form says in the place of Apple's `user`. */
    user: undefined as string | undefined,
    /** Whether Apple answers everything with 503. */
    away: false,
  };

  function authorize(query: URLSearchParams, res: ServerResponse): void {
    const isRight =
      query.get('client_id') === CLIENT &&
      query.get('response_type') === 'code' &&
      query.get('response_mode') === 'form_post' && // Apple insists on it where a scope is asked for
      /\bname\b/.test(query.get('scope') ?? '');
    if (!isRight) return json(res, { error: 'invalid_request' }, 400);
    const redirectUri = query.get('redirect_uri')!;
    const fields: Record<string, string> = { state: query.get('state')! };
    if (state.consents) {
      const person = state.signedIn;
      const code = randomBytes(10).toString('hex');
      const [challenge, nonce] = [query.get('code_challenge'), query.get('nonce')];
      codes.set(code, { redirectUri, challenge, nonce, person });
      fields['code'] = code;
      const user = state.user ?? userField(person);
      if (user) fields['user'] = user;
    } else fields['error'] = 'user_cancelled_authorize';
    const inputs = Object.entries(fields).map(
      ([name, value]) => `<input name="${name}" value="${value.replaceAll('"', '&quot;')}">`,
    );
    res
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<form method="post" action="${redirectUri}">${inputs.join('')}</form>`);
  }

  function userField({ sub, email, firstName, lastName }: Person): string | undefined {
    if (named.has(sub) || !firstName) return undefined;
    named.add(sub);
    return JSON.stringify({ name: { firstName, lastName }, email });
  }

  /** The client secret: RFC 7523 in Apple's words. */
  async function isClient(form: URLSearchParams): Promise<boolean> {
    const secret = form.get('client_secret') ?? '';
    const { payload, protectedHeader } = await jwtVerify(secret, publicKey, {
      algorithms: ['ES256'],
      issuer: TEAM,
      subject: CLIENT,
      audience: url,
      requiredClaims: ['iat', 'exp'],
    });
    secrets.push(secret);
    return (
      protectedHeader.kid === KEY_ID &&
      form.get('client_id') === CLIENT &&
      payload.exp! - payload.iat! <= HALF_A_YEAR
    );
  }

  async function token(form: URLSearchParams, res: ServerResponse): Promise<void> {
    const grant = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '');
    if (
      !grant ||
      grant.challenge !== challenge.digest('base64url') ||
      grant.redirectUri !== form.get('redirect_uri')
    )
      return json(res, { error: 'invalid_grant' }, 400);
    const refreshToken = `r${randomBytes(30).toString('hex')}`;
    grants.set(refreshToken, grant.person.sub);
    const { firstName: _first, lastName: _last, ...claims } = grant.person;
    const nonce = grant.nonce ?? undefined;
    json(res, {
      access_token: 'a'.repeat(60),
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: refreshToken,
      id_token: await signer.sign({ ...standardClaims(url, CLIENT, claims.sub), ...claims, nonce }),
    });
  }

  async function post(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const form = new URLSearchParams(await text(req));
    if (!(await isClient(form).catch(() => false)))
      return json(res, { error: 'invalid_client' }, 400);
    if (path === '/auth/token') return token(form, res);
    grants.delete(form.get('token') ?? '');
    res.writeHead(200).end();
  }

  const { url } = await listenOnLoopback((req, res) => {
    const { pathname, searchParams } = new URL(req.url!, 'http://x');
    asked.push(pathname);
    if (state.away) json(res, {}, 503);
    else if (pathname === '/auth/authorize') authorize(searchParams, res);
    else if (pathname === '/auth/keys') json(res, { keys: [signer.jwk] });
    else if (req.method === 'POST' && /^\/auth\/(token|revoke)$/.test(pathname))
      void post(req, res, pathname);
    else json(res, {}, 404);
  });
  const settings = {
    APPLE_CLIENT_ID: CLIENT,
    APPLE_TEAM_ID: TEAM,
    APPLE_KEY_ID: KEY_ID,
    APPLE_PRIVATE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    APPLE_ISSUER: url,
  };
  return { url, signer, settings, state, grants, secrets, asked };
}

/** The form that Apple's page posts, and where. */
export function formIn({ text: page }: Pick<Landing, 'text'>) {
  const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
    name!,
    value!.replaceAll('&quot;', '"'),
  ]);
  return {
    address: /action="([^"]+)"/.exec(page)![1]!,
    form: Object.fromEntries(fields) as Record<string, string>,
  };
}

/** Signs in at Apple, whose page posts its form, and goes where the server sends the browser then. */
export async function signInAtApple(
  tab: ReturnType<typeof browser>,
  address: string,
  stop: string,
  more: Record<string, string> = {},
): Promise<Landing> {
  const page = await tab.open(address, stop);
  if (page.status !== 200) return page;
  const { address: action, form } = formIn(page);
  return tab.open(action, stop, { form: { ...form, ...more } });
}
