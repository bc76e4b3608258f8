import { AsyncLocalStorage } from 'node:async_hooks';

/** What is known of the request that is being answered. */
interface RequestInfo {
  /** Joins an answer to its log lines and events. */
  readonly requestId: string;
  /** True when the client has closed the connection and waits no longer. */
  readonly isGone?: () => boolean;
}
export type RequestContext = AsyncLocalStorage<RequestInfo>;

export const createRequestContext = (): RequestContext => new AsyncLocalStorage<RequestInfo>();
