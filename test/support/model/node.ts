import { setImmediate as turn } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';
import { clientOf } from '#test/support/client';

/** A server over the database of this file that remembers nothing: every module is loaded anew. One at a time. */
export async function startNode() {
  process.setMaxListeners(0); // each life leaves one behind, which flushes its log at the end
  vi.resetModules();
  const { serve } = await import('#src/serve');
  const { Role, User } = await import('#models/index');
  const { subscribe } = await import('#src/core/events');
  const { Problem } = await import('#src/core/problem');
  const { verifyAccessToken } = await import('#src/sessions/tokens');
  const { resumeSession } = await import('#src/sessions/sessions');
  const { disableUser, enableUser } = await import('#src/users/disable');
  const { grantRole, revokeRole } = await import('#src/access/roles');
  // The clock of a database server cannot be moved, and is compared with ours at the start.
  const moved = Date.now();
  vi.useRealTimers();
  const { server, stop } = await serve();
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(moved);
  const facts: string[] = [];
  subscribe((name, fact) => {
    if (!name.startsWith('session.') || !('sessionId' in fact)) return;
    facts.push(`${name} ${fact.sessionId} ${'why' in fact ? fact.why : ''}`);
  });
  const admin = (await Role.findOne({ where: { name: 'admin' } }))!;
  const user = (id: string) => User.findByPk(id, { rejectOnEmpty: true });

  return {
    ask: clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    facts,
    disable: disableUser,
    enable: enableUser,
    grant: async (id: string) => grantRole(await user(id), admin),
    revoke: async (id: string) => revokeRole(await user(id), admin),
    /** What the guard of a route says of an access token, without the way there: `null` if it lets in. */
    guard: async (token: string): Promise<string | null> => {
      try {
        await resumeSession(await verifyAccessToken(token));
        return null;
      } catch (error) {
        if (error instanceof Problem) return error.code;
        throw error;
      }
    },
    async stop() {
      server.closeAllConnections();
      await turn();
      await stop();
    },
  };
}

/** The server under test, which commands may replace. */
export interface Real {
  node: Awaited<ReturnType<typeof startNode>>;
  /** What names of users start with: of each sequence another. */
  prefix: string;
}
