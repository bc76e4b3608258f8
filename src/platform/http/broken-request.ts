import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import { problemBody } from '#src/platform/http/error-handler';
import { Problem, type ProblemCode } from '#src/platform/http/problem';
import type { Settings } from '#src/platform/settings/settings';

const byCode: Record<string, ProblemCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};
const POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/**
 * Answers, as a problem, what Node's parser refuses before there is a request. Then it closes the connection: bytes
 * after a broken request cannot be trusted.
 */
export function answerBrokenRequests(server: Server, settings: Pick<Settings, 'basePath'>): void {
  // An unknown expectation may be ignored (RFC 9110 §10.1.1). Node would answer a bare 417.
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // An answer to an earlier request that was complete may be under way. The client must not take ours for it.
    const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse };
    if (answer?.req.complete) return void answer.once('close', () => socket.destroy());
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
    const problem = new Problem(byCode[error.code ?? ''] ?? 'invalid_request');
    const requestId = randomUUID();
    const body = JSON.stringify(problemBody(problem, requestId, settings));
    socket.end(
      [
        `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
        'Content-Type: application/problem+json; charset=utf-8',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Cache-Control: no-store',
        'Connection: close',
        `Content-Security-Policy: ${POLICY}`,
        'Strict-Transport-Security: max-age=31536000; includeSubDomains',
        'X-Content-Type-Options: nosniff',
        `X-Request-Id: ${requestId}`,
        '',
        body,
      ].join('\r\n'),
    );
  });
}
