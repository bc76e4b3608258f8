import type { Tokens } from '#src/client/api';
import { parsed } from '#src/client/transport';
import type { Problem, State, Storage } from '#src/client/types';

/** The storage could not be read or written. That is not an empty storage. */
export class StorageError extends Error {}

/** A storage whose failures have one name. */
export function guarded(storage: Storage) {
  const attempt = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new StorageError(String(error));
    }
  };
  return {
    get: (key: string) => attempt(() => storage.get(key)),
    set: (key: string, text: string) => attempt(() => storage.set(key, text)),
    remove: (key: string) => attempt(() => storage.remove(key)),
  };
}

export type TokenStore = ReturnType<typeof tokenStore>;

const LOADING: State = { status: 'loading', user: null, session: null };
/** There may be a session, but nobody here has its tokens yet: see `cookieStorage`. */
export const isUnknown = (tokens: Tokens | null): boolean => tokens?.accessToken === '';

/** The tokens in a storage, and the state that follows from them. */
export function tokenStore(storage: ReturnType<typeof guarded>, key: string) {
  const listeners = new Set<(state: State) => void>();
  let state: State = LOADING;
  let seen = '[null,null,"loading"]';
  /** The server does not know these tokens. They are kept: its URL may be wrong. */
  let doubted: { accessToken: string; problem: Problem } | undefined;

  function publish(tokens: Tokens | null, problem?: Problem): void {
    const isDoubted = tokens !== null && tokens.accessToken === doubted?.accessToken;
    const why = isDoubted ? doubted?.problem : problem;
    const next: State =
      isUnknown(tokens) && !isDoubted
        ? LOADING
        : tokens && !isDoubted
          ? { status: 'signed_in', user: tokens.user, session: tokens.session }
          : { status: 'signed_out', user: null, session: null, ...(why && { problem: why }) };
    const { user, session } = next;
    const text = JSON.stringify([user, session?.id, next.status]);
    if (text === seen) return;
    seen = text;
    state = next;
    for (const listener of listeners) listener(state);
  }

  return {
    get state() {
      return state;
    },
    onChange(listener: (state: State) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** What is there now: another tab may have changed it. */
    async read(): Promise<Tokens | null> {
      const found = parsed(await storage.get(key)) as Tokens | undefined;
      const tokens = found?.accessToken === undefined ? null : found;
      publish(tokens);
      return tokens;
    },
    async write(tokens: Tokens): Promise<Tokens> {
      await storage.set(key, JSON.stringify(tokens));
      doubted = undefined;
      publish(tokens);
      return tokens;
    },
    async erase(problem?: Problem): Promise<void> {
      await storage.remove(key);
      publish(null, problem);
    },
    /** Keeps the tokens, and says that the user must sign in. */
    doubt(tokens: Tokens, problem: Problem): void {
      doubted = { accessToken: tokens.accessToken, problem };
      publish(tokens);
    },
  };
}
