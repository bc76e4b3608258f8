import { inTurn } from '#src/client/locks';
import type { guarded } from '#src/client/token-store';
import { parsed, send, type Transport } from '#src/client/transport';
import type { Failure, Result } from '#src/client/types';

interface SignOut {
  refreshToken: string;
  scope?: 'all';
}
const MOST = 20;
const PATIENCE_MS = 3000;

/** Sign-outs that the server has not heard of yet. They outlast the program. */
export function signOuts(
  storage: ReturnType<typeof guarded>,
  key: string,
  transport: Transport,
  turn: string,
) {
  let sending: Promise<void> | undefined;
  let mayBeSome = true;

  const list = async () => {
    const found = parsed(await storage.get(key));
    return Array.isArray(found) ? (found as SignOut[]) : [];
  };
  const change = (edit: (all: SignOut[]) => SignOut[]) =>
    inTurn(turn, PATIENCE_MS, async () => {
      const all = edit(await list());
      await (all.length > 0
        ? storage.set(key, JSON.stringify(all.slice(-MOST)))
        : storage.remove(key));
    });

  const tell = async (body: SignOut): Promise<Result<undefined>> => {
    const answer = await send(transport, 'POST', '/auth/logout', { body });
    return answer as Result<undefined>;
  };
  /** Later it may work. */
  const isOpen = (answer: Result<undefined>): answer is Failure =>
    !answer.ok && answer.body.action === 'wait';

  async function sendAll(): Promise<void> {
    const all = await list();
    mayBeSome = all.length > 0;
    for (const each of all) {
      if (isOpen(await tell(each))) return;
      await change((now) => now.filter(({ refreshToken }) => refreshToken !== each.refreshToken));
    }
  }

  return {
    async add(signOut: SignOut): Promise<void> {
      mayBeSome = true;
      await change((all) => [...all, signOut]);
    },
    /** Tells the server of one, which is then off the list. */
    async finish(signOut: SignOut): Promise<Result<undefined>> {
      const answer = await tell(signOut);
      if (!isOpen(answer))
        await change((all) => all.filter((each) => each.refreshToken !== signOut.refreshToken));
      return answer;
    },
    /** Tells the server of those on the list. Nobody needs to wait for it. */
    flush(): void {
      if (!mayBeSome) return;
      sending ??= sendAll()
        .catch(() => {}) // next time
        .finally(() => {
          sending = undefined;
        });
    },
  };
}
