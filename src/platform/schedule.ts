import type { Log } from '#src/platform/log';

/**
 * Runs `work` every so many seconds, one run at a time. It does not keep the process alive. A failed run is logged, and
 * the next one is tried at its time. Call the answer to stop: it aborts `stopped` and waits for the run under way.
 */
export function every(
  { log }: { log: Log },
  seconds: number,
  task: string,
  work: (stopped: AbortSignal) => Promise<unknown>,
): () => Promise<void> {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await work(stopping.signal);
    } catch (error) {
      log.warn({ err: error, task }, 'a task failed');
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => (running = undefined));
  }, seconds * 1000).unref();
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await running;
  };
}
