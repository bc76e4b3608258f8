import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';
import { answerBrokenRequests, type Refuse } from '#src/platform/http/broken-request';
import { expressClasses } from '#src/platform/http/express-classes';
import { nodeHttp } from '#src/platform/http/node-http';
import { destroyAfter, endAndLinger } from '#src/platform/http/linger';
import { readTarget } from '#src/platform/http/malformed-request';

/** How many requests of one connection may wait for their turn before it is not read on. */
const MAX_PIPELINED = 32;

/**
 * An HTTP server on which every request line gets an answer or a closed connection in bounded time. `answer` gets what it
 * can read, `refuse` what is no request. `app` is the app that answers, if it is one of Express.
 */
export function createHttpServer(answer: RequestListener, refuse: Refuse, app?: Express): Server {
  const handle: RequestListener = (req, res) => {
    if (hasBody(req)) boundUnreadBody(req, res);
    const problem = readTarget(req);
    if (problem) return refuse(req, res, problem);
    answer(req, res);
  };
  const server = nodeHttp().createServer(
    {
      ...(app && expressClasses(app)),
      connectionsCheckingInterval: 1000, // Node's default would enforce the timeouts every 30 s
      headersTimeout: 10_000,
      requestTimeout: 15_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
      optimizeEmptyRequests: true,
      requireHostHeader: false, // `ambiguousHeaders` refuses it with a problem
    },
    inTurn(handle),
  );
  server.maxRequestsPerSocket = 10_000;
  // Without a byte read or written: a peer that takes no answer keeps nothing for ever.
  server.setTimeout(30_000);
  answerBrokenRequests(server, refuse);
  return server;
}

/**
 * Handles the requests of a connection one after the other. Those that are sent before the earlier ones were answered
 * (pipelining, RFC 9112 §9.3.2) wait, and cost nothing but themselves.
 */
function inTurn(handle: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (req, res) => {
    if (res.socket) return handle(req, res);
    const { socket } = req;
    const count = (waiting.get(socket) ?? 0) + 1;
    waiting.set(socket, count);
    if (count === MAX_PIPELINED) socket.pause();
    res.once('socket', () => {
      const left = waiting.get(socket)! - 1;
      waiting.set(socket, left);
      if (left === 0) socket.resume();
      handle(req, res);
    });
  };
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** What comes of a body after its answer is not taken for long, and the client still gets the answer. */
const boundUnreadBody = (req: IncomingMessage, res: ServerResponse): unknown =>
  res.prependOnceListener('finish', () => {
    if (req.complete) return;
    const { socket } = req;
    socket.destroySoon = () => endAndLinger(socket); // Node calls it after `Connection: close`
    destroyAfter(socket, () => req.complete);
  });
