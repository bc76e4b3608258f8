import cluster, { type Worker } from 'node:cluster';
import { textOf, together } from '#src/metrics/exposition';
import type { Measured } from '#src/metrics/families';
import type { Metrics } from '#src/metrics/metrics';

/** A worker that does not answer for so long, in milliseconds, is busy: what it said last is told. */
const ANSWER_TIMEOUT_MS = 1000;

/** What the first process asks each worker, and what that answers. */
interface Asked {
  askMetrics: number;
}
interface Answered {
  metricsOf: number;
  measured: Measured[];
}
const isAsked = (message: unknown): message is Asked =>
  typeof message === 'object' && message !== null && 'askMetrics' in message;
const isAnswered = (message: unknown): message is Answered =>
  typeof message === 'object' && message !== null && 'metricsOf' in message;

/** In a worker: tells the process that supervises it what it has counted, whenever it is asked. */
export function tellMetrics(metrics: Metrics): void {
  process.on('message', (message) => {
    if (!isAsked(message)) return;
    void metrics.measure().then((measured) => {
      if (process.connected)
        process.send!({ metricsOf: message.askMetrics, measured } satisfies Answered);
    });
  });
}

/**
 * In the process that supervises: the metrics of all workers as one. What a worker had counted stays in the sums when it
 * has ended: a counter that goes back would look like a restart of everything. What it counted after the last scrape is lost.
 */
export function workerMetrics(ready: () => readonly Worker[]): () => Promise<string> {
  /** What each worker said last. */
  const last = new Map<Worker, Measured[]>();
  let ended: Measured[] = [];
  let scrapes = 0;

  cluster.on('exit', (worker) => {
    const said = last.get(worker);
    last.delete(worker);
    if (said) ended = [...ended, ...said.filter(({ type }) => type !== 'gauge')];
  });

  async function ask(worker: Worker): Promise<void> {
    const scrape = ++scrapes;
    const { promise, resolve } = Promise.withResolvers<void>();
    const hear = (message: unknown) => {
      if (!isAnswered(message) || message.metricsOf !== scrape) return;
      if (!worker.isDead()) last.set(worker, message.measured);
      resolve();
    };
    const timer = setTimeout(resolve, ANSWER_TIMEOUT_MS);
    worker.on('message', hear).once('exit', resolve);
    if (worker.isConnected())
      worker.send({ askMetrics: scrape } satisfies Asked, (error: Error | null) => {
        if (error) resolve();
      });
    await promise;
    clearTimeout(timer);
    worker.off('message', hear).off('exit', resolve);
  }

  return async () => {
    await Promise.all(ready().map(ask));
    ended = await together([ended]);
    const all = await together([ended, ...last.values()]);
    return textOf(all.map((measured) => ({ name: measured.name, get: async () => measured })));
  };
}
