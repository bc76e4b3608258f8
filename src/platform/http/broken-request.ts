import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { endAndLinger } from '#src/platform/http/linger';
import { nodeHttp } from '#src/platform/http/node-http';
import { readTarget, UNREAD } from '#src/platform/http/malformed-request';
import { Problem, type ProblemCode } from '#src/platform/http/problem';

const byCode: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'payload_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers a request with this problem, with the headers, the log line and the limits of every other one. */
export type Refuse = (req: IncomingMessage, res: ServerResponse, problem: Problem) => void;

/**
 * Answers, as a problem, what Node's parser refuses before there is a request. Then it closes the connection: bytes
 * after a broken request cannot be trusted.
 */
export function answerBrokenRequests(server: Server, refuse: Refuse): void {
  const { ServerResponse } = nodeHttp();
  const answered = new WeakSet<object>();
  const answer = (socket: Socket, problem: Problem, req = unreadRequest(socket)) => {
    answered.add(socket);
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => endAndLinger(socket));
    refuse(req, res, problem);
  };
  // An unknown expectation may be ignored (RFC 9110 §10.1.1). Node would answer a bare 417.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  server.on('connect', (req, socket) => {
    // It names a host and port, not a path: this server opens no tunnel.
    answer(socket as Socket, readTarget(req) ?? new Problem('invalid_request'), req);
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, duplex) => {
    const socket = duplex as Socket & { _httpMessage?: ServerResponse };
    if (answered.has(socket)) return; // more of the same, while it lingers
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const problem = new Problem(byCode[error.code ?? ''] ?? 'invalid_request');
    const { _httpMessage: begun } = socket;
    if (!begun) return answer(socket, problem, unreadRequest(socket, error.rawPacket));
    // An answer to an earlier request may be under way. The client must not take ours for it.
    if (begun.req.complete || begun.headersSent)
      return void begun.once('close', () => socket.destroy());
    answered.add(socket);
    begun.once('finish', () => endAndLinger(socket));
    refuse(begun.req, begun, problem);
  });
}

/** A request of which nothing is known but who sent it, and if it was a HEAD, whose answer has no body (RFC 9110 §9.3.2). */
function unreadRequest(socket: Socket, packet?: Buffer): IncomingMessage {
  const { IncomingMessage } = nodeHttp();
  const req = new IncomingMessage(socket);
  const known = packet?.toString('latin1', 0, 5) === 'HEAD ' ? { method: 'HEAD' } : {};
  return Object.assign(req, { ...UNREAD, ...known, httpVersionMajor: 1, httpVersionMinor: 1 });
}
