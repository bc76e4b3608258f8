import { beforeEach, expect } from 'vitest';
import type { startApp } from '#test/support/app';

type App = Pick<Awaited<ReturnType<typeof startApp>>, 'ask' | 'Session'>;
interface Of {
  session: { id: string };
}
interface Told {
  name: string;
  sessionId?: string;
}

export const REUSED = { status: 400, body: { code: 'invalid_grant', reason: 'reused', sessionStatus: 'ended' } };
export const REVOKED = { status: 400, body: { code: 'invalid_grant', reason: 'revoked', sessionStatus: 'ended' } };

/** What tests of refreshing ask, and what they expect of a session and of what was announced about it in this test. */
export async function refreshing({ ask, Session }: App) {
  const { subscribe } = await import('#src/core/events');
  const facts: Told[] = [];
  subscribe((name, fact) => facts.push({ name, ...fact }));
  beforeEach(() => {
    facts.length = 0;
  });
  const rowOf = async ({ session }: Of) => (await Session.findByPk(session.id))!;
  return {
    facts,
    rowOf,
    refresh: (refreshToken: string, headers: Record<string, string> = {}) =>
      ask('POST', '/auth/refresh', { body: { refreshToken }, headers }),
    me: (token: string) => ask('GET', '/me', { token }),
    expectEndedAsReused: async ({ session }: Of) => {
      expect((await rowOf({ session })).endedAt).not.toBeNull();
      const of = facts.filter(({ name, sessionId }) => sessionId === session.id && name !== 'session.started');
      expect(of.map(({ name }) => name).sort()).toEqual(['session.ended', 'session.reused']);
      expect(of).toContainEqual(expect.objectContaining({ name: 'session.ended', why: 'reused' }));
    },
    expectLive: async ({ session }: Of) => {
      expect((await rowOf({ session })).endedAt).toBeNull();
      expect(facts.filter(({ name }) => /ended|reused/.test(name))).toEqual([]);
    },
  };
}
