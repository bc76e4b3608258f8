import * as fc from 'fast-check';
import { expect } from 'vitest';
import { setTime } from '#test/support/clock';
import { expectVerdict } from '#test/support/model/check';
import { presentToken } from '#test/support/model/sign-in';
import { note } from '#test/support/model/census';
import { startNode, type Real } from '#test/support/model/node';
import { back, command, sessionAt, who } from '#test/support/model/pick';
import { DAY, LIMITS, MINUTE, type ModelUser, type World } from '#test/support/model/world';

/**
 * A command of the operator about a user, or none if there is no such user. `first`: users who
 * are chosen before the one of that number.
 */
const operatorCommand = (
  what: string,
  act: (node: Real['node'], user: ModelUser, world: World) => Promise<void>,
  first: (user: ModelUser) => boolean = () => false,
) =>
  who.map((number) =>
    command(`${what} ${number}`, async (world, { node }) => {
      const user =
        [...world.users.values()].find((user) => !user.gone && first(user)) ??
        world.users.get(number);
      if (user && !user.gone) await act(node, user, world);
    }),
  );

export const disable = operatorCommand('disable', async (node, user, world) => {
  note(user.disabled ? 'disable: was already' : 'disable: done');
  await node.disable(user.id);
  user.disabled = true;
  world.end(world.sessionsOf(user), 'user_disabled');
});

export const enable = operatorCommand(
  'enable',
  async (node, user) => {
    if (user.disabled) note('enable: done');
    await node.enable(user.id);
    user.disabled = false;
  },
  ({ disabled }) => disabled,
);

export const grant = operatorCommand('grant admin to', async (node, { id, roles }) => {
  const had = roles.has('admin');
  note(had ? 'grant: had it' : 'grant: done');
  expect(await node.grant(id)).toBe(!had);
  roles.add('admin');
});

export const revoke = operatorCommand('revoke admin from', async (node, { id, roles }) => {
  const had = roles.delete('admin');
  note(had ? 'revoke: done' : 'revoke: had it not');
  expect(await node.revoke(id)).toBe(had);
});

const after = (weight: number, ms: number, label: string) => ({
  weight,
  arbitrary: fc.constant({ ms, label }),
});
export const advance = fc
  .oneof(
    after(10, 19_000, '19 seconds'),
    after(10, 21_000, '21 seconds'),
    after(8, 11 * MINUTE, '11 minutes'),
    after(3, 60 * MINUTE, 'an hour'),
    after(4, 13 * DAY, '13 days'),
    after(1, 15 * DAY, '15 days'),
    after(1, 61 * DAY, '61 days'),
    after(1, 91 * DAY, '91 days'),
  )
  .map(({ ms, label }) =>
    command(`wait ${label}`, async (world, real) => waitUntil(world, real, world.now + ms)),
  );

function waitUntil(world: World, { node }: Real, time: number): void {
  world.now = Math.max(world.now, time);
  setTime(node, world.now);
}

/**
 * Refreshes a session until its absolute limit, once more in its last minute, and asks after its
 * end.
 */
export const outstay = back.map((n) =>
  command(`outstay session -${n}`, async (world, real) => {
    const session = sessionAt(world.sessions, n);
    if (!session || !world.isLive(session)) return;
    const theEnd = session.createdAt + LIMITS[session.kind].absolute;
    for (let last = false; !last;) {
      last = session.expiresAt === theEnd;
      waitUntil(world, real, session.expiresAt - MINUTE);
      await presentToken(world, real, { session, generation: session.generation });
    }
    waitUntil(world, real, theEnd);
    const token = world.tokens.at(-1)!;
    expectVerdict(await real.node.ask('GET', '/me', { token: token.text }), world.admit(token));
    await presentToken(world, real, { session, generation: session.generation });
  }),
);

export const restarting = command('restart', async (world, real) => {
  await real.node.stop();
  real.node = await startNode(real.env, world.now);
  note('restart');
});
export const restart = fc.constant(restarting);
