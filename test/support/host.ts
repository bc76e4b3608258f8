import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { afterAll } from 'vitest';
import { createSallyport, settingsFrom, type Sallyport, type SallyportOptions } from '#src/index';
import { testEnv } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';

/** Options as an app gives them, over an empty database unless they name one. */
export async function testOptions(options: SallyportOptions = {}): Promise<SallyportOptions> {
  const databaseUrl = options.databaseUrl ?? (await emptyDatabase());
  return { ...settingsFrom(testEnv(databaseUrl)), ...options };
}

/** Serves an app on a free port until the file is done. The app is made when the address is known. */
export async function host(make: (url: string) => Promise<Express> | Express) {
  let app: Express | undefined;
  const server = createServer((req, res) => void app!(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  afterAll(close);
  app = await make(url);
  return { url, app, close };
}

/**
 * An app in which the server is embedded below `basePath`. `build` makes the app, and mounts what it is given where it
 * likes.
 */
export async function embed(
  basePath: string,
  build: (auth: Sallyport) => Express,
  options: SallyportOptions = {},
) {
  let auth!: Sallyport;
  const running = await host(async (url) => {
    auth = await createSallyport(
      await testOptions({ publicUrl: `${url}${basePath}`, dialects: 'none', ...options }),
    );
    return build(auth);
  });
  afterAll(() => auth.close());
  return { ...running, auth, ask: asking(running.url) };
}

interface Question {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Asks an app. Unlike `clientOf`, it expects nothing of the answer. */
export const asking =
  (url: string) =>
  async (method: string, path: string, { token, body, headers }: Question = {}) => {
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
    const json: any = isJson && text ? JSON.parse(text) : undefined;
    return { status: response.status, headers: response.headers, text, body: json };
  };
