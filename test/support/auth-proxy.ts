import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** An answer of the server behind the proxy. */
export interface Forwarded {
  status: number;
  headers: Record<string, string>;
  body: string;
}
/** Makes a fault of one request: it may forward it, late, twice or never. Undefined: the connection is reset. */
export type Fault = (forward: () => Promise<Forwarded>) => Promise<Forwarded | undefined>;

/** Stands between another service and the auth server, counts what is asked, and makes faults on request. */
export async function authProxy(target: string, close = onTestFinished) {
  const asked: string[] = [];
  const faults = new Map<string, Fault>();

  async function forward(req: IncomingMessage, body: Buffer, signal: AbortSignal) {
    const { authorization = '', 'content-type': type = 'text/plain' } = req.headers;
    const answer = await fetch(target + req.url!, {
      method: req.method!,
      headers: { authorization, 'content-type': type },
      ...(req.method === 'POST' && { body: new Uint8Array(body) }),
      signal,
    });
    return {
      status: answer.status,
      headers: { 'content-type': answer.headers.get('content-type') ?? 'text/plain' },
      body: await answer.text(),
    };
  }
  const server = createServer((req, res) => {
    const [path = ''] = req.url!.split('?');
    asked.push(path);
    const leaving = new AbortController();
    res.once('close', () => leaving.abort());
    const answer = async () => {
      const body = await buffer(req);
      const ask = () => forward(req, body, leaving.signal);
      const found = await (faults.get(path) ?? faults.get('*') ?? ((pass) => pass()))(ask);
      if (found) res.writeHead(found.status, found.headers).end(found.body);
      else req.socket.resetAndDestroy();
    };
    answer().catch(() => req.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  close(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Paths, in their order. */
    asked,
    count: (path: string) => asked.filter((each) => each === path).length,
    /** From now on. `*`: every path that has none of its own. */
    fault(path: string, fault: Fault | undefined) {
      if (fault) faults.set(path, fault);
      else faults.delete(path);
    },
  };
}
