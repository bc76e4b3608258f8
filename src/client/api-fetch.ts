import type { Tokens } from '#src/client/api';
import type { Renewal } from '#src/client/refresh';
import type { Failure, Problem } from '#src/client/types';

interface Page {
  document?: { baseURI: string };
  location?: { href: string; origin: string };
}
export interface ApiFetch {
  fetch: typeof fetch;
  /** Origins that may see the token. */
  origins: readonly string[];
  /** What to send now. */
  current: () => Promise<Renewal>;
  refresh: (used: string) => Promise<Renewal>;
}

/** Nobody else gets the token: not by a mistyped address, nor by one that somebody else made. */
function addressed(input: string, origins: readonly string[]): string {
  const isOurs = origins.some(
    (origin) => input.startsWith(origin) && /^([/?#]|$)/.test(input.slice(origin.length)),
  );
  if (isOurs) return input;
  const { document, location } = globalThis as Page;
  if (location) {
    const url = new URL(input, document?.baseURI ?? location.href);
    if ([...origins, location.origin].includes(url.origin)) return url.href;
  }
  throw new TypeError(`The token is not sent to ${input}: name its origin in \`apis\``);
}

const addressOf = (input: string | URL | Request): string => {
  if (typeof input === 'string') return input;
  return 'href' in input ? input.href : input.url;
};

const unreachable = ({ body }: Failure) =>
  Object.assign(new TypeError(`Cannot refresh: ${body.code}`), { problem: body });

/** True if new tokens may help. Whatever says nothing else may be an API that only checks signatures. */
async function isStale(answer: Response): Promise<boolean> {
  if (answer.status !== 401) return false;
  const body = (await answer
    .clone()
    .json()
    .catch(() => null)) as Problem | null;
  return !body?.action || ['refresh', 'sign_in'].includes(body.action);
}

/** `fetch` with the access token. Repeats a request once, with new tokens, if its body can be sent again. */
export function apiFetch({ fetch, origins, current, refresh }: ApiFetch): typeof fetch {
  return async (input, init = {}) => {
    const request = typeof input === 'object' && 'headers' in input ? input : undefined;
    const target = addressed(addressOf(input), origins);
    const send = (tokens: Tokens | null) => {
      const headers = new Headers(init.headers ?? request?.headers);
      if (tokens) headers.set('Authorization', `Bearer ${tokens.accessToken}`);
      return fetch(request ?? target, { ...init, headers });
    };
    const first = await current();
    if ('refusal' in first && first.refusal.body.action === 'wait')
      throw unreachable(first.refusal);
    const held = 'tokens' in first ? first.tokens : null;
    const answer = await send(held);
    if (!held || !(await isStale(answer))) return answer;
    const renewal = await refresh(held.accessToken);
    if ('refusal' in renewal) {
      if (renewal.refusal.body.action === 'wait') throw unreachable(renewal.refusal);
      return answer;
    }
    const isOnce = init.body ? isStream(init.body) : Boolean(request?.body);
    if (isOnce || renewal.tokens?.user.id !== held.user.id) return answer;
    return send(renewal.tokens);
  };
}

/** Streams and iterables: what has been read of them is gone. */
export const isStream = (body: unknown) =>
  typeof body === 'object' &&
  body !== null &&
  ('getReader' in body || Symbol.asyncIterator in body || 'pipe' in body);
