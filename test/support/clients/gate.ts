import {
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '#test/support/certificate';

interface Visit {
  req: IncomingMessage;
  res: ServerResponse;
  /** Asks the server; resolves when all of its answer is here. */
  ask: () => Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }>;
}
/** What becomes of one request on its way. */
export type Fate = (visit: Visit) => unknown;

export const pass: Fate = async ({ res, ask }) => {
  const { status, headers, body } = await ask();
  res.writeHead(status, headers).end(body);
};
/** A connection with TLS knows no reset. */
const cut = ({ socket }: IncomingMessage) =>
  'encrypted' in socket ? socket.destroy() : socket.resetAndDestroy();

/** It never reaches the server. */
export const refused: Fate = ({ req }) => cut(req);
/** The server has done it, and nobody hears so. */
export const lost: Fate = async ({ req, ask }) => {
  await ask();
  cut(req);
};
/** The server has done it, and the line breaks in the middle of the answer. */
export const halved: Fate = async ({ req, res, ask }) => {
  const { status, headers, body } = await ask();
  res.writeHead(status, headers).write(body.subarray(0, body.length / 2), () => cut(req));
};
/** The server has done it, and the line stays open, and silent. */
export const mute: Fate = ({ ask }) => ask();
/** Something between answers itself. */
export const says =
  (status: number, body: string | object, headers: Record<string, string> = {}): Fate =>
  ({ res }) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    res
      .writeHead(status, {
        'content-type': typeof body === 'string' ? 'text/html' : 'application/json',
        ...headers,
      })
      .end(text);
  };
/** The server has done it, and the answer waits for this. */
export const heldUntil =
  (signal: Promise<unknown>): Fate =>
  async ({ res, ask }) => {
    const { status, headers, body } = await ask();
    await signal;
    res.writeHead(status, headers).end(body);
  };

/** Stands between clients and a server: counts what is asked, and lets answers go astray on request. */
export async function startGate(target: string, tls?: Certificate) {
  interface Seen {
    what: string;
    token: string | undefined;
    /** How many of its kind were under way when it came, with itself. */
    beside: number;
  }
  const seen: Seen[] = [];
  const under = new Set<Seen>();
  const fates = new Map<string, Fate[]>();
  const listener: RequestListener = async (req, res) => {
    const what = `${req.method} ${req.url}`;
    const visit = { what, token: req.headers.authorization?.slice('Bearer '.length), beside: 0 };
    seen.push(visit);
    under.add(visit);
    visit.beside = [...under].filter((other) => other.what === what).length;
    res.once('close', () => under.delete(visit));
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const ask = () => forward(target, req, Buffer.concat(chunks));
    try {
      const fate = fates.get(what)?.shift() ?? always.get(what) ?? always.get(what.split('?')[0]!);
      await (fate ?? pass)({ req, res, ask });
    } catch {
      cut(req); // the server is away
    }
  };
  const gate = tls ? createTlsServer(tls, listener) : createServer(listener);
  const always = new Map<string, Fate>();
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${(gate.address() as AddressInfo).port}`,
    /** From now on requests go there. */
    lead: (url: string) => void (target = url),
    /** The fates of the next requests of this kind, one each. */
    next: (what: string, ...those: Fate[]) => void fates.set(what, those),
    /** The fate of all of this kind; `pass` ends it. */
    all: (what: string, fate: Fate) => void always.set(what, fate),
    /** How many of this kind there were since `forget`. */
    count: (what: string) => seen.filter((request) => request.what === what).length,
    /** How many of this kind were under way at once. */
    together: (what: string) =>
      Math.max(0, ...seen.flatMap((visit) => (visit.what === what ? [visit.beside] : []))),
    seen,
    /** Counts from nought, and interferes no more. */
    forget() {
      seen.length = 0;
      fates.clear();
      always.clear();
    },
    close() {
      gate.closeAllConnections();
      gate.close();
    },
  };
}

async function forward(target: string, req: IncomingMessage, body: Buffer) {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { method, headers } = req;
    request(
      target + req.url,
      { method, headers: { ...headers, connection: 'close' }, agent: false },
      resolve,
    )
      .once('error', reject)
      .end(body);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const { connection: _, ...headers } = answer.headers;
  return { status: answer.statusCode!, headers, body: Buffer.concat(chunks) };
}
