import * as fc from 'fast-check';
import { expectVerdict } from '#test/support/model/check';
import { note } from '#test/support/model/census';
import {
  accessAt,
  accessLabel,
  accessText,
  command,
  refreshAt,
  refreshLabel,
  refreshText,
  someAccess,
  someRefresh,
} from '#test/support/model/pick';
import type { Access, ModelSession, Refresh, World } from '#test/support/model/world';

type Scope = 'session' | 'others' | 'all';
const scope = fc.constantFrom<Scope>('session', 'session', 'others', 'all');

function endSessions(world: World, held: ModelSession, scope: Scope): void {
  if (!world.isLive(held)) return note('sign out: of nothing');
  note(`sign out: ${scope}`);
  const chosen = {
    session: [held],
    others: world.sessionsOf(held.user).filter((each) => each !== held),
    all: world.sessionsOf(held.user),
  };
  world.end(chosen[scope], 'signed_out');
}

function noteTokens(world: World, refresh: Refresh, access: Access): void {
  if (refresh && world.isLive(refresh.session) && refresh.generation < refresh.session.generation)
    note('sign out: by a spent refresh token');
  if (access && world.isLive(access.session) && access.expiresAt <= world.now)
    note('sign out: by an expired access token');
  if (refresh && access) note('sign out: by two tokens');
}

/**
 * With one token, the other, or both. Any genuine token of a live session counts, also one that
 * expired or was replaced.
 */
export const signOut = fc
  .record({
    scope,
    refresh: fc.option(someRefresh, { freq: 2 }),
    access: fc.option(someAccess, { freq: 2 }),
  })
  .map(({ scope, refresh, access }) => {
    const by = [refresh && refreshLabel(refresh), access && accessLabel(access)]
      .filter(Boolean)
      .join(' and ');
    return command(`sign out (${scope}) with ${by || 'nothing'}`, async (world, { node }) => {
      const [spent, shown] = [
        refresh && refreshAt(world, refresh),
        access && accessAt(world, access),
      ];
      const answer = await node.ask('POST', '/auth/logout', {
        body: { scope, ...(refresh && { refreshToken: refreshText(world, spent) }) },
        token: access ? accessText(world, shown) : undefined,
      });
      expectVerdict(answer, { status: 204 });
      noteTokens(world, spent, shown);
      for (const session of new Set([spent?.session, shown?.session]))
        if (session) endSessions(world, session, scope);
    });
  });
