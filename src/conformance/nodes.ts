import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '#src/server-program';

/** What all nodes say that they are: what tokens and proofs of possession (DPoP) are for. Requests go to the proxies. */
export const PUBLIC_URL = 'http://localhost:3000';

/** Servers to rehearse with, on one database. Their clock goes as it is told. */
export interface Nodes {
  readonly urls: readonly string[];
  /** A folder that is gone with them. */
  readonly folder: string;
  /** How far their clock is ahead of the real one, in seconds. */
  readonly ahead: number;
  /** Lets this time pass on them, in seconds. */
  forward(seconds: number): void;
  close(): Promise<void>;
}

/** Starts a node for each database URL; without one, a server on SQLite in a temporary folder. */
export async function startNodes(
  databaseUrls: readonly string[],
  aheadSeconds: number,
): Promise<Nodes> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-conformance-'));
  const urls = databaseUrls.length > 0 ? databaseUrls : [`sqlite:${join(folder, 'server.sqlite')}`];
  const secret = randomBytes(32).toString('base64url');
  const running: Awaited<ReturnType<typeof serve>>[] = [];
  let ahead = aheadSeconds;
  const close = async () => {
    for (const node of running) {
      node.server.closeAllConnections();
      await node.stop();
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const url of urls)
      running.push(await serve(settings(url, secret), undefined, { aheadMs: () => ahead * 1000 }));
    for (const node of running) await ready(node.url);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    urls: running.map(({ url }) => url),
    folder,
    get ahead() {
      return ahead;
    },
    forward(seconds) {
      ahead += seconds;
    },
    close,
  };
}

const settings = (databaseUrl: string, secret: string) => ({
  DATABASE_URL: databaseUrl,
  APP_SECRET: secret,
  PORT: '0',
  PUBLIC_URL,
  BCRYPT_COST: '4',
  LIMITS: 'off',
  LOG_LEVEL: 'silent',
  DIALECTS: 'none',
});

/** A server that has just started may answer 503 for a moment. @throws {Error} after a minute */
async function ready(url: string): Promise<void> {
  const end = performance.now() + 60_000;
  while ((await fetch(`${url}/readyz`)).status !== 200) {
    if (performance.now() > end) throw new Error('The server does not become ready');
    await sleep(20);
  }
}
