import type { IncomingMessage, RequestListener } from 'node:http';
import cors from 'cors';
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import type { Context } from '#src/context';
import type { Refuse } from '#src/platform/http/broken-request';
import { clientIp } from '#src/platform/http/client-ip';
import { addDefaults, type HeaderList } from '#src/platform/http/default-headers';
import { ambiguousHeaders } from '#src/platform/http/malformed-request';
import { Problem } from '#src/platform/http/problem';
import { newRequestId, requestIdOf, setRequestId } from '#src/platform/http/request-id';
import { RequestInfo } from '#src/platform/http/request-info';
import type { RequestLine } from '#src/platform/log';
import { originMatcher } from '#src/platform/settings/origins';

/** The headers that a middleware sets on an answer to an ordinary request. */
function headersOf(middleware: RequestHandler): HeaderList {
  const headers = new Map<string, string>();
  const answer = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    getHeader: (name: string) => headers.get(name),
    removeHeader: (name: string) => headers.delete(name),
  };
  middleware({ method: 'GET', headers: {} } as Request, answer as unknown as Response, () => {});
  return [...headers].flat();
}

/**
 * An API answers no pages: nothing of an answer may run, be framed or send a form. Pages loosen this for themselves
 * (`platform/http/page`). What a host app's Express says of itself is removed.
 */
export function securityHeaders(): RequestHandler {
  const headers = headersOf(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          frameAncestors: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
        },
      },
      strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
      xFrameOptions: { action: 'deny' },
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xXssProtection: false,
    }),
  );
  // An answer is for one caller at one moment, unless its route says otherwise.
  const defaults = [...headers, 'Cache-Control', 'no-store'];
  return (_req, res, next) => {
    res.removeHeader('X-Powered-By');
    addDefaults(res, defaults);
    next();
  };
}

/** Gives the request an id for its answer, log lines and events. */
export const requestContext =
  ({ request }: Pick<Context, 'request'>): RequestHandler =>
  (req, res, next) => {
    const requestId = newRequestId(req);
    setRequestId(res, requestId);
    request.run(new RequestInfo(requestId, res), next);
  };

/** None of our path segments is that long: it may be a token that somebody put into a URL. */
const mask = (path: string) =>
  path.length < 40 ? path : path.slice(0, 200).replace(/[^/]{40,}/g, '…');

/** One line for each request: method, path without query, status, duration and address, and nothing else. */
export const requestLog = ({ log, metrics }: Pick<Context, 'log' | 'metrics'>): RequestHandler => {
  const writeLine = (line: RequestLine) =>
    log.writeRequest ? log.writeRequest(line) : log.info(line, 'request');
  return (req, res, next) => {
    if ((req as UnreadRequest).isLogged) return next();
    const start = performance.now();
    res.once('close', () => {
      const ms = performance.now() - start;
      const status = res.writableFinished ? res.statusCode : undefined;
      metrics?.request(req.method, (req.route as { path?: unknown } | undefined)?.path, status, ms);
      const line = {
        requestId: requestIdOf(res) as string,
        method: req.method,
        path: mask(req.path),
        status: res.statusCode,
        ms: Math.round(ms * 10) / 10,
        ip: clientIp(req),
      };
      if (res.writableFinished) writeLine(line);
      else
        log.warn(
          { ...line, status: res.headersSent ? line.status : undefined },
          'client went away',
        );
    });
    next();
  };
};

/** What our own clients send, and what tracing adds to every request (W3C Trace Context, Sentry). */
const ALLOWED_HEADERS =
  'Authorization Content-Type DPoP If-Match X-Request-Id x-access-token traceparent tracestate sentry-trace baggage'.split(
    ' ',
  );

/**
 * CORS for `allowedOrigins`. A request without Origin was not sent by a page of another site; all such requests get the
 * same headers.
 */
export function crossOrigin({ settings }: Pick<Context, 'settings'>): RequestHandler {
  const withOrigin: RequestHandler = cors({
    origin: settings.allowedOrigins.map(originMatcher),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [...ALLOWED_HEADERS, ...settings.corsAllowedHeaders],
    exposedHeaders: [
      'Date',
      'DPoP-Nonce',
      'ETag',
      'WWW-Authenticate',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'X-Request-Id',
    ],
    maxAge: 600,
  });
  const withoutOrigin = headersOf(withOrigin);
  return (req, res, next) => {
    if (req.headers.origin !== undefined || req.method === 'OPTIONS')
      return void withOrigin(req, res, next);
    addDefaults(res, withoutOrigin);
    next();
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const Allow = [...METHODS].join(', ');

/** A request that the HTTP server could not read says here why. */
interface UnreadRequest extends IncomingMessage {
  refusal?: Problem;
  /** It was a request at first, and will have its line: then its body turned out to be broken. */
  isLogged?: boolean;
}

/** Answers a request with this problem as `app` answers all others. Then the connection ends. */
export const refuseWith =
  (app: RequestListener): Refuse =>
  (req, res, problem) => {
    const isLogged = requestIdOf(res as Response) !== undefined;
    Object.assign(req, { refusal: problem, isLogged } satisfies Partial<UnreadRequest>);
    res.setHeader('Connection', 'close');
    app(req, res);
  };

/**
 * An id that is empty, `.` or `..` makes another path of a DELETE, which every URL parser ends with a slash: `/me/` of
 * `/me/sessions/..`.
 */
const otherPath = ({ method, path }: Request): Problem | undefined =>
  method === 'DELETE' && path.endsWith('/') ? new Problem('not_found') : undefined;

/** Refuses what is no request, or may be another one for a proxy in front. Stands after what counts all requests. */
export const wellFormed: RequestHandler = (req, _res, next) =>
  next(
    (req as UnreadRequest).refusal ?? unknownMethod(req) ?? ambiguousHeaders(req) ?? otherPath(req),
  );

/** The same for OPTIONS alone, which `crossOrigin` answers. Stands before it. */
export const wellFormedPreflight: RequestHandler = (req, res, next) =>
  req.method === 'OPTIONS' ? wellFormed(req, res, next) : next();

const unknownMethod = ({ method }: Request): Problem | undefined =>
  METHODS.has(method) ? undefined : new Problem('method_not_allowed', { headers: { Allow } });

/**
 * Stands behind each router, and ends with a request that was answered meanwhile. A router that knows no answer goes on in
 * another turn of the event loop, and in between the rest of the body may turn out to be broken.
 */
export const unlessAnswered: RequestHandler = (_req, res, next) => {
  if (!res.headersSent) next();
};
