import { Router, type ErrorRequestHandler, type RequestHandler } from 'express';
import { z, type ZodType } from 'zod';
import { authenticate } from '#src/authentication/guards';
import { unbound } from '#src/authentication/prove-key';
import type { Context } from '#src/context';
import type { TutorialSource } from '#src/import-export/tutorial-tables';
import { jsonOrForm } from '#src/platform/http/body';
import { errorHandler, type Refusal } from '#src/platform/http/error-handler';
import type { ReadToken } from '#src/platform/http/credential-headers';
import { unlessAnswered } from '#src/platform/http/middleware';
import { Problem } from '#src/platform/http/problem';
import { guard, mount, refuseOtherMethods, type Route } from '#src/platform/http/route';
import type { Principal } from '#src/users/principal';

/**
 * The wire format of a published tutorial: its routes and its words for a refusal, on top of our use-cases and guards.
 */
export interface CompatibilityAdapter {
  name: string;
  routes: Route[];
  /** The answer to a refused request, in the words of the tutorial. `path`: in lower case, without slash at the end. */
  refuse: (problem: Problem, path: string) => Refusal;
  /** The schema of such answers by media type, for OpenAPI. */
  refusal: Record<string, ZodType>;
  /** The database of the tutorial, for the import. */
  source: TutorialSource;
  /** CORS for the routes of this adapter, in place of ours. */
  crossOrigin?: RequestHandler;
  /** Roles that it needs besides ours. */
  roles?: readonly string[];
}

/** Mounts the routes of adapters. Each adapter also answers wrong methods and errors on its paths in its own words. */
export function mountAdapters(
  ctx: Context,
  router: Router,
  adapters: readonly CompatibilityAdapter[],
): void {
  for (const adapter of adapters) {
    const own = Router();
    mount(own, adapter.routes.map(tolerant), jsonOrForm);
    router.use(own.use(errorEndOf(ctx, adapter)), unlessAnswered);
  }
  const errorEnds = new Map<string, ErrorRequestHandler>();
  for (const [path, routes] of Map.groupBy(routesOf(adapters), (route) => route.path)) {
    const owner = adapters.find((adapter) => adapter.routes.some((route) => route.path === path))!;
    const errorEnd = errorEndOf(ctx, owner);
    errorEnds.set(path, errorEnd);
    refuseOtherMethods(router, routes, errorEnd);
  }
  // For errors of middleware that runs before a route is found.
  const lastEnd: ErrorRequestHandler = (error, req, res, next) => {
    const errorEnd = errorEnds.get(asDeclared(req.path));
    if (errorEnd) void errorEnd(error, req, res, next);
    else next(error);
  };
  router.use(lastEnd);
}

/** The routes of adapters as OpenAPI describes them. */
export const routesOf = (adapters: readonly CompatibilityAdapter[]): Route[] =>
  adapters.flatMap(({ routes, refusal }) =>
    routes.map((route) => ({ ...route, spec: { ...route.spec, refusal, deprecated: true } })),
  );

/** The originals ignored the query, and some clients send one that means nothing. */
const tolerant = (route: Route): Route => ({
  ...route,
  guards: [refuseProof, ...route.guards],
  spec: { ...route.spec, query: z.looseObject({}) },
});

const refuseProof = guard({}, (req, _res, next) => {
  if (req.headers['dpop'] === undefined) return next();
  throw unbound('Tokens of this address are not bound to a key: leave out the header DPoP');
});

/** Express accepts `/Users/` for `/users`. */
const asDeclared = (path: string) => path.toLowerCase().replace(/(?<=.)\/$/, '');

const errorEndOf = (ctx: Context, { refuse }: CompatibilityAdapter) =>
  errorHandler(ctx, { say: (problem, _requestId, path) => refuse(problem, asDeclared(path)) });

/** CORS for the routes of adapters that bring their own. Other requests pass. */
export function crossOriginOf(adapters: readonly CompatibilityAdapter[]): RequestHandler[] {
  const byPath = new Map(
    adapters.flatMap(({ routes, crossOrigin }) =>
      crossOrigin ? routes.map(({ path }) => [path, crossOrigin] as const) : [],
    ),
  );
  if (byPath.size === 0) return [];
  return [(req, res, next) => (byPath.get(asDeclared(req.path)) ?? skip)(req, res, next)];
}
const skip: RequestHandler = (_req, _res, next) => next();

/**
 * `authenticate` for tokens that are sent in other places than a Bearer header. The tokens are tried in the order of
 * these places until one is accepted.
 */
export const authenticateBy = (ctx: Context, ...places: ReadToken[]) => {
  const bearer = authenticate(ctx);
  for (const read of places) ctx.strategies.tokenPlaces.add(read);
  return guard<{ user: Principal }>(bearer.doc, async (req, res, next) => {
    const tokens = places.map((read) => read(req)).filter((token) => token !== undefined);
    for (let i = 0; ; i++) {
      if (tokens[i]) req.headers.authorization = `Bearer ${tokens[i]}`;
      else delete req.headers.authorization;
      const error = await new Promise((settle: (error?: unknown) => void) => {
        void (async () => bearer(req, res, settle))().catch(settle);
      });
      const isUnauthorized = error instanceof Problem && error.status === 401;
      if (!isUnauthorized || i + 1 >= tokens.length) return next(error);
    }
  });
};

/** The token in `x-access-token`. */
export const inOwnHeader: ReadToken = ({ headers }) =>
  String(headers['x-access-token'] ?? '').trim() || undefined;
/** The token in `Authorization`, after the scheme `Bearer`. */
export const afterBearer: ReadToken = ({ headers }) =>
  /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
/** The token in `Authorization`, after any scheme. */
export const afterScheme: ReadToken = ({ headers }) =>
  /^\S+ +(\S+)$/.exec(headers.authorization ?? '')?.[1];
