import * as fc from 'fast-check';
import { expect } from 'vitest';
import { expectTokens, expectVerdict } from '#test/support/model/check';
import { note } from '#test/support/model/census';
import {
  command,
  refreshAt,
  refreshLabel,
  refreshText,
  someRefresh,
  who,
} from '#test/support/model/pick';
import type { Real } from '#test/support/model/node';
import {
  refused,
  type Kind,
  type ModelUser,
  type Refresh,
  type World,
} from '#test/support/model/world';

export const PASSWORDS = ['correct horse battery', 'staple paper lantern', 'violet engine harbour'];
const kind = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Kind>('web') },
  { weight: 1, arbitrary: fc.constant<Kind>('mobile') },
);
const nameOf = (number: number, { prefix }: Real) => `${prefix}.${number}`;

/** Prefers the name of a deleted user, who comes back under it. */
export const registering = (chosen: number, kind: Kind) =>
  command(`register ${chosen} (${kind})`, async (world, real) => {
    const number = [...world.users].find(([, { gone }]) => gone)?.[0] ?? chosen;
    const name = nameOf(number, real);
    const [password] = PASSWORDS as [string];
    const before = world.users.get(number);
    const answer = await real.node.ask('POST', '/auth/register', {
      body: { username: name, password, device: { kind } },
    });
    if (before && !before.gone) {
      note('register: username_taken');
      return expectVerdict(answer, refused(409, 'username_taken'));
    }
    expectVerdict(answer, { status: 201 });
    note(
      before ? 'register: made again, after the one of that name was deleted' : 'register: made',
    );
    const user: ModelUser = {
      id: answer.body.user.id,
      name,
      password,
      disabled: false,
      gone: false,
      roles: new Set(['user']),
    };
    world.users.set(number, user);
    expectTokens(world, world.start(user, kind), answer);
  });
export const register = fc
  .record({ number: who, kind })
  .map(({ number, kind }) => registering(number, kind));

async function logIn(
  world: World,
  real: Real,
  number: number,
  right: boolean,
  kind: Kind,
): Promise<void> {
  const user = world.users.get(number);
  const password = right ? (user?.password ?? PASSWORDS[0]) : 'not the password of anybody';
  const answer = await real.node.ask('POST', '/auth/login', {
    body: { identifier: nameOf(number, real), password, device: { kind } },
  });
  if (user && !user.gone && !user.disabled && right) {
    note(`sign in: ${kind}`);
    expectVerdict(answer, { status: 200 });
    return expectTokens(world, world.start(user, kind), answer);
  }
  note(
    `sign in: ${!user || user.gone ? 'no user of that name' : user.disabled ? 'disabled' : 'wrong password'}`,
  );
  expectVerdict(answer, refused(401, 'invalid_credentials'));
}

export const signIn = fc
  .record({ number: who, right: fc.integer({ min: 0, max: 9 }).map((n) => n > 0), kind })
  .map(({ number, right, kind }) =>
    command(`sign in ${number} (${right ? kind : 'wrong password'})`, (world, real) =>
      logIn(world, real, number, right, kind),
    ),
  );

/** Until the oldest session is replaced. Then its refresh token is presented. */
export const signInOften = fc
  .record({ number: who, times: fc.integer({ min: 8, max: 11 }) })
  .map(({ number, times }) =>
    command(`sign in ${number} (${times} times)`, async (world, real) => {
      for (let i = 0; i < times; i++) await logIn(world, real, number, true, 'web');
      const replaced = world.sessions.find(
        ({ user, ended }) => user === world.users.get(number) && ended === 'replaced',
      );
      if (replaced)
        await presentToken(world, real, { session: replaced, generation: replaced.generation });
    }),
  );

export const refresh = someRefresh.map((which) =>
  command(`refresh with ${refreshLabel(which)}`, (world, real) =>
    presentToken(world, real, refreshAt(world, which)),
  ),
);

/** Presents a refresh token. */
export async function presentToken(world: World, { node }: Real, token: Refresh): Promise<void> {
  const answer = await node.ask('POST', '/auth/refresh', {
    body: { refreshToken: refreshText(world, token) },
  });
  const verdict = world.refresh(token);
  expectVerdict(answer, verdict);
  if (!token || verdict.status !== 200) return;
  expectTokens(world, token.session, answer);
  expect(new Set(token.session.refreshTokens).size).toBe(token.session.refreshTokens.length);
}
