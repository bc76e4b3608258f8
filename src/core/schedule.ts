import { log } from '#src/core/log';

/**
 * Does `work` every so many seconds, one at a time, for as long as the process has other things to do. What fails is logged
 * and tried again at the next turn. Call what it returns to stop: it waits for work under way.
 */
export function every(seconds: number, task: string, work: () => Promise<unknown>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      log.warn({ err: error, task }, 'a task failed');
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => (running = undefined));
  }, seconds * 1000).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
