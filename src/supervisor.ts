import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#src/platform/log';

/** A worker that lives less than this, in milliseconds, has crashed at its start. */
const SHORT_LIFE_MS = 10_000;
/** Pauses before a worker is replaced, after the second short life in a row and at last, in milliseconds. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [1000, 30_000];
/** A worker that was asked to end gets this long, in milliseconds. It drains in less. */
const END_TIMEOUT_MS = 20_000;

/** What a worker says once: it answers requests, and how it would greet. */
export interface ReadyMessage {
  greeting: string;
}
/** What one worker at a time is told: purge the database, so that not all do. */
export const PURGE = 'purge';

/** Ended before it was ready: with this code. It has said why on standard error. */
type Started = { worker: Worker; greeting: string } | { code: number };

export interface Supervisor {
  /** Those that answer requests. */
  readonly ready: readonly Worker[];
  /** Starts the workers. Answers the greeting of the first, or with which code to end, if that did not start. */
  open(count: number): Promise<{ greeting: string } | { code: number }>;
  /** Replaces the workers one by one: each is asked to end when its successor answers requests. */
  restart(): Promise<void>;
  /** Asks all to end, and waits for them. */
  close(): Promise<void>;
}

/**
 * Keeps worker processes running behind one port. `giveUp` is called when none is left and the next did not start.
 * A worker that loses this process ends at once: `node:cluster` sees to that.
 */
export function createSupervisor(log: Log, giveUp: (code: number) => void): Supervisor {
  const ready: Worker[] = [];
  const leaving = new Set<Worker>();
  let purging: Worker | undefined;
  let starting = 0;
  let shortLives = 0;
  let isClosing = false;

  /** The first worker that is ready purges. */
  function choosePurging(): void {
    if (purging && ready.includes(purging)) return;
    purging = ready[0];
    purging?.send(PURGE, () => {}); // if it has just ended, its end chooses another
  }

  async function start(): Promise<Started> {
    starting++;
    const worker = cluster.fork();
    const started = await new Promise<Started>((resolve) => {
      worker.once('message', ({ greeting }: ReadyMessage) => resolve({ worker, greeting }));
      worker.once('exit', (code) => resolve({ code: code || 1 }));
    });
    starting--;
    if ('code' in started) return started;
    const since = performance.now();
    worker.once('exit', (code, signal) => {
      ready.splice(ready.indexOf(worker), 1);
      choosePurging();
      if (isClosing || leaving.delete(worker)) return;
      shortLives = performance.now() - since < SHORT_LIFE_MS ? shortLives + 1 : 0;
      log.error({ worker: worker.process.pid, code, signal }, 'a worker ended and is replaced');
      void replace();
    });
    ready.push(worker);
    choosePurging();
    return started;
  }

  async function replace(): Promise<void> {
    for (let pause = pauseAfter(shortLives); ; pause = pauseAfter(++shortLives)) {
      await sleep(pause);
      if (isClosing) return;
      const started = await start();
      if (isClosing || 'worker' in started) return;
      log.error({ code: started.code }, 'a worker did not start');
      if (ready.length + starting === 0) return giveUp(started.code);
    }
  }

  async function end(worker: Worker): Promise<void> {
    if (worker.isDead()) return;
    leaving.add(worker);
    const cut = setTimeout(() => worker.process.kill('SIGKILL'), END_TIMEOUT_MS);
    await new Promise((resolve) => {
      worker.once('exit', resolve);
      worker.process.kill('SIGTERM');
    });
    clearTimeout(cut);
  }

  return {
    ready,
    async open(count) {
      const first = await start(); // alone: it migrates the database, and says what is wrong once
      if ('code' in first) return first;
      const others = Array.from({ length: count - 1 }, () => start());
      for (const other of await Promise.all(others)) if ('code' in other) void replace();
      return first;
    },
    async restart() {
      const running = Array.from(ready);
      for (const worker of running) {
        if (isClosing) return;
        const { code } = { code: 0, ...(await start()) };
        if (code > 0)
          return log.error(
            { code },
            'the restart ends: the new worker did not start, the others go on',
          );
        await end(worker);
      }
      log.info({ workers: ready.length }, 'every worker was restarted');
    },
    async close() {
      isClosing = true;
      await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => end(worker!)));
    },
  };
}

/** None after a worker has crashed once, then longer and longer. */
const pauseAfter = (shortLives: number): number =>
  shortLives < 2 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (shortLives - 2), LONGEST_PAUSE_MS);
