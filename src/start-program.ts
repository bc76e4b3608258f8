import cluster from 'node:cluster';
import { createLog } from '#src/platform/log';
import { createRequestContext } from '#src/platform/request-context';
import { sharedOutput } from '#src/platform/shared-output';
import type { Dotenv } from '#src/platform/settings/dotenv';
import { checkSettings, settingsFrom, type Environment } from '#src/platform/settings/read';
import type { Settings } from '#src/platform/settings/settings';
import { endAtSignals } from '#src/platform/end-at-signals';
import { createSupervisor } from '#src/supervisor';

/**
 * The program `sallyport start`: the server in this process, or, with WORKERS, in several that this process supervises.
 * Then SIGUSR2 restarts them one by one.
 */
export async function startProgram(env: Environment, dotenv: Dotenv): Promise<void> {
  const { settings } = checkSettings(settingsFrom(env)); // what is wrong is said by the server
  if (cluster.isPrimary && settings && settings.workers > 1) return supervise(settings);
  const { startServer } = await import('#src/server-program'); // a supervisor does without its modules
  return startServer(env, dotenv);
}

async function supervise(settings: Settings): Promise<void> {
  const { workers, logLevel, metricsPort } = settings;
  const log = createLog(logLevel, createRequestContext(), sharedOutput());
  const supervisor = createSupervisor(log, (code) => process.exit(code));
  endAtSignals(() => supervisor.close());
  if (metricsPort !== undefined) {
    const { serveMetrics } = await import('#src/metrics-server');
    const { workerMetrics } = await import('#src/worker-metrics');
    await serveMetrics(
      settings,
      workerMetrics(() => supervisor.ready),
      log,
    );
  }
  const opened = await supervisor.open(workers);
  if ('code' in opened) process.exit(opened.code);
  let restarting = Promise.resolve();
  process.on('SIGUSR2', () => (restarting = restarting.then(() => supervisor.restart())));
  process.stderr.write(opened.greeting);
}
