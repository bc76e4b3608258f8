import { password } from '#test/support/app';
import type { Answer, Question } from '#test/support/client';

type Ask = (method: string, path: string, question?: Question) => Promise<Answer>;

/** Where the server says that it is. A cookie with the prefix needs https there. */
export const ORIGIN = 'https://auth.example.com';
export const COOKIE = '__Host-sallyport-refresh';
/** Its name on a server without TLS. */
const PLAIN_COOKIE = 'sallyport-refresh';
const nameAt = (origin: string) => (origin.startsWith('https:') ? COOKIE : PLAIN_COOKIE);

/** What a browser sends with a request of a page on the origin of the server. */
export const ownPage = (token?: string, origin = ORIGIN): Record<string, string> => ({
  'x-refresh-token': 'cookie',
  origin,
  'sec-fetch-site': 'same-origin',
  ...(token !== undefined && { cookie: `theme=dark; ${nameAt(origin)}=${token}` }),
});

/** The cookie that an answer sets: its value and its attributes. Undefined if there is none. */
export function setCookieOf({ headers }: Pick<Answer, 'headers'>) {
  const [line, ...others] = headers.getSetCookie();
  if (others.length > 0) throw new Error(`${others.length + 1} cookies`);
  if (line === undefined) return undefined;
  const [pair = '', ...attributes] = line.split('; ');
  const [name, token = ''] = pair.split('=');
  return { name, token, attributes };
}

/** The token of the cookie that an answer sets. */
export function heldIn(answer: Answer): string {
  const token = setCookieOf(answer)?.token;
  if (!token) throw new Error(`No cookie: ${answer.status} ${answer.text}`);
  return token;
}

/** Asks as a page on the origin of the server does, which holds this token in its cookie. */
export const fromPage =
  (ask: Ask, origin = ORIGIN) =>
  (method: string, path: string, token?: string, { headers, ...question }: Question = {}) =>
    ask(method, path, {
      body: {},
      ...question,
      headers: { ...ownPage(token, origin), ...headers },
    });

/** Signs in on a page of the server. */
export const signInOnPage = async (ask: Ask, identifier: string) =>
  fromPage(ask)('POST', '/auth/login', undefined, { body: { identifier, password } });
