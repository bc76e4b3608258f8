import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '#src/context';
import { lazy } from '#src/platform/lazy';
import { every } from '#src/platform/schedule';
import { deliver } from '#src/webhooks/deliver';
import { dispatch } from '#src/webhooks/dispatch';
import { takeNext } from '#src/webhooks/take';

/** How many events a node sends to one webhook at a time. */
const CONCURRENCY = 4;
/** How often it looks for events that other nodes left, or that are due again. */
const POLL_SECONDS = 5;
/** The same while there is no webhook, which another node may make. */
const IDLE_MS = 15_000;
/** How long an attempt that is under way gets when the process is to stop. */
const STOP_TIMEOUT_MS = 2000;

/**
 * Makes deliveries of events, and delivers them, now and from now on. Call the answer to stop: what is being sent arrives,
 * or is left to other nodes. Without a webhook it does nothing but look for one from time to time.
 */
export function startWebhookWorker(ctx: Context): () => Promise<void> {
  const stopping = new AbortController();
  const aborting = new AbortController();
  /** Of each webhook, what is being done. */
  const runners = new Map<string, Set<Promise<void>>>();
  const loadSend = lazy(async () => (await import('#src/webhooks/send')).send);
  let looking: Promise<void> | undefined;
  let missed = false;
  let isIdle = false;
  let idleUntil = 0;

  const run = async (id: string) => {
    try {
      for (let taken; !stopping.signal.aborted && (taken = await takeNext(ctx, id));) {
        begin(id); // where there is one there may be more
        await deliver(ctx, taken, await loadSend(), aborting.signal);
      }
    } catch (error) {
      ctx.log.warn({ err: error, task: 'webhooks' }, 'a task failed');
    }
  };
  const begin = (id: string) => {
    const own = runners.get(id) ?? new Set();
    runners.set(id, own);
    if (own.size === CONCURRENCY || stopping.signal.aborted) return;
    const runner = run(id).finally(() => {
      own.delete(runner);
      if (own.size === 0) runners.delete(id);
    });
    own.add(runner);
  };
  const look = async () => {
    const webhooks = await ctx.db.Webhook.findAll({ where: { disabledAt: null } });
    isIdle = webhooks.length === 0;
    idleUntil = performance.now() + IDLE_MS;
    if (isIdle) return;
    do for (const { id } of webhooks) begin(id);
    while (!stopping.signal.aborted && (await dispatch(ctx, webhooks)));
  };
  const wake = () => {
    missed = looking !== undefined; // it may have looked for the last time
    if (missed || stopping.signal.aborted) return;
    looking = look()
      .catch((error: unknown) => ctx.log.warn({ err: error, task: 'webhooks' }, 'a task failed'))
      .finally(() => {
        looking = undefined;
        if (missed) wake();
      });
  };
  // It is called within a request. Bound: neither its id nor its transaction belongs to the worker.
  ctx.webhooks.onWake(AsyncLocalStorage.bind(wake));
  const wakeUnlessIdle = () => {
    if (!isIdle) wake();
  };
  const stopListening = ctx.audit.onSealed(AsyncLocalStorage.bind(wakeUnlessIdle));
  const stopPolling = every(ctx, POLL_SECONDS, 'webhooks', async () => {
    if (!isIdle || performance.now() >= idleUntil) wake();
  });
  wake();

  return async () => {
    ctx.webhooks.onWake(undefined);
    stopListening();
    stopping.abort();
    await stopPolling();
    await looking;
    const ended = new AbortController();
    const timeout = sleep(STOP_TIMEOUT_MS, undefined, { signal: ended.signal }).then(
      () => aborting.abort(),
      () => {},
    );
    await Promise.all([...runners.values()].flatMap((own) => [...own]));
    ended.abort();
    await timeout;
  };
}
