import { AsyncLocalStorage } from 'node:async_hooks';

/** What everything done for one request may know about it: so far, the id that joins its answer to its log lines. */
export const context = new AsyncLocalStorage<{ readonly requestId: string }>();
