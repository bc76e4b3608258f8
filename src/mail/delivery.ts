import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '#src/core/log';
import { openMailer } from '#src/core/mailer';
import { every } from '#src/core/schedule';
import { attempt, takeNext } from '#src/mail/attempt';

/** How many mails a node sends at a time. */
const AT_ONCE = 5;
/** How often it looks for mails that others left or that are due again, in seconds. */
const LOOK_AGAIN = 10;
/** How long a mail on its way gets when the process is to stop, in milliseconds. */
const LAST_CALL = 2000;

let wake = (): void => {};

/** There is a mail in the outbox. In a process that delivers none, another one finds it. */
export const wakeDelivery = (): void => wake();

/** Delivers what is in the outbox, now and from now on. Call what it returns to stop: what is on its way arrives or is put back. */
export function startDelivery(): () => Promise<void> {
  const send = openMailer();
  const stopping = new AbortController();
  const cutting = new AbortController();
  const runners = new Set<Promise<void>>();
  let missed = false;

  const run = async () => {
    try {
      for (let mail; !stopping.signal.aborted && (mail = await takeNext());) {
        begin(); // where there is one there may be more
        await attempt(mail, send, cutting.signal);
      }
    } catch (error) {
      log.warn({ err: error, task: 'mail' }, 'a task failed');
    }
  };
  const begin = () => {
    missed = runners.size === AT_ONCE; // all may have had their last look
    if (missed || stopping.signal.aborted) return;
    const runner = run().finally(() => {
      runners.delete(runner);
      if (missed) begin();
    });
    runners.add(runner);
  };
  // Whoever wakes us does so within a request: neither its id nor its transaction is ours.
  wake = AsyncLocalStorage.bind(begin);
  const stopLooking = every(LOOK_AGAIN, 'mail', async () => begin());
  begin();

  return async () => {
    wake = () => {};
    stopping.abort();
    await stopLooking();
    const last = new AbortController();
    const cut = sleep(LAST_CALL, undefined, { signal: last.signal }).then(
      () => cutting.abort(),
      () => {},
    );
    await Promise.all(runners);
    last.abort();
    await cut;
  };
}
