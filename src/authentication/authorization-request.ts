import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { CookieOptions, Request } from 'express';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { isFirstUse } from '#src/one-time-tokens/one-time-tokens';
import { unsealJson } from '#src/platform/crypto/secrets';
import { cookieOf, hostCookie, isSecure } from '#src/platform/http/cookies';
import { Problem } from '#src/platform/http/problem';
import type { Locale } from '#src/platform/messages/locales';
import type { Settings } from '#src/platform/settings/settings';
import type { AppRequest } from '#src/strategy-kit/app-request';
import { STATE_PARAMETERS } from '#src/strategy-kit/state-store';

const LIFETIME_SECONDS = lifetimes.authorizationRequestSeconds;
/** Longest cookie that every browser keeps, with its name and attributes, in characters. */
const MAX_COOKIE = 3800;
const PURPOSE = 'round trip';

/**
 * The cookies of a browser, one for each authorization request that is under way. Their number is fixed: with a cookie
 * for each request, a browser that starts many at once would send more headers than a server reads, for ten minutes.
 */
const cookieNames = (settings: Settings) =>
  ['1', '2', '3', '4'].map((n) => hostCookie(settings, `sallyport-${n}`));

interface BegunRequest extends AppRequest {
  /** The hosted page began it, in this language. */
  hostedLocale?: Locale | undefined;
}

/** A request for a sign-in at a provider. It travels with the browser, encrypted, in a cookie of its own. */
interface AuthorizationRequest extends BegunRequest {
  id: string;
  strategy: string;
  expiresAt: number;
  /** What the strategy stores for its callback. */
  session: object;
  /** Digest of the state that the provider gives back. */
  stateDigest: string;
  /** The server added the state: the strategy does not know it. */
  isOwnState: boolean;
}
interface Departure {
  app: BegunRequest;
  strategy: string;
  formPost: boolean;
  /** What the app asks of the sign-in, as options of the Passport strategy. */
  options: object;
}
interface BrowserRequest extends Request {
  session?: object;
  starting?: Departure;
  authorizationRequest?: AuthorizationRequest;
}

/** The authorization request that this callback belongs to, if it was started here. */
export const authorizationRequestOf = (req: Request): AuthorizationRequest | undefined =>
  (req as BrowserRequest).authorizationRequest;

/** The app whose browser is about to be sent to a provider, if this request starts that. */
export const departureOf = (req: Request): Departure | undefined =>
  (req as BrowserRequest).starting;

/** Prepares a request for its strategy. The strategy finds a session to write to, and none of the app's parameters. */
export function prepare(
  req: Request,
  strategy: string,
  { redirectUri, codeChallenge, state, clientId, hostedLocale }: BegunRequest,
  formPost: boolean,
  options: object,
): void {
  const app = { redirectUri, codeChallenge, state, clientId, hostedLocale };
  const starting: Departure = { app, strategy, formPost, options };
  Object.assign(req as BrowserRequest, { session: {}, starting });
  setQuery(req, new URLSearchParams());
  Object.defineProperty(req, 'query', { value: {}, writable: true, configurable: true });
}

/**
 * Sets the cookie and the `Location` of a redirect to the provider. The cookie is bound to the state that the strategy
 * chose. If it chose none, the server adds one. So no strategy can forget the check: without the cookie there is no
 * callback.
 */
export const start =
  (ctx: Context) =>
  (req: Request, url: string): void => {
    const { session, starting } = req as BrowserRequest;
    if (!starting)
      throw new Error('A strategy redirected a browser that came back from the provider');
    const { app, strategy, formPost } = starting;
    const target = new URL(url);
    const given = STATE_PARAMETERS.find((name) => target.searchParams.get(name));
    const name = given ?? (target.searchParams.has('SAMLRequest') ? 'RelayState' : 'state');
    if (!given) target.searchParams.set(name, randomBytes(24).toString('base64url'));
    const request: AuthorizationRequest = {
      ...app,
      id: randomBytes(16).toString('base64url'),
      strategy,
      stateDigest: digestOf(target.searchParams.get(name)!),
      session: session!,
      isOwnState: !given,
      expiresAt: ctx.clock.now() + LIFETIME_SECONDS * 1000,
    };
    const value = ctx.secrets.seal(PURPOSE, JSON.stringify(request));
    if (value.length > MAX_COOKIE)
      throw new Error('A strategy stores more for its callback than a cookie can hold');
    const attributes = cookieAttributes(ctx.settings, formPost);
    req.res!.cookie(cookieFor(ctx, req), value, { ...attributes, maxAge: LIFETIME_SECONDS * 1000 });
    req.res!.setHeader('Location', given ? url : target.href);
  };

