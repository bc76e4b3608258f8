import { setTimeout as sleep } from 'node:timers/promises';
import type { Fate } from '#src/conformance/proxy';
import {
  Failed,
  LOGIN,
  ME,
  MINUTE,
  must,
  REFRESH,
  type Environment,
  type Tab,
} from '#src/conformance/environment';

export interface Scenario {
  name: string;
  title: string;
  /** Rules of docs/clients.md. */
  rules: readonly number[];
  /** How far the server's clock is ahead of the client's when the scenario begins, in days: at least so far. */
  daysAhead?: number;
  run: (environment: Environment) => Promise<void>;
}

const MOST_ATTEMPTS = 10;

export const isIn = (status: number) => status === 200;

/** A client that has signed in. */
export async function signedIn(
  environment: Environment,
  how: { ofTab?: boolean } = {},
): Promise<Tab> {
  const tab = await environment.open(how);
  await signsIn(tab);
  environment.proxy.forget();
  return tab;
}

export async function signsIn(tab: Tab): Promise<void> {
  must(isIn(await tab.signIn()), 'The user cannot sign in');
  must(isIn((await tab.get())[0]!), 'A request after the sign-in is refused');
}

/** Access tokens run out. Sessions do not. */
export const expire = (environment: Environment) => environment.forward(11 * MINUTE);

/** Each request that a tab sent at once was answered. */
export function allAnswered(statuses: readonly number[]): void {
  must(statuses.every(isIn), 'Some of the requests were refused');
}

export async function staysSignedIn(tab: Tab, after: string): Promise<void> {
  must(isIn((await tab.get())[0]!), `The user is signed out ${after}`);
}

/** The refresh tokens that were sent, in their order. */
const presented = ({ proxy }: Environment) =>
  proxy.of(REFRESH).map(({ body }) => body['refreshToken']);

export function refreshes(environment: Environment, most: number, why: string): void {
  const { length } = environment.proxy.of(REFRESH);
  must(length <= most, `It refreshed ${length} times, not ${most}: ${why}`);
}

/** It tried again with the same token, not too often, and waited as long as it was told to. */
export function waitedFor(environment: Environment, seconds: number): void {
  const visits = environment.proxy.of(REFRESH);
  must(new Set(presented(environment)).size <= 1, 'It tried again with another refresh token');
  must(visits.length <= MOST_ATTEMPTS, `It tried ${visits.length} times and did not give up`);
  const least = 0.9 * seconds * environment.secondMs; // a timer may be early
  for (const [i, visit] of visits.slice(1).entries()) {
    const waited = visit.at - (visits[i]!.answer?.at ?? visits[i]!.at);
    must(waited >= least, `It asked again before Retry-After had passed (${seconds} s)`);
  }
}

/** Tokens of a session that has ended are gone: they are not sent again. The user can sign in. */
export async function isSignedOut(environment: Environment, tab: Tab): Promise<void> {
  refreshes(environment, 1, 'the first was refused for good');
  environment.proxy.forget();
  must(!isIn((await tab.get())[0]!), 'A request without a session was answered');
  refreshes(environment, 0, 'the session has ended, and it was told so');
  must(
    !environment.proxy.of(ME).some(({ token }) => token),
    'It sends the token of an ended session',
  );
  environment.proxy.forget();
  await signsIn(tab);
  must(environment.proxy.of(LOGIN).length === 1, 'It signed in more than once');
}

/** Requests wait for each other so long at most, in milliseconds: a client may send one after the other. */
export const LATE_MS = 3000;

/** The next requests are answered when so many are there: none of them comes after the refresh of another. */
export function together({ proxy }: Environment, count: number): void {
  const { promise: areThere, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, LATE_MS);
  let arrived = 0;
  const fate: Fate = async ({ ask }) => {
    const answer = await ask();
    if (++arrived === count) resolve();
    await areThere;
    clearTimeout(timer);
    return answer;
  };
  proxy.next(ME, ...Array<Fate>(count).fill(fate));
}

const PATIENCE_MS = 60_000;
const LOOK_MS = 5;

/** Waits for what a client must do; not longer than for the answer of the client itself, if it is given. */
export async function until(
  isThere: () => boolean,
  sentence: string,
  answered?: Promise<unknown>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  answered?.then(over, over);
  for (const end = performance.now() + patienceMs; !isThere(); await sleep(LOOK_MS))
    if (isOver || performance.now() > end) throw new Failed(sentence);
}
