import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { failRunningStrategy } from '#src/authentication/wrap';
import { greeting } from '#src/greeting';
import { answerBrokenRequests } from '#src/platform/http/broken-request';
import { terminalOutput } from '#src/platform/log';
import { parseSettings, settingsFrom, type Environment } from '#src/platform/settings/read';
import { SettingsSchema } from '#src/platform/settings/schema';
import { SettingsError } from '#src/platform/settings/settings-error';
import { unknownNames } from '#src/platform/settings/unknown';
import { openInstance, type Instance } from '#src/instance';

/** A load balancer gets this long to notice that the node is leaving, in milliseconds. */
const DRAIN_NOTICE_MS = 1000;
/** Requests under way get this long to finish, in milliseconds. */
const DRAIN_TIMEOUT_MS = 8000;

export interface RunningServer extends Instance {
  server: Server;
  /** The address that works in a browser on this machine. */
  url: string;
  /** Answers what is under way, then lets go of everything. */
  stop(): Promise<void>;
}

/** Opens an instance and listens. Resolves when requests are answered. */
export async function serve(env: Environment, dotenv: Environment = {}): Promise<RunningServer> {
  const settings = parseSettings(settingsFrom(env));
  const refuseUnknown = (strategySettings: string[]) => {
    const names = [...Object.keys(SettingsSchema.shape), ...strategySettings];
    const mistakes = unknownNames(names, env, dotenv);
    if (mistakes.length > 0) throw new SettingsError(mistakes);
  };
  const logOutput = process.stdout.isTTY ? terminalOutput() : undefined;
  const instance = await openInstance(settings, { refuseUnknown, logOutput });
  try {
    const server = await listen(instance);
    instance.startDelivery(); // last: a second server that does not get the port takes no mail
    let stopping: Promise<void> | undefined;
    const stop = () => (stopping ??= drain(instance, server).then(() => instance.close()));
    return { ...instance, server, stop, url: addressOf(server) };
  } catch (error) {
    await instance.close();
    throw error;
  }
}

/** The program `sallyport start`. It ends with SIGINT or SIGTERM. */
export async function startServer(env: Environment, dotenv: Environment): Promise<void> {
  let running: RunningServer | undefined;
  reportCrashes(() => running);
  const server = await serve(env, dotenv);
  running = server;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      if (process.stderr.isTTY) process.stderr.write('\nGoodbye.\n');
      void server.stop().finally(() => process.exit());
    });
  process.stderr.write(greeting(server, process.stderr.isTTY));
}

async function listen({ app, ctx }: Instance): Promise<Server> {
  const { host, port, basePath } = ctx.settings;
  // app.listen() cannot set connectionsCheckingInterval, and without it Node enforces its timeouts only every 30 s.
  const server = createServer(
    {
      connectionsCheckingInterval: 1000,
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
      optimizeEmptyRequests: true,
    },
    (req, res) => {
      if (ctx.health.draining) res.setHeader('Connection', 'close');
      if (basePath) req.url = withoutBasePath(req.url!, basePath);
      app(req, res);
    },
  );
  answerBrokenRequests(server, ctx.settings);
  server.maxRequestsPerSocket = 10_000;
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, host, resolve),
  );
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

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
