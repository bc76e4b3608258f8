import { AsyncLocalStorage } from 'node:async_hooks';

interface Context {
  /** Joins an answer to its log lines. */
  readonly requestId: string;
  /** True when nobody waits for the answer any more. */
  readonly isGone?: () => boolean;
}

/** What everything done for one request may know about it. */
export const context = new AsyncLocalStorage<Context>();
