import { beforeEach, expect } from 'vitest';
import type { startApp } from '#test/support/app';

type App = Pick<Awaited<ReturnType<typeof startApp>>, 'ctx' | 'ask' | 'Session'>;
interface Of {
  session: { id: string };
}
interface Heard {
  name: string;
  sessionId?: string;
}

const refusal = (reason: string) => ({
  status: 400,
  body: { code: 'invalid_grant', reason, sessionStatus: 'ended' },
});
export const REUSED = refusal('reused');
export const REVOKED = refusal('revoked');

/** Requests of tests that refresh, and expectations of a session and of the events of this test. */
export function refreshing({ ctx, ask, Session }: App) {
  const events: Heard[] = [];
  ctx.events.onAny((name, event) => events.push({ name, ...event }));
  beforeEach(() => {
    events.length = 0;
  });
  const rowOf = async ({ session }: Of) => (await Session.findByPk(session.id))!;
  return {
    events,
    rowOf,
    refresh: (refreshToken: string, headers: Record<string, string> = {}) =>
      ask('POST', '/auth/refresh', { body: { refreshToken }, headers }),
    me: (token: string) => ask('GET', '/me', { token }),
    expectEndedAsReused: async ({ session }: Of) => {
      expect((await rowOf({ session })).endedAt).not.toBeNull();
      const heard = events.filter(
        ({ name, sessionId }) => sessionId === session.id && name !== 'session.started',
      );
      expect(heard.map(({ name }) => name).sort()).toEqual(['session.ended', 'session.reused']);
      expect(heard).toContainEqual(
        expect.objectContaining({ name: 'session.ended', why: 'reused' }),
      );
    },
    expectLive: async ({ session }: Of) => {
      expect((await rowOf({ session })).endedAt).toBeNull();
      expect(events.filter(({ name }) => /ended|reused/.test(name))).toEqual([]);
    },
  };
}
