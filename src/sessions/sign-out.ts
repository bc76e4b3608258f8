import { Op } from 'sequelize';
import type { Context } from '#src/context';
import type { Cause } from '#src/platform/events';
import { Problem } from '#src/platform/http/problem';
import { genuineClaims, type Claims } from '#src/sessions/access-tokens';
import { endSessions } from '#src/sessions/end-sessions';
import { readRefreshToken } from '#src/sessions/refresh-tokens';

export type Scope = 'session' | 'others' | 'all';
interface HeldTokens {
  refreshToken?: string | undefined;
  accessToken?: string | undefined;
}

/**
 * Ends the sessions of these tokens, the user's other ones, or all. Any genuine token of a live session will do, also
 * one that has expired or was replaced. Other tokens are ignored without a sign. `by`: who does it, if it is not the user.
 * @throws {Problem} 403 `impersonated` if somebody who acts for the user would end more than this session
 */
export async function signOut(
  ctx: Context,
  held: HeldTokens,
  scope: Scope,
  by?: Cause,
): Promise<void> {
  const { db, clock } = ctx;
  const { refreshToken, accessToken } = held;
  const claims = accessToken ? await claimsIn(ctx, accessToken) : undefined;
  if (claims?.act && scope !== 'session') throw new Problem('impersonated');
  const named = [refreshToken && readRefreshToken(ctx, refreshToken)?.sessionId, claims?.sid];
  for (const id of new Set(named.filter((sid) => typeof sid === 'string' && sid !== ''))) {
    const session = await db.Session.findOne({
      attributes: ['userId'],
      where: { id, ...db.Session.live(clock.date()) },
    });
    if (!session) continue;
    const actor = claims?.sid === id && claims?.act;
    const acting = actor ? { actor: actor.sub, onBehalfOf: session.userId } : undefined;
    await endSessions(ctx, inScope[scope](id!, session.userId), 'signed_out', by ?? acting);
  }
}

async function claimsIn(ctx: Context, accessToken: string): Promise<Claims | undefined> {
  try {
    return await genuineClaims(ctx, accessToken);
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return undefined;
    throw error;
  }
}

const inScope = {
  session: (id: string) => ({ id }),
  others: (id: string, userId: string) => ({ userId, id: { [Op.ne]: id } }),
  all: (_id: string, userId: string) => ({ userId }),
};
