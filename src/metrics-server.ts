import type { AddressInfo } from 'node:net';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { listenOn } from '#src/listen';
import { METRICS_TYPE } from '#src/metrics/exposition';
import { nodeHttp } from '#src/platform/http/node-http';
import type { Log } from '#src/platform/log';
import type { Settings } from '#src/platform/settings/settings';

/** More connections at a time are closed: one Prometheus needs one. */
const MAX_CONNECTIONS = 32;

export interface MetricsServer {
  /** Where it listens: `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` on METRICS_HOST and METRICS_PORT, and nothing else. Two who ask at the same time share one answer.
 * @throws {StartError} with the remedy
 */
export async function serveMetrics(
  { metricsHost: host, metricsPort: port }: Pick<Settings, 'metricsHost' | 'metricsPort'>,
  text: () => Promise<string>,
  log: Log,
): Promise<MetricsServer> {
  let running: Promise<string> | undefined;
  const shared = () => (running ??= text().finally(() => (running = undefined)));
  const server = nodeHttp().createServer(
    {
      connectionsCheckingInterval: 1000,
      headersTimeout: 5000,
      requestTimeout: 5000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
    },
    (req, res) => {
      answer(req, res, shared).catch((error: unknown) => {
        log.error({ err: error }, 'the metrics could not be answered');
        say(res, 500);
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(30_000);
  await listenOn(server, { host, port: port! }, { host: 'METRICS_HOST', port: 'METRICS_PORT' });
  return { url: `${addressOf(server)}/metrics`, close: () => end(server) };
}

async function answer(req: IncomingMessage, res: ServerResponse, text: () => Promise<string>) {
  req.resume();
  const [path] = req.url!.split('?');
  if (path !== '/metrics') return say(res, 404);
  if (req.method !== 'GET' && req.method !== 'HEAD') return say(res, 405, { Allow: 'GET, HEAD' });
  const body = await text();
  res.writeHead(200, { ...HEADERS, 'Content-Type': METRICS_TYPE });
  res.end(body);
}

const HEADERS = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

function say(res: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  if (res.headersSent) return void res.destroy();
  res.writeHead(status, { ...HEADERS, ...headers });
  res.end();
}

export function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const end = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
