import * as fc from 'fast-check';
import { forge, hmac, read } from '#test/support/forge';
import { expectSame } from '#test/support/model/check';
import type { Real } from '#test/support/model/node';
import {
  FORGED,
  type Access,
  type ModelSession,
  type Refresh,
  type World,
} from '#test/support/model/world';

export type Command = fc.AsyncCommand<World, Real>;

/** Does something to model and server, and compares them. A failure prints the label. */
export const command = (
  label: string,
  move: (world: World, real: Real) => Promise<void>,
): Command => ({
  check: () => true,
  toString: () => label,
  async run(world, real) {
    await move(world, real);
    await expectSame(world, real);
  },
});

/** Users have small numbers, so that commands meet. */
export const who = fc.oneof(
  { weight: 8, arbitrary: fc.nat(1) },
  { weight: 1, arbitrary: fc.constant(2) },
);
/** How far back from the newest, modulo how many there are. */
export const back = fc.oneof(
  { weight: 6, arbitrary: fc.nat(1) },
  { weight: 4, arbitrary: fc.nat(5) },
  { weight: 1, arbitrary: fc.nat(40) },
);
/** How many generations before the newest. */
const age = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.constantFrom(2, 3) },
);
const genuine = fc.integer({ min: 1, max: 15 }).map((n) => n > 1);

/** Which access token: so far back, or a forged one. */
export const someAccess = fc.record({ back, genuine });
export type SomeAccess = { back: number; genuine: boolean };
export const someRefresh = fc.record({ back, age, genuine });
export type SomeRefresh = { back: number; age: number; genuine: boolean };

const fromEnd = <T>(list: T[], n: number): T | undefined => list.at(-1 - (n % (list.length || 1)));
export const sessionAt = (sessions: ModelSession[], n: number): ModelSession | undefined =>
  fromEnd(sessions, n);
export const accessAt = (world: World, { back, genuine }: SomeAccess): Access =>
  (genuine && fromEnd(world.tokens, back)) || FORGED;
export function refreshAt(world: World, { back, age, genuine }: SomeRefresh): Refresh {
  const session = sessionAt(world.sessions, back);
  return genuine && session
    ? { session, generation: Math.max(0, session.generation - age) }
    : FORGED;
}

/** The text that is sent. A forged token looks real, and names a real session if there is one. */
export function accessText(world: World, access: Access): string {
  if (access) return access.text;
  const model = world.tokens.at(-1);
  if (!model) return 'e30.e30.AAAA';
  const { header, claims } = read(model.text);
  return forge(header, claims, hmac('another secret'));
}
export function refreshText(world: World, refresh: Refresh): string {
  if (refresh) return refresh.session.refreshTokens[refresh.generation]!;
  const model = world.sessions.at(-1)?.refreshTokens.at(-1);
  const bytes = model ? Buffer.from(model.slice(4), 'base64url') : Buffer.alloc(57);
  bytes[56]! ^= 1;
  return `rt1.${bytes.toString('base64url')}`;
}

export const accessLabel = ({ back, genuine }: SomeAccess) =>
  genuine ? `access token -${back}` : 'a forged access token';
export const refreshLabel = ({ back, age, genuine }: SomeRefresh) =>
  genuine ? `refresh token of session -${back}, generation -${age}` : 'a forged refresh token';
