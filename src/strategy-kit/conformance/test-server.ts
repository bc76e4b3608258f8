import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request, type RequestHandler } from 'express';
import type { Sample } from '#src/strategy-kit/conformance/options';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

export interface Receiver extends Request {
  session?: object;
  rawBody?: Buffer;
}
const TRIAL_HEADER = 'x-trial';
/** Bytes of a request, so that the strategy itself must refuse what is too long. */
const REQUEST_LIMIT = 1 << 20;

/** A server on a free port that reads the requests of this strategy, however large. */
export async function listen({ kind, rawBody }: AuthStrategy, receive: RequestHandler) {
  const app = express().set('query parser', 'simple');
  if (kind === 'redirect') app.use(express.urlencoded({ extended: false, limit: REQUEST_LIMIT }));
  if (kind === 'login') app.use(express.json({ limit: REQUEST_LIMIT }));
  if (rawBody) app.use(...readRawBody());
  app.use(receive);
  const server = createServer({ maxHeaderSize: REQUEST_LIMIT }, app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

const readRawBody = (): [RequestHandler, RequestHandler] => [
  (req: Receiver, _res, next) => {
    req.rawBody = Buffer.alloc(0);
    next();
  },
  express.json({
    limit: REQUEST_LIMIT,
    verify: (req: Receiver, _res, bytes) => {
      req.rawBody = bytes;
    },
  }),
];

export function takeId(req: Request): string {
  const id = req.get(TRIAL_HEADER)!;
  delete req.headers[TRIAL_HEADER];
  return id;
}

export async function sendRequest(
  url: URL,
  strategy: AuthStrategy,
  sample: Sample,
  id: string,
  isCallback: boolean,
): Promise<void> {
  for (const [name, value] of Object.entries(sample.query ?? {}))
    for (const each of [value].flat()) url.searchParams.append(name, each);
  const isForm = isCallback && strategy.responseMode === 'form_post';
  const isSigned = strategy.rawBody === true && sample.body !== undefined;
  const posts = strategy.kind === 'login' || isForm || isSigned;
  const body = sample.body && (isForm ? formOf(sample.body) : JSON.stringify(sample.body));
  const type = body !== undefined && {
    'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
  };
  const sent = request(url, {
    method: posts ? 'POST' : 'GET',
    headers: { ...type, ...sample.headers, [TRIAL_HEADER]: id },
  });
  sent.end(posts ? body : undefined);
  const [answer] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
  answer.resume();
}

function formOf(fields: Record<string, unknown>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, String(each)]),
  );
  return new URLSearchParams(pairs as [string, string][]).toString();
}
