import cluster from 'node:cluster';

/** Ends the program at SIGINT and SIGTERM, when `stop` is done. A terminal and a supervisor may send both, or one twice. */
export function endAtSignals(stop: () => Promise<void>): void {
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (process.stderr.isTTY && cluster.isPrimary && !stopping)
        process.stderr.write('\nGoodbye.\n');
      stopping ??= stop().finally(() => process.exit());
    });
}
