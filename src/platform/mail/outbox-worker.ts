import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '#src/context';
import { deliver, takeNext } from '#src/platform/mail/deliver';
import { openTransport } from '#src/platform/mail/transport';
import { every } from '#src/platform/schedule';

/** How many mails a node sends at a time. */
const CONCURRENCY = 5;
/** How often it looks for mails that other nodes left, or that are due again. */
const POLL_SECONDS = 10;
/** How long a mail that is being sent gets when the process is to stop. */
const STOP_TIMEOUT_MS = 2000;

/**
 * Delivers the mails of the outbox, now and from now on. Call the answer to stop: a mail that is being sent arrives, or
 * is left to other nodes.
 *
 * @throws {SettingsError} when SMTP_URL cannot be used
 */
export function startOutboxWorker(ctx: Context): () => Promise<void> {
  const send = openTransport(ctx.settings);
  const stopping = new AbortController();
  const aborting = new AbortController();
  const runners = new Set<Promise<void>>();
  let missed = false;

  const run = async () => {
    try {
      for (let mail; !stopping.signal.aborted && (mail = await takeNext(ctx));) {
        begin(); // where there is one there may be more
        await deliver(ctx, mail, send, aborting.signal);
      }
    } catch (error) {
      ctx.log.warn({ err: error, task: 'mail' }, 'a task failed');
    }
  };
  const begin = () => {
    missed = runners.size === CONCURRENCY; // each may have looked for the last time
    if (missed || stopping.signal.aborted) return;
    const runner = run().finally(() => {
      runners.delete(runner);
      if (missed) begin();
    });
    runners.add(runner);
  };
  // `wake` is called within a request. Bound: neither its id nor its transaction belongs to the worker.
  ctx.outbox.onWake(AsyncLocalStorage.bind(begin));
  const stopPolling = every(ctx, POLL_SECONDS, 'mail', async () => begin());
  begin();

  return async () => {
    ctx.outbox.onWake(undefined);
    stopping.abort();
    await stopPolling();
    const ended = new AbortController();
    const timeout = sleep(STOP_TIMEOUT_MS, undefined, { signal: ended.signal }).then(
      () => aborting.abort(),
      () => {},
    );
    await Promise.all(runners);
    ended.abort();
    await timeout;
  };
}
