import { Router, type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import { z, type ZodType } from 'zod';
import { Problem } from '#src/core/problem';
import { jsonOrForm } from '#src/http/body';
import { authenticate } from '#src/http/passport';
import { errorEnd, type Refusal } from '#src/http/render-problem';
import { guard, mount, refuseOtherMethods, type Route } from '#src/http/route';

/** The wire format of a published tutorial: its own routes and its own words for a refusal, over our use-cases and guards. */
export interface Dialect {
  name: string;
  routes: Route[];
  /** How it says no. Some say it differently in different places. */
  refuse: (problem: Problem, path: string) => Refusal;
  /** What such a no looks like, by media type, for the documentation. */
  refusal: Record<string, ZodType>;
  /** In place of our answer to pages of other origins. */
  crossOrigin?: RequestHandler;
}

/** Each dialect answers in its own words, also when it is asked in a way it does not know. */
export function mountDialects(app: Express, dialects: readonly Dialect[]): void {
  for (const dialect of dialects) {
    const router = Router();
    mount(router, dialect.routes.map(tolerant), jsonOrForm);
    app.use(router.use(inWordsOf(dialect)));
  }
  const words = new Map<string, ErrorRequestHandler>();
  for (const [path, same] of Map.groupBy(routesOf(dialects), (route) => route.path)) {
    words.set(path, inWordsOf(dialects.find(({ routes }) => routes.some((route) => route.path === path))!));
    refuseOtherMethods(app, same, words.get(path)!);
  }
  // For what refuses before any route is looked for.
  const end: ErrorRequestHandler = (error, req, res, next) => {
    const say = words.get(asDeclared(req.path));
    if (say) void say(error, req, res, next);
    else next(error);
  };
  app.use(end);
}

export const routesOf = (dialects: readonly Dialect[]): Route[] =>
  dialects.flatMap(({ routes, refusal }) => routes.map((route) => ({ ...route, spec: { ...route.spec, refusal } })));

/** The originals never looked at a query: some clients send one that means nothing. */
const tolerant = (route: Route): Route => ({ ...route, spec: { ...route.spec, query: z.looseObject({}) } });

/** Express takes `/Users/` for `/users`. */
const asDeclared = (path: string) => path.toLowerCase().replace(/(?<=.)\/$/, '');

const inWordsOf = ({ refuse }: Dialect) => errorEnd((problem, _id, path) => refuse(problem, asDeclared(path)));

/** What dialects say to pages of other origins, where they say it themselves. */
export function crossOriginOf(dialects: readonly Dialect[]): RequestHandler[] {
  const own = new Map(dialects.flatMap(({ routes, crossOrigin }) => (crossOrigin ? routes.map(({ path }) => [path, crossOrigin]) : [])));
  return own.size === 0 ? [] : [(req, res, next) => (own.get(asDeclared(req.path)) ?? skip)(req, res, next)];
}
const skip: RequestHandler = (_req, _res, next) => next();

type Headers = Pick<Request, 'headers'>;

/**
 * `authenticate()` for tokens that do not come as a Bearer token: each of these is tried until one is good.
 * A place that is empty is none.
 */
export const authenticateBy = (...places: ((req: Headers) => string | undefined)[]) => {
  const bearer = authenticate();
  return guard<NonNullable<typeof bearer.adds>>(bearer.doc, (req, res, next) => {
    const tokens = places.map((read) => read(req)).filter((token) => token !== undefined);
    const attempt = (i: number): void => {
      if (tokens[i]) req.headers.authorization = `Bearer ${tokens[i]}`;
      else delete req.headers.authorization;
      void bearer(req, res, (error?: unknown) =>
        error instanceof Problem && error.status === 401 && i + 1 < tokens.length ? attempt(i + 1) : next(error),
      );
    };
    attempt(0);
  });
};

/** The token in `x-access-token`. */
export const inOwnHeader = ({ headers }: Headers) => String(headers['x-access-token'] ?? '').trim() || undefined;
/** What follows the scheme in `Authorization`, if that is `Bearer`. */
export const afterBearer = ({ headers }: Headers) => /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
/** The same, whatever the scheme. */
export const afterScheme = ({ headers }: Headers) => /^\S+ +(\S+)$/.exec(headers.authorization ?? '')?.[1];
