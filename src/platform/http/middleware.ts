import { randomUUID } from 'node:crypto';
import cors from 'cors';
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import type { Context } from '#src/context';
import { clientIp } from '#src/platform/http/client-ip';
import { Problem } from '#src/platform/http/problem';

/** Runs a middleware once, now, and sets the headers that it set on every answer from then on. */
function always(middleware: RequestHandler): RequestHandler {
  const headers = new Map<string, string>();
  const answer = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    getHeader: (name: string) => headers.get(name),
    removeHeader: (name: string) => headers.delete(name),
  };
  middleware({ method: 'GET', headers: {} } as Request, answer as unknown as Response, () => {});
  return (_req, res, next) => {
    for (const [name, value] of headers) res.setHeader(name, value);
    next();
  };
}

/**
 * An API answers no pages: nothing of an answer may run, be framed or send a form. Pages loosen this for themselves
 * (`platform/http/page`). What a host app's Express says of itself is removed.
 */
export function securityHeaders(): RequestHandler {
  const setHeaders = always(
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
  return (req, res, next) => {
    res.removeHeader('X-Powered-By');
    void setHeaders(req, res, next);
  };
}

/** An answer is for one caller at one moment, unless its route says otherwise. */
export const noStore: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  next();
};

const REQUEST_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Gives the request an id for its answer, log lines and events. A caller's own id is used if it is harmless. */
export const requestContext =
  ({ request }: Pick<Context, 'request'>): RequestHandler =>
  (req, res, next) => {
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    res.setHeader('X-Request-Id', requestId);
    request.run({ requestId, isGone: () => res.destroyed }, next);
  };

/** None of our path segments is that long: it may be a token that somebody put into a URL. */
const mask = (path: string) => path.slice(0, 200).replace(/[^/]{40,}/g, '…');

/** One line for each request: method, path without query, status, duration and address, and nothing else. */
export const requestLog =
  ({ log }: Pick<Context, 'log'>): RequestHandler =>
  (req, res, next) => {
    const start = performance.now();
    res.once('close', () => {
      const line = {
        requestId: res.getHeader('X-Request-Id'),
        method: req.method,
        path: mask(req.path),
        ...(res.headersSent && { status: res.statusCode }),
        ms: Math.round((performance.now() - start) * 10) / 10,
        ip: clientIp(req),
      };
      if (res.writableFinished) log.info(line, 'request');
      else log.warn(line, 'client went away');
    });
    next();
  };

/**
 * CORS for `allowedOrigins`. A request without Origin was not sent by a page of another site; all such requests get the
 * same headers.
 */
export function crossOrigin({ settings }: Pick<Context, 'settings'>): RequestHandler {
  const withOrigin: RequestHandler = cors({
    origin: [...settings.allowedOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'X-Request-Id', 'x-access-token'],
    exposedHeaders: [
      'WWW-Authenticate',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'X-Request-Id',
    ],
    maxAge: 600,
  });
  const withoutOrigin = always(withOrigin);
  return (req, res, next) => {
    const isPlain = req.headers.origin === undefined && req.method !== 'OPTIONS';
    void (isPlain ? withoutOrigin : withOrigin)(req, res, next);
  };
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
export const knownMethods: RequestHandler = (req, _res, next) => {
  if (!METHODS.has(req.method))
    throw new Problem('method_not_allowed', { headers: { Allow: [...METHODS].join(', ') } });
  next();
};