/**
 * Finds the authorization request of a callback and puts the session of the strategy back.
 * @throws {Problem} 400 `invalid_state` if this browser did not start it, it was for another strategy, it took too long,
 * or it was used before
 */
export async function callback(
  ctx: Context,
  req: Request,
  strategy: string,
  formPost: boolean,
): Promise<AuthorizationRequest> {
  const given = (formPost ? req.body : req.query) as Record<string, unknown>;
  const state = STATE_PARAMETERS.map((name) => given[name]).find(
    (value) => typeof value === 'string' && value !== '',
  );
  const digest = digestOf(String(state));
  const [name, request] =
    requestsOf(ctx, req).find(([, each]) => each?.stateDigest === digest) ?? [];
  if (name) req.res!.clearCookie(name, cookieAttributes(ctx.settings, formPost));
  if (!request || request.strategy !== strategy || request.expiresAt <= ctx.clock.now())
    throw new Problem('invalid_state');
  if (!(await isFirstUse(ctx, PURPOSE, request.id, LIFETIME_SECONDS)))
    throw new Problem('invalid_state');
  Object.assign(req, { session: request.session, authorizationRequest: request });
  if (request.isOwnState) removeState(req, given);
  return request;
}

const decrypt = (
  { secrets }: Context,
  value: string | undefined,
): AuthorizationRequest | undefined =>
  value === undefined
    ? undefined
    : (unsealJson(secrets, PURPOSE, value) as AuthorizationRequest | undefined);

const digestOf = (state: string) => createHash('sha256').update(state).digest('base64url');

/** Each of our cookies, with the authorization request in it, if there is one. */
const requestsOf = (ctx: Context, req: Request): [string, AuthorizationRequest | undefined][] =>
  cookieNames(ctx.settings).map((name) => [name, decrypt(ctx, cookieOf(req, name))]);

/** A free cookie, chosen at random: tabs that start at once do not know each other. Without a free one, the oldest. */
function cookieFor(ctx: Context, req: Request): string {
  const requests = requestsOf(ctx, req);
  const free = requests.filter(([, request]) => !request);
  const [oldest] = requests.toSorted(([, a], [, b]) => (a?.expiresAt ?? 0) - (b?.expiresAt ?? 0));
  return (free.length > 0 ? free[randomInt(free.length)]! : oldest!)[0];
}

// A form post from another site carries a cookie only with SameSite=None, which needs TLS. Without TLS, at home, browsers
// use their default, which lets a young cookie pass. The cookie is bound to the state, so that nobody can lend it.
function cookieAttributes(settings: Settings, formPost: boolean): CookieOptions {
  const secure = isSecure(settings);
  const sameSite = formPost
    ? secure && ({ sameSite: 'none' } as const)
    : { sameSite: 'lax' as const };
  return { httpOnly: true, path: '/', secure, ...sameSite };
}

/** Strict libraries refuse a state that they did not send. */
function removeState(req: Request, given: Record<string, unknown>): void {
  const params = new URLSearchParams(req.originalUrl.split('?')[1]);
  for (const name of STATE_PARAMETERS) {
    delete given[name];
    params.delete(name);
  }
  setQuery(req, params);
}

/** Behind a mount path, `req.url` is shorter than `req.originalUrl`. */
function setQuery(req: Request, params: URLSearchParams): void {
  const query = params.size > 0 ? `?${params.toString()}` : '';
  req.originalUrl = req.originalUrl.split('?')[0]! + query;
  req.url = req.url.split('?')[0]! + query;
}
