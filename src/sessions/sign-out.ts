import { Op } from 'sequelize';
import { Session } from '#models/index';
import { Problem } from '#src/core/problem';
import { endSessions } from '#src/sessions/end';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import { genuineClaims } from '#src/sessions/tokens';

export type Scope = 'session' | 'others' | 'all';
interface Held {
  refreshToken?: string | undefined;
  accessToken?: string | undefined;
}

/**
 * Signs out whoever holds these tokens: this session, the user's others, or all. Any genuine token of a live session will do,
 * also one that is expired or spent. Tells nothing about the others.
 */
export async function signOut({ refreshToken, accessToken }: Held, scope: Scope): Promise<void> {
  const named = [refreshToken && readRefreshToken(refreshToken)?.sessionId, accessToken && (await sessionOf(accessToken))];
  for (const id of new Set(named.filter((sid) => typeof sid === 'string' && sid !== ''))) {
    const session = await Session.findOne({ attributes: ['userId'], where: { id, ...Session.live(new Date()) } });
    if (session) await endSessions(inScope[scope](id!, session.userId), 'signed_out');
  }
}

async function sessionOf(accessToken: string): Promise<string | undefined> {
  try {
    return (await genuineClaims(accessToken)).sid;
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
