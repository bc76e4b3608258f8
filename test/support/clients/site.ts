import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from 'vitest';

/** An app of another origin than the server: a page for every path, and modules by their names. */
export async function startSite(modules: Record<string, string>, page = '<title>App</title>') {
  const site = createServer((req, res) => {
    const module = modules[req.url!.slice(1)];
    res
      .setHeader('Content-Type', module === undefined ? 'text/html' : 'text/javascript')
      .end(module ?? `<!doctype html>${page}`);
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  afterAll(() => site.close());
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
}
