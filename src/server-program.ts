import cluster from 'node:cluster';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { failRunningStrategy } from '#src/authentication/wrap';
import { configurationFrom } from '#src/configuration';
import { greeting } from '#src/greeting';
import { boundHeap, trimHeap } from '#src/platform/heap';
import { createHttpServer } from '#src/platform/http/http-server';
import { refuseWith } from '#src/platform/http/middleware';
import { listenOn } from '#src/listen';
import { addressOf, serveMetrics, type MetricsServer } from '#src/metrics-server';
import { tellPerson } from '#src/platform/tell';
import { readableLine } from '#src/platform/log-line';
import { standardOutput } from '#src/platform/log-output';
import { sharedOutput } from '#src/platform/shared-output';
import { endAtSignals } from '#src/platform/end-at-signals';
import { letRequestsGoFirst } from '#src/platform/pool-priority';
import type { ContextOptions } from '#src/open-context';
import type { Dotenv } from '#src/platform/settings/dotenv';
import type { Environment } from '#src/platform/settings/read';
import { openInstance, type Instance } from '#src/instance';
import { PURGE, type ReadyMessage } from '#src/supervisor';
import { tellMetrics } from '#src/worker-metrics';

/** A load balancer gets this long to notice that the node is leaving, in milliseconds. */
const DRAIN_NOTICE_MS = 1000;
/** Requests under way get this long to finish, in milliseconds. */
const DRAIN_TIMEOUT_MS = 8000;

export interface RunningServer extends Instance {
  server: Server;
  /** The address that works in a browser on this machine. */
  url: string;
  /** Where Prometheus gets metrics, if METRICS_PORT is set and this is no worker. */
  metricsUrl: string | undefined;
  /** Answers what is under way, then lets go of everything. */
  stop(): Promise<void>;
}

/** Opens an instance and listens. Resolves when requests are answered. */
export async function serve(
  env: Environment,
  dotenv?: Dotenv,
  options: ContextOptions = {},
): Promise<RunningServer> {
  const configuration = await configurationFrom(env, dotenv);
  const ownOutput = process.stdout.isTTY ? standardOutput(readableLine) : undefined;
  const logOutput = cluster.isWorker ? sharedOutput() : ownOutput;
  const instance = await openInstance(configuration, { logOutput, tell: tellPerson, ...options });
  let metrics: MetricsServer | undefined;
  try {
    const server = await listen(instance);
    metrics = await listenForMetrics(instance);
    instance.startDelivery(); // last: a second server that does not get the port takes no mail
    let stopping: Promise<void> | undefined;
    const stop = () =>
      (stopping ??= drain(instance, server)
        .then(() => metrics?.close())
        .then(() => instance.close()));
    return { ...instance, server, stop, url: addressOf(server), metricsUrl: metrics?.url };
  } catch (error) {
    await metrics?.close();
    await instance.close();
    throw error;
  }
}

/** The server as a program, or as a worker of one. It ends with SIGINT or SIGTERM. */
export async function startServer(env: Environment, dotenv: Dotenv): Promise<void> {
  let running: RunningServer | undefined;
  boundHeap();
  reportCrashes(() => running);
  const server = await serve(env, dotenv);
  running = server;
  server.startSealing();
  endAtSignals(() => server.stop());
  const words = greeting(server, process.stderr.isTTY);
  if (cluster.isWorker) work(server, words);
  else {
    server.startPurge();
    process.stderr.write(words);
  }
  letRequestsGoFirst();
  trimHeap();
}

/** A worker has no port of its own for them: the process that supervises asks. */
async function listenForMetrics({ ctx }: Instance): Promise<MetricsServer | undefined> {
  const { metrics, settings, log } = ctx;
  if (metrics && cluster.isWorker) tellMetrics(metrics);
  return metrics && cluster.isPrimary
    ? serveMetrics(settings, () => metrics.text(), log)
    : undefined;
}

/** Tells the supervisor that this worker answers requests, and hears from it which worker purges. */
function work({ ctx, startPurge }: RunningServer, words: string): void {
  const hear = (said: unknown) => {
    if (said !== PURGE) return;
    process.off('message', hear);
    ctx.log.debug({}, 'this worker purges');
    startPurge();
  };
  process.on('message', hear);
  process.send!({ greeting: words } satisfies ReadyMessage);
}

async function listen({ app, ctx }: Instance): Promise<Server> {
  const { basePath } = ctx.settings;
  const server = createHttpServer(
    (req, res) => {
      if (ctx.health.draining) res.setHeader('Connection', 'close');
      if (basePath) req.url = withoutBasePath(req.url!, basePath);
      app(req, res);
    },
    refuseWith(app),
    app,
  );
  await listenOn(server, ctx.settings);
  return server;
}

/** Some proxies remove the path of PUBLIC_URL and some do not. Both are understood. */
function withoutBasePath(url: string, basePath: string): string {
  if (!url.startsWith(basePath) || !/^([/?]|$)/.test(url.slice(basePath.length))) return url;
  const rest = url.slice(basePath.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** First `/readyz` says no and keep-alive ends. New connections are refused after there was time to notice. */
async function drain({ ctx }: Instance, server: Server): Promise<void> {
  ctx.health.draining = true;
  ctx.changes.close(); // other services ask another node
  const open = await new Promise<number>((resolve) => {
    server.getConnections((_error, count) => resolve(count));
  });
  if (open > 0) await sleep(DRAIN_NOTICE_MS);
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(cut);
}

/**
 * A rejection that nobody awaited is a mistake in a strategy and harms one request. An exception that nobody caught may
 * have harmed anything, so the server stops in good order.
 */
function reportCrashes(running: () => RunningServer | undefined): void {
  const log = (level: 'error' | 'fatal', error: unknown, message: string) => {
    const server = running();
    if (server) server.ctx.log[level]({ stack: traceOf(error) }, message);
    else process.stderr.write(`${message}\n${traceOf(error)}\n`);
  };
  process.on('unhandledRejection', (error) =>
    log('error', error, 'a promise was rejected and nobody listened'),
  );
  process.on('uncaughtException', (error) => {
    const server = running();
    // Some libraries throw in a callback when they get an answer that they did not expect.
    if (server && failRunningStrategy(server.running, server.ctx.log, error)) return;
    log('fatal', error, 'stopping: an exception reached nobody');
    if (process.listenerCount('SIGTERM') === 0) process.exit(1); // it is still starting
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  });
}

/** Where an unexpected error came from. Its message is left out: Sequelize's hold the statement and its values. */
const traceOf = (error: unknown) => (error instanceof Error ? error.stack : typeof error);
