import { AsyncLocalStorage } from 'node:async_hooks';
import type { Locale } from '#src/platform/messages/locales';

/** What is known of the request that is being answered. */
interface RequestInfo {
  /** Joins an answer to its log lines and events. */
  readonly requestId: string;
  /** Call it as a method. True when the client has closed the connection and waits no longer. */
  isGone?(): boolean;
  /** The language that the client asked for, or else this one. */
  localeOr?(otherwise: Locale): Locale;
  /** The address of the client. */
  readonly ip?: string | undefined;
  /** Whom a guard has let in, by now. */
  readonly user?: unknown;
}
export type RequestContext = AsyncLocalStorage<RequestInfo>;

export const createRequestContext = (): RequestContext => new AsyncLocalStorage<RequestInfo>();
