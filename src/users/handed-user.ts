import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '#src/context';
import type { ReadUser } from '#src/users/read-for-sign-in';

/**
 * Hands the user whom the login throttle has read to the comparison of the password, within one call of a strategy. What
 * lies between is code of others, which knows names only.
 */
export type HandedUser = AsyncLocalStorage<{ name?: string; read?: ReadUser | undefined }>;
export const createHandedUser = (): HandedUser => new AsyncLocalStorage();

type Handing = Pick<Context, 'handedUser'>;

/** Outside of a sign-in it does nothing. */
export function handOver({ handedUser }: Handing, name: string, read: ReadUser): void {
  const handed = handedUser.getStore();
  if (handed) Object.assign(handed, { name, read });
}

/** What was handed over for this very name. It is given once: whoever asks again wants to know what has changed. */
export function takeHanded({ handedUser }: Handing, name: string): ReadUser | undefined {
  const handed = handedUser.getStore();
  if (!handed || handed.name !== name) return undefined;
  const { read } = handed;
  handed.read = undefined;
  return read;
}
