import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { CookieOptions, Request } from 'express';
import { config } from '#src/config';
import { isFirst } from '#src/core/one-time-tokens';
import { Problem } from '#src/core/problem';
import { seal, unseal } from '#src/core/secrets';

/** How long somebody may take at their provider, in seconds. */
const LIFE = 600;
/** Longest cookie that every browser keeps, with its name and attributes. */
const LONGEST_COOKIE = 3800;
/** Under which name providers give back what they were given. */
export const STATES = ['state', 'RelayState', 'oauth_token'] as const;

const SECURE = config.PUBLIC_URL.startsWith('https:');
/** A browser accepts `__Host-` only from this very host, over TLS: no neighbour can put a cookie in its place (RFC 6265bis §4.1.3.2). */
const PREFIX = SECURE ? '__Host-sallyport-' : 'sallyport-';
/**
 * Each holds one round trip, so a browser never has more of them, however many it begins at the same moment: were there a cookie for each,
 * its requests would have more headers than a server reads, for ten minutes.
 */
const COOKIES = ['1', '2', '3', '4'].map((number) => PREFIX + number);
const PURPOSE = 'round trip';

/** Where an app wants its user back, and with what. */
export interface Asked {
  redirectUri: string;
  codeChallenge: string;
  state?: string | undefined;
}
/** One way to a provider and back. It travels with the browser: sealed, in a cookie of its own. */
interface RoundTrip extends Asked {
  id: string;
  strategy: string;
  expiresAt: number;
  /** What the strategy keeps for its way back. */
  session: object;
  /** Digest of the state that the provider gives back. */
  stateDigest: string;
  /** The provider gives back a state that we added: the strategy knows nothing of it. */
  ours: boolean;
}
interface Traveller extends Request {
  session?: object;
  departure?: { asked: Asked; strategy: string; formPost: boolean };
  roundTrip?: RoundTrip;
}

/** The round trip that this request came back from, if it is one that began here. */
export const roundTripOf = (req: Request): RoundTrip | undefined => (req as Traveller).roundTrip;

/** Prepares a request to be seen off. Strategies find a session to write to, and none of the app's own parameters. */
export function begin(req: Request, strategy: string, asked: Asked, formPost: boolean): void {
  Object.assign(req as Traveller, { session: {}, departure: { asked, strategy, formPost } });
  withoutQuery(req);
}

/**
 * Gives the browser its cookie and tells the response where to send it. The cookie is good for the state that the strategy chose; if it chose
 * none, one is added. So no strategy can forget to check it: without the cookie there is no way back.
 */
export function depart(req: Traveller, url: string): void {
  if (!req.departure) throw new Error('A strategy redirected somebody who had come back');
  const { asked, strategy, formPost } = req.departure;
  const target = new URL(url);
  const name = STATES.find((each) => target.searchParams.get(each));
  if (!name)
    target.searchParams.set(target.searchParams.has('SAMLRequest') ? 'RelayState' : 'state', randomBytes(24).toString('base64url'));
  const state = STATES.map((each) => target.searchParams.get(each)).find(Boolean)!;
  const id = randomBytes(16).toString('base64url');
  const began = { id, strategy, stateDigest: digestOf(state), session: req.session!, ours: !name, expiresAt: Date.now() + LIFE * 1000 };
  const trip: RoundTrip = { ...asked, ...began };
  const value = seal(PURPOSE, JSON.stringify(trip));
  if (value.length > LONGEST_COOKIE) throw new Error('A strategy keeps more for its way back than a cookie can hold');
  req.res!.cookie(cookieFor(req), value, { ...attributes(formPost), maxAge: LIFE * 1000 });
  req.res!.setHeader('Location', name ? url : target.href);
}

/**
 * Finds the round trip that a browser comes back from, and puts the strategy's session back. Throws 400 `invalid_state` for one
 * that this browser did not begin, that was not sent to this strategy, took too long, or has come back before.
 */
export async function comeBack(req: Traveller, strategy: string, formPost: boolean): Promise<void> {
  const given: Record<string, unknown> = (formPost ? req.body : req.query) as Record<string, unknown>;
  const state = STATES.map((name) => given[name]).find((value) => typeof value === 'string' && value !== '');
  const [cookie, trip] = tripsOf(req).find(([, each]) => each?.stateDigest === digestOf(String(state))) ?? [];
  if (cookie) req.res!.clearCookie(cookie, attributes(formPost));
  if (!trip || trip.strategy !== strategy || trip.expiresAt <= Date.now() || !(await isFirst(PURPOSE, trip.id, LIFE)))
    throw new Problem('invalid_state');
  Object.assign(req, { session: trip.session, roundTrip: trip });
  if (trip.ours) withoutState(req, given);
}

function opened(sealed: string | undefined): RoundTrip | undefined {
  try {
    return sealed === undefined ? undefined : (JSON.parse(unseal(PURPOSE, sealed).plain) as RoundTrip);
  } catch {
    return undefined;
  }
}

const digestOf = (state: string) => createHash('sha256').update(state).digest('base64url');

/** Each of our cookies, and the round trip in it, if there is one. */
function tripsOf(req: Request): [string, RoundTrip | undefined][] {
  const cookies = cookiesOf(req);
  return COOKIES.map((name) => [name, opened(cookies[name])]);
}

/** A free one, by chance: tabs that leave at the same moment know nothing of each other. Else that of the round trip which began first. */
function cookieFor(req: Request): string {
  const trips = tripsOf(req);
  const free = trips.filter(([, trip]) => !trip);
  const [oldest] = trips.toSorted(([, a], [, b]) => (a?.expiresAt ?? 0) - (b?.expiresAt ?? 0));
  return (free.length > 0 ? free[randomInt(free.length)]! : oldest!)[0];
}

// A form from another site brings a cookie along only with SameSite=None, which asks for TLS. Without TLS, that is at home, browsers
// are left to their default, which lets a young cookie pass. What the cookie says is bound to the state, so that nobody can lend it.
const attributes = (formPost: boolean): CookieOptions => ({
  httpOnly: true,
  path: '/',
  secure: SECURE,
  ...(formPost ? SECURE && { sameSite: 'none' } : { sameSite: 'lax' }),
});

const cookiesOf = ({ headers }: Pick<Request, 'headers'>): Record<string, string> =>
  Object.fromEntries([...(headers.cookie ?? '').matchAll(/(?:^|;\s*)([\w-]+)=([\w-]*)(?=;|$)/g)].map(([, name, value]) => [name, value]));

function withoutQuery(req: Request): void {
  setQuery(req, new URLSearchParams());
  Object.defineProperty(req, 'query', { value: {}, writable: true, configurable: true });
}

/** Strict libraries refuse a state that they did not send. */
function withoutState(req: Request, given: Record<string, unknown>): void {
  const params = new URLSearchParams(req.originalUrl.split('?')[1]);
  for (const name of STATES) {
    delete given[name];
    params.delete(name);
  }
  setQuery(req, params);
}

function setQuery(req: Request, params: URLSearchParams): void {
  const query = String(params);
  req.originalUrl = req.originalUrl.split('?')[0]! + (query && `?${query}`);
  req.url = req.originalUrl;
}
