import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}
/** A request on its way from the client to the server. @public The built types name it. */
export interface Visit {
  /** `POST /auth/refresh` */
  what: string;
  /** The bearer token. */
  token: string | undefined;
  body: Record<string, unknown>;
  /** What came back to the client, and when, in milliseconds. */
  answer?: Answer & { at: number };
  at: number;
}
/** What becomes of a request. Undefined: the connection is reset. */
export type Fate = (asked: {
  ask: () => Promise<Answer>;
  body: Visit['body'];
}) => Promise<Answer | undefined>;

export const pass: Fate = ({ ask }) => ask();
/** It never reaches the server. */
export const cut: Fate = async () => undefined;
/** The server does it, and the answer is lost. */
export const lost: Fate = async ({ ask }) => void (await ask());
/** Something else answers. */
export const says =
  (status: number, body: string | object, retryAfter?: string): Fate =>
  async () => ({
    status,
    headers: {
      'content-type': typeof body === 'string' ? 'text/html' : 'application/problem+json',
      ...(retryAfter && { 'retry-after': retryAfter }),
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** The client is told a nonce for its proof (RFC 9449 §8), and nothing was done: this is not yet the request. */
const isNonce = ({ body }: Answer) => parsed(body)['code'] === 'use_dpop_nonce';

/** They are about one connection. */
const OF_CONNECTION = [
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'expect',
];
const forwarded = (headers: Iterable<readonly [string, string]>) =>
  Object.fromEntries([...headers].filter(([name]) => !OF_CONNECTION.includes(name)));

export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** Stands between a client and servers, which take turns. It remembers what was asked, and makes faults. */
export async function startProxy(targets: readonly string[]) {
  const seen: Visit[] = [];
  const next = new Map<string, Fate[]>();
  const always = new Map<string, Fate>();
  let turn = 0;
  let isDown = false;

  async function forward({ method, url, headers }: IncomingMessage, body: string): Promise<Answer> {
    const answer = await fetch(targets[turn++ % targets.length]! + url, {
      method: method!,
      headers: forwarded(Object.entries(headers as Record<string, string>)),
      ...(body && { body }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: forwarded(answer.headers), body: text };
  }

  async function attend(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [path = ''] = req.url!.split('?');
    const body = await text(req);
    const visit: Visit = {
      what: `${req.method} ${path}`,
      token: req.headers.authorization?.split(' ')[1],
      body: parsed(body),
      at: performance.now(),
    };
    seen.push(visit);
    const own = next.get(visit.what)?.shift();
    const fate = own ?? always.get(visit.what) ?? pass;
    let told: Answer | undefined;
    const ask = async () => {
      const given = await forward(req, body);
      if (isNonce(given)) told = given;
      return given;
    };
    const found = isDown ? undefined : await fate({ ask, body: visit.body });
    const answer = told ?? found;
    if (told) seen.splice(seen.indexOf(visit), 1);
    if (told && own) next.get(visit.what)?.unshift(own);
    if (!answer) return void req.socket.resetAndDestroy();
    visit.answer = { ...answer, at: performance.now() };
    res.writeHead(answer.status, answer.headers).end(answer.body);
  }

  const server = createServer((req, res) => {
    attend(req, res).catch(() => req.socket.resetAndDestroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What was asked since `forget`, in its order. */
    of: (what: string) => seen.filter((visit) => visit.what === what),
    /** The fates of the next requests of this kind, one each. */
    next: (what: string, ...fates: Fate[]) => void next.set(what, fates),
    /** The fate of all of this kind. */
    all: (what: string, fate: Fate) => void always.set(what, fate),
    /** No request arrives until `forget`. */
    down() {
      isDown = true;
    },
    /** Counts from nought, and makes no more faults. */
    forget() {
      isDown = false;
      seen.length = 0;
      next.clear();
      always.clear();
    },
    close() {
      isDown = true;
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The object in a text; an empty one if it is none. */
export function parsed(body: string | undefined): Record<string, unknown> {
  try {
    return (JSON.parse(body ?? '') ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
