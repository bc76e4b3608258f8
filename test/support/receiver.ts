import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished } from 'vitest';
import { eventually } from '#test/support/eventually';

/** What a webhook was sent. */
export interface Heard {
  path: string;
  headers: Record<string, string>;
  text: string;
  /** The body as JSON. */
  // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
  body: any;
}
type Reply = (res: ServerResponse, heard: Heard) => unknown;
interface Tls {
  key: string;
  cert: string;
}

/** A program that webhooks call, on a loopback address, until the test is over. It answers 204 unless it is told otherwise. */
export async function startReceiver({
  tls,
  close = onTestFinished,
}: { tls?: Tls; close?: typeof onTestFinished } = {}) {
  const heard: Heard[] = [];
  let reply: Reply = (res) => res.writeHead(204).end();
  const listener: RequestListener = (req: IncomingMessage, res) => {
    void text(req)
      .then((body) => {
        const one: Heard = {
          path: req.url!,
          headers: req.headers as Record<string, string>,
          text: body,
          body: JSON.parse(body),
        };
        heard.push(one);
        return reply(res, one);
      })
      .catch(() => {}); // it was cut off
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  let connections = 0;
  server.on('connection', () => connections++);
  const listen = async (port = 0) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen();
  const hangUp = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => void server.close(resolve));
  };
  close(hangUp);
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/hook`,
    port,
    heard,
    /** How many connections it has had. */
    connections: () => connections,
    /** What it answers from now on. */
    answer: (next: Reply | number) => {
      reply = typeof next === 'number' ? (res) => res.writeHead(next).end() : next;
    },
    /** Takes no connection any more. */
    hangUp,
    /** Takes connections again. */
    comeBack: () => listen(port),
    /** Waits until it has heard so many requests. */
    hears: (many: number) =>
      eventually(() => {
        expect(heard.length).toBeGreaterThanOrEqual(many);
        return heard;
      }),
  };
}

/** What a verifier by the standard says: the body, or that it throws. */
export const verified = (secret: string, { text, headers }: Pick<Heard, 'text' | 'headers'>) =>
  new Webhook(secret).verify(text, headers);
