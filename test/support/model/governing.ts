import * as fc from 'fast-check';
import { expect, vi } from 'vitest';
import { expectVerdict } from '#test/support/model/check';
import { present } from '#test/support/model/entering';
import { note } from '#test/support/model/census';
import { startNode, type Real } from '#test/support/model/node';
import { back, command, sessionAt, who } from '#test/support/model/pick';
import { DAY, LIMITS, MINUTE, type ModelUser, type World } from '#test/support/model/world';

/** What an operator does to a user, on the command line; to nobody, nothing. `first`: whom rather than the one of that number. */
const governing = (
  what: string,
  act: (node: Real['node'], user: ModelUser, world: World) => Promise<void>,
  first: (user: ModelUser) => boolean = () => false,
) =>
  who.map((number) =>
    command(`${what} ${number}`, async (world, { node }) => {
      const user = [...world.users.values()].find((user) => !user.gone && first(user)) ?? world.users.get(number);
      if (user && !user.gone) await act(node, user, world);
    }),
  );

export const disable = governing('disable', async (node, user, world) => {
  note(user.disabled ? 'disable: was already' : 'disable: done');
  await node.disable(user.id);
  user.disabled = true;
  world.end(world.sessionsOf(user), 'user_disabled');
});

export const enable = governing(
  'enable',
  async (node, user) => {
    if (user.disabled) note('enable: done');
    await node.enable(user.id);
    user.disabled = false;
  },
  ({ disabled }) => disabled,
);

export const grant = governing('grant admin to', async (node, { id, roles }) => {
  const had = roles.has('admin');
  note(had ? 'grant: had it' : 'grant: done');
  expect(await node.grant(id)).toBe(!had);
  roles.add('admin');
});

export const revoke = governing('revoke admin from', async (node, { id, roles }) => {
  const had = roles.delete('admin');
  note(had ? 'revoke: done' : 'revoke: had it not');
  expect(await node.revoke(id)).toBe(had);
});

const after = (weight: number, ms: number, label: string) => ({ weight, arbitrary: fc.constant({ ms, label }) });
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
  .map(({ ms, label }) => command(`wait ${label}`, async (world) => waitUntil(world, world.now + ms)));

function waitUntil(world: World, time: number): void {
  world.now = Math.max(world.now, time);
  vi.setSystemTime(world.now);
}

/** Keeps a session alive to the end of its longest life, refreshes once more in its last minute, and asks when it is over. */
export const outstay = back.map((n) =>
  command(`outstay session -${n}`, async (world, real) => {
    const session = sessionAt(world.sessions, n);
    if (!session || !world.isLive(session)) return;
    const theEnd = session.createdAt + LIMITS[session.kind].absolute;
    for (let last = false; !last;) {
      last = session.expiresAt === theEnd;
      waitUntil(world, session.expiresAt - MINUTE);
      await present(world, real, { session, generation: session.generation });
    }
    waitUntil(world, theEnd);
    const token = world.tokens.at(-1)!;
    expectVerdict(await real.node.ask('GET', '/me', { token: token.text }), world.admit(token));
    await present(world, real, { session, generation: session.generation });
  }),
);

export const restarting = command('restart', async (_world, real) => {
  await real.node.stop();
  real.node = await startNode();
  note('restart');
});
export const restart = fc.constant(restarting);
