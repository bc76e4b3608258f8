import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '#migrations/index';
import { setClock } from '#models/clock';
import { connect } from '#models/index';
import { createRole } from '#src/access/roles';
import { createApp, type App } from '#src/app';
import { config } from '#src/config';
import { purgeLimits } from '#src/core/limits';
import { log } from '#src/core/log';
import { connectRedis } from '#src/core/redis';
import { every } from '#src/core/schedule';
import { answerBrokenRequests } from '#src/http/broken-request';
import { neededBy } from '#src/http/strategy-settings';
import { blameStrategy } from '#src/http/wrap';
import { tendKeys } from '#src/keys/rotation';
import { startDelivery } from '#src/mail/delivery';
import { isDraining, stopBeingReady } from '#src/observability/health';
import { logFacts } from '#src/observability/log-facts';
import { purgeTokens } from '#src/core/one-time-tokens';
import { purgeSignUps } from '#src/users/sign-up';
import { purgeSessions } from '#src/sessions/purge';

/** How long a load balancer gets to notice that this node is leaving, and how long requests get to end, in milliseconds. */
const NOTICE = 1000;
const LAST_CALL = 8000;

/** Starts everything; resolves when requests are answered. `stop` answers what is under way, then lets go of everything. */
export async function serve(): Promise<App & { server: Server; banner: string; stop: () => Promise<void> }> {
  const app = await createApp();
  await migrate(config.DATABASE_URL);
  const database = connect(config.DATABASE_URL);
  const quiet = logFacts();
  for (const role of app.dialects.flatMap(({ roles = [] }) => roles)) await createRole(role);
  await setClock(database);
  await tendKeys();
  const closeRedis = await connectRedis(config.REDIS_URL);
  const tasks = [every(30, 'keys', tendKeys), every(600, 'purge', purge), every(3600, 'clock', () => setClock(database))];
  const server = await listen(app);
  tasks.push(startDelivery()); // last: whoever does not get its port takes no mail

  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      await drain(server);
      await Promise.all(tasks.map((stopTask) => stopTask()));
      closeRedis();
      await database.close();
      quiet();
    })());
  return { ...app, server, banner: banner(app, server), stop };
}

/** Forgets what has been over for long. */
async function purge(): Promise<void> {
  await purgeSessions();
  await purgeTokens();
  await purgeSignUps();
  await purgeLimits();
}

async function listen({ app }: App): Promise<Server> {
  // app.listen() could not set connectionsCheckingInterval, and without it Node looks at its timeouts only every 30 s.
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
      if (isDraining()) res.setHeader('Connection', 'close');
      app(req, res);
    },
  );
  answerBrokenRequests(server);
  server.maxRequestsPerSocket = 10_000;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(config.PORT, config.HOST, resolve));
  return server;
}

/** Readiness goes first and keep-alive with it; new connections are refused when there was time to notice. */
async function drain(server: Server): Promise<void> {
  stopBeingReady();
  const open = await new Promise<number>((resolve) => {
    server.getConnections((_error, count) => resolve(count));
  });
  if (open > 0) await sleep(NOTICE);
  const cut = setTimeout(() => server.closeAllConnections(), LAST_CALL);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  clearTimeout(cut);
}

/** A rejection that nobody awaited is a mistake in somebody's strategy and harms one request; an exception in the open may have harmed anything. */
export function reportCrashes(): void {
  process.on('unhandledRejection', (error) => log.error({ stack: traceOf(error) }, 'a promise was rejected and nobody listened'));
  process.on('uncaughtException', (error) => {
    if (blameStrategy(error)) return; // some libraries throw in a callback, over an answer they did not expect
    log.fatal({ stack: traceOf(error) }, 'stopping: an exception reached nobody');
    if (process.listenerCount('SIGTERM') === 0) process.exit(1); // still starting: there is nothing to end in good order
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  });
}

/** Of an error nobody expected, only where it was: Sequelize's carry the statement and its values. */
const traceOf = (error: unknown) => (error instanceof Error ? error.stack : typeof error);

/** The one line that a person sees: where, on what, with which ways in, and where to read on. */
function banner({ strategies }: App, server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  const on = strategies.on.map(({ name }) => name).join(', ') || 'none';
  const off = strategies.off.map((strategy) => `${strategy.name} (${neededBy(strategy).join(', ')})`).join(', ') || 'none';
  return `Sallyport is at ${url} · database ${place(config.DATABASE_URL)} · strategies on: ${on}; off: ${off} · docs ${url}/docs`;
}

/** Where the database is, without user and password. */
function place(databaseUrl: string): string {
  if (databaseUrl.startsWith('sqlite:')) return databaseUrl;
  const { protocol, host, pathname } = new URL(databaseUrl);
  return `${protocol}//${host}${pathname}`;
}
