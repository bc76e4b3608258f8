import type { Tokens } from '#src/client/api';
import { inTurn } from '#src/client/locks';
import type { guarded } from '#src/client/token-store';
import { parsed, send, type Transport } from '#src/client/transport';
import type { Failure, Result } from '#src/client/types';

interface SignOut {
  /** Undefined: the one in the cookie. */
  refreshToken?: string | undefined;
  /** Of a session that has no refresh token at all (impersonation). */
  accessToken?: string;
  scope?: 'all';
}
const MOST = 20;
const PATIENCE_MS = 3000;
/** There is nothing to tell. */
export const done = (): Result<undefined> => ({
  ok: true,
  status: 204,
  headers: new Headers(),
  body: undefined,
});

/** Sign-outs that the server has not heard of yet. They outlast the program. */
export function signOuts(
  storage: ReturnType<typeof guarded>,
  key: string,
  transport: Transport,
  turn: string,
  inOrder: <T>(work: () => Promise<T>) => Promise<T>,
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

  /** Later it may work. */
  const isOpen = (answer: Result<undefined>): answer is Failure =>
    !answer.ok && answer.body.action === 'wait';

  /** Tells the server of one, which is then off the list. Another tab may have been faster. */
  async function tell(signOut: SignOut): Promise<Result<undefined>> {
    const { accessToken: token, ...body } = signOut;
    const isOther = ({ refreshToken, accessToken }: SignOut) =>
      refreshToken !== body.refreshToken || accessToken !== token;
    if ((await list()).every(isOther)) return done();
    const sent = { body, token };
    const answer = (await send(transport, 'POST', '/auth/logout', sent)) as Result<undefined>;
    if (!isOpen(answer)) await change((all) => all.filter(isOther));
    return answer;
  }

  async function tellAll(): Promise<void> {
    const all = await list();
    mayBeSome = all.length > 0;
    for (const each of all) if (isOpen(await tell(each))) return;
  }

  return {
    async add({ refreshToken, accessToken }: Tokens, everywhere: boolean): Promise<SignOut> {
      const named = refreshToken || transport.cookie ? { refreshToken } : { accessToken };
      const signOut: SignOut = { ...named, ...(everywhere && { scope: 'all' as const }) };
      mayBeSome = true;
      await change((all) => [...all, signOut]);
      return signOut;
    },
    tellAll,
    finish: (signOut: SignOut) => inOrder(() => tell(signOut)),
    /** Somebody else has the cookie now. */
    forget: () => change(() => []),
    /** Tells the server of those on the list. Nobody needs to wait for it. */
    flush(): void {
      if (!mayBeSome) return;
      sending ??= inOrder(tellAll)
        .catch(() => {}) // next time
        .finally(() => {
          sending = undefined;
        });
    },
  };
}
