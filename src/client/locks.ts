/** The Web Locks API, where there is one. */
export interface Locks {
  request: (
    name: string,
    options: { signal: AbortSignal },
    run: () => Promise<unknown>,
  ) => Promise<unknown>;
}
export const locksOf = ({ navigator }: { navigator?: { locks?: unknown } }) =>
  navigator?.locks as Locks | undefined;

/**
 * Runs `task` when it is the turn of this tab. A browser may freeze a tab that holds the lock, so after `patience`
 * milliseconds the task runs anyway.
 */
export async function inTurn<T>(
  name: string,
  patience: number,
  task: () => Promise<T>,
): Promise<T> {
  const locks = locksOf(globalThis);
  if (!locks) return task();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), patience);
  let begun: Promise<T> | undefined;
  const run = () => {
    clearTimeout(timer);
    return (begun = task());
  };
  await locks.request(name, { signal: limit.signal }, run).catch(() => {});
  return begun ?? task();
}
