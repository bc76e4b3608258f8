import { setImmediate as turn } from 'node:timers/promises';
import { vi } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { Problem } from '#src/platform/http/problem';
import { serve } from '#src/server-program';
import { verifyAccessToken } from '#src/sessions/access-tokens';
import { resumeSession } from '#src/sessions/resume';
import { clientOf } from '#test/support/client';
import { setTime } from '#test/support/clock';

/**
 * A new server with these settings. Its clock stands at `time`, in milliseconds since 1970. One
 * at a time.
 */
export async function startNode(env: Record<string, string>, time: number) {
  // At its start a server compares its clock with that of the database, which cannot be moved.
  vi.useRealTimers();
  const running = await serve(env);
  const { server, url, ctx, auth } = running;
  setTime(ctx, time);
  const { Role, User } = ctx.db;
  const events: string[] = [];
  ctx.events.onAny((name, event) => {
    if (!name.startsWith('session.') || !('sessionId' in event)) return;
    events.push(`${name} ${event.sessionId} ${'why' in event ? event.why : ''}`);
  });
  const admin = (await Role.findOne({ where: { name: 'admin' } }))!;
  const user = (id: string) => User.findByPk(id, { rejectOnEmpty: true });

  return {
    ask: clientOf(url),
    clock: ctx.clock,
    events,
    disable: auth.users.disable,
    enable: auth.users.enable,
    grant: async (id: string) => grantRole(ctx, await user(id), admin),
    revoke: async (id: string) => revokeRole(ctx, await user(id), admin),
    /**
     * The problem code of the guard of a route for an access token, without HTTP. Null if it
     * lets in.
     */
    guard: async (token: string): Promise<string | null> => {
      try {
        await resumeSession(ctx, await verifyAccessToken(ctx, token));
        return null;
      } catch (error) {
        if (error instanceof Problem) return error.code;
        throw error;
      }
    },
    async stop() {
      server.closeAllConnections();
      await turn();
      await running.stop();
    },
  };
}

/** The server under test, which commands may replace. */
export interface Real {
  node: Awaited<ReturnType<typeof startNode>>;
  /** The settings that it is started with. */
  env: Record<string, string>;
  /** The names of users begin with it. Each sequence has another. */
  prefix: string;
}
