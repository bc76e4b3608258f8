import { randomUUID } from 'node:crypto';
import cors from 'cors';
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { config } from '#src/config';
import { clientIp } from '#src/core/client-ip';
import { context } from '#src/core/context';
import { log } from '#src/core/log';
import { Problem } from '#src/core/problem';

/** Does what a middleware does that sets the same headers for every request: it is asked once, here. */
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

/** Nothing an API answers is a page: no script, no frame, no form. Pages loosen this for themselves (`http/page`). */
export const securityHeaders: RequestHandler = always(
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
    },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
    xFrameOptions: { action: 'deny' },
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xXssProtection: false,
  }),
);

/** Answers are about one caller at one moment, unless a route says otherwise. */
export const noStore: RequestHandler = (_req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  next();
};

const REQUEST_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Names the request in its answer, its log lines and its facts. A caller's own id is taken when it is harmless. */
export const requestContext: RequestHandler = (req, res, next) => {
  const given = req.headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  res.setHeader('X-Request-Id', requestId);
  context.run({ requestId, isGone: () => res.destroyed }, next);
};

/** Segments this long are no words of ours: they may be a token that somebody put in a URL. */
const mask = (path: string) => path.slice(0, 200).replace(/[^/]{40,}/g, '…');

/** One line for each request. It names method, path without query, status, time and address, and nothing else. */
export const requestLog: RequestHandler = (req, res, next) => {
  const start = performance.now();
  res.once('close', () => {
    const line = {
      method: req.method,
      path: mask(req.path),
      ...(res.headersSent && { status: res.statusCode }),
      ms: Math.round((performance.now() - start) * 10) / 10,
      ip: clientIp(req),
    };
    if (res.writableFinished) log.info({ requestId: res.getHeader('X-Request-Id'), ...line }, 'request');
    else log.warn({ requestId: res.getHeader('X-Request-Id'), ...line }, 'client went away');
  });
  next();
};

const fromAnywhere: RequestHandler = cors({
  origin: config.ALLOWED_ORIGINS,
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: ['Authorization', 'Content-Type', 'X-Request-Id', 'x-access-token'],
  exposedHeaders: ['WWW-Authenticate', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id'],
  maxAge: 600,
});
const fromNoPage = always(fromAnywhere);
/** A request without Origin was not sent by a page of another site; all such requests get the same headers. */
export const crossOrigin: RequestHandler = (req, res, next) =>
  (req.headers.origin === undefined && req.method !== 'OPTIONS' ? fromNoPage : fromAnywhere)(req, res, next);

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
export const knownMethods: RequestHandler = (req, _res, next) => {
  if (!METHODS.has(req.method)) throw new Problem('method_not_allowed', { headers: { Allow: [...METHODS].join(', ') } });
  next();
};
