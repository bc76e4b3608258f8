import type { Tokens } from '#src/client/api';
import { inTurn } from '#src/client/locks';
import { isUnknown, type TokenStore } from '#src/client/token-store';
import { failure, retryAfter, send, type Transport } from '#src/client/transport';
import type { Failure } from '#src/client/types';

export interface Refreshing {
  transport: Transport;
  store: TokenStore;
  /** The lock of everything that shares the storage. */
  turn: string;
  sleep: (seconds: number) => Promise<unknown>;
  /** What only a whole answer has. */
  wanted: 'refreshToken' | 'refreshExpiresIn';
}
/** Tokens to go on with, null if nobody is signed in any more; or why there are none. */
export type Renewal = { tokens: Tokens | null } | { refusal: Failure };

export const PATIENCE_MS = 3000;
const PAUSES = [1, 2, 5, 0];
/** Nobody waits longer for one request. */
const LONGEST_WAIT_SECONDS = 30;
/** What no refresh answers. Something else may have, so nobody is signed out for it. */
const strange = ({ status }: { status: number }) =>
  failure('unexpected_answer', 'No tokens', status);
const seconds = () => performance.now() / 1000;

/** Answers a function that gets new tokens in place of `used`, once for all who ask at the same time. */
export function refresher({ transport, store, turn, sleep, wanted }: Refreshing) {
  let running: Promise<Renewal> | undefined;
  let refused: { until: number; refusal: Failure } | undefined;
  let received: { accessToken: string; at: number } | undefined;

  const note = (tokens: Tokens) => {
    received = { accessToken: tokens.accessToken, at: seconds() };
    return tokens;
  };

  /** Another tab may have signed in with a cookie. This one has no tokens of that session yet. */
  const instead = (held: Tokens | null, pause: number) =>
    isUnknown(held) ? attempt('', pause) : { tokens: held };

  async function attempt(used: string, pause: number): Promise<Renewal | number> {
    const held = await store.read();
    if (held?.accessToken !== used) return instead(held, pause); // refreshed by another tab, or signed out
    const { refreshToken } = held; // none, if it is in a cookie
    if (!refreshToken && !transport.cookie) {
      await store.erase(); // impersonation: nothing prolongs it
      return { tokens: null };
    }
    const answer = await send(transport, 'POST', '/auth/refresh', { body: { refreshToken } });
    const now = await store.read();
    if (now?.accessToken !== used) return instead(now, pause); // signed out, or in, meanwhile
    if (answer.ok) {
      const tokens = answer.body as Tokens | undefined;
      if (tokens?.[wanted]) return { tokens: note(await store.write(tokens)) };
    }
    const refusal = answer.ok ? strange(answer) : answer;
    const { body } = refusal;
    if (body.code === 'invalid_grant') {
      if (body.sessionStatus === 'ended' || body.reason === 'missing') await store.erase(body); // the only case
      else store.doubt(held, body);
      return { refusal };
    }
    const wait = Math.max(pause, retryAfter(refusal));
    if (pause > 0 && wait <= LONGEST_WAIT_SECONDS) return wait;
    const last = body.action === 'wait' ? refusal : strange(answer);
    if (wait > LONGEST_WAIT_SECONDS) refused = { until: seconds() + wait, refusal: last };
    if (isUnknown(held)) store.doubt(held, last.body); // the page waits no longer
    return { refusal: last };
  }

  async function renew(used: string): Promise<Renewal> {
    if (refused && seconds() < refused.until) return { refusal: refused.refusal };
    for (const pause of PAUSES) {
      const outcome = await attempt(used, pause);
      if (typeof outcome === 'object') return outcome;
      await sleep(outcome);
    }
    throw new Error('The last attempt answers');
  }

  return {
    /** Tokens that were received here. */
    note,
    /** True when the access token has run out, by a clock that only goes forward. */
    hasExpired: ({ accessToken, expiresIn }: Tokens) =>
      !accessToken ||
      (received?.accessToken === accessToken && seconds() - received.at > expiresIn - 5),
    refresh: (used: string): Promise<Renewal> =>
      (running ??= inTurn(turn, PATIENCE_MS, () => renew(used)).finally(() => {
        running = undefined;
      })),
  };
}
