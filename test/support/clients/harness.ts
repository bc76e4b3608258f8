import { afterAll, afterEach, vi } from 'vitest';
import { problemBody } from '#src/platform/http/error-handler';
import { Problem } from '#src/platform/http/problem';
import { startApp } from '#test/support/app';
import type { Client, Options } from '#test/support/clients/examples';
import { says, startGate } from '#test/support/clients/gate';
import { vault } from '#test/support/clients/vault';

export const ME = 'GET /me';
export const REFRESH = 'POST /auth/refresh';
export const LOGOUT = 'POST /auth/logout';

/** Access tokens run out; sessions do not. The clock goes back after the test. */
export function expire(): void {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() + 600_000);
}

/** What a caller hears: the status, or why there is none. */
export const outcome = (reply: ReturnType<Client['request']>) =>
  reply.then(
    ({ status, body }) => ({ status, code: body?.code as string | undefined, cause: undefined }),
    (error: Error) => ({ status: 0, code: undefined, cause: error.cause }),
  );

/**
 * The real server behind a gate, and people who use it with a client of docs/clients.md. Once in a test file. `isPublic`: the
 * address of the gate is the public one of the server, so proofs of possession (DPoP) are for it.
 */
export async function startHarness(
  env: Record<string, string> = {},
  { isPublic = false }: { isPublic?: boolean } = {},
) {
  const gate = await startGate('');
  const app = await startApp({ ...env, ...(isPublic && { PUBLIC_URL: gate.url }) });
  gate.lead(app.url);
  afterAll(() => gate.close());
  afterEach(() => {
    vi.useRealTimers();
    gate.forget();
  });

  /** What this server would answer. */
  const problem = (...of: ConstructorParameters<typeof Problem>) => {
    const made = new Problem(...of);
    return says(
      made.status,
      problemBody(made, 'r', app.ctx.settings),
      made.status === 503 ? { 'retry-after': '2' } : {},
    );
  };
  /** Somebody who is signed in with this client, what it keeps, and how many seconds it waited each time. */
  const signedIn = async (create: (options: Options) => Client, more: Partial<Options> = {}) => {
    const user = await app.register();
    const storage = vault();
    const pauses: number[] = [];
    const options: Options = {
      baseUrl: gate.url,
      storage,
      sleep: async (seconds) => void pauses.push(seconds),
      ...more,
    };
    await storage.set(user.tokens);
    return {
      user,
      storage,
      pauses,
      options,
      client: create(options),
      sessionId: user.tokens.session.id as string,
    };
  };
  const generationOf = async (id: string) => (await app.Session.findByPk(id))!.generation;

  return { ...app, gate, problem, signedIn, generationOf };
}
