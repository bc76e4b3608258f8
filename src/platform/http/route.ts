import type { ErrorRequestHandler, Request, RequestHandler, Response, Router } from 'express';
import { z, type ZodObject, type ZodType } from 'zod';
import { jsonBody } from '#src/platform/http/body';
import { jsonWriter, sendJson } from '#src/platform/http/json-answer';
import { parse } from '#src/platform/http/parse';
import { Problem, type ProblemCode } from '#src/platform/http/problem';
import { together } from '#src/platform/http/together';

/** What a guard adds to the documentation of each of its routes. */
export interface GuardDoc {
  /** OpenAPI security requirements. Only the guard that authenticates has them. */
  security?: () => Record<string, string[]>[];
  problems?: readonly ProblemCode[];
  /** Names of strategies whose credentials it refuses. */
  refuses?: readonly string[];
  note?: string;
  /** A request header that it reads. */
  header?: ZodObject;
  /** The name of the limit class that it counts. */
  limit?: string;
}
/** Express middleware that may refuse, documents itself, and declares as a type what it adds to the request. */
export interface Guard<Adds = unknown> extends RequestHandler {
  doc: GuardDoc;
  /** Never set: carries the type. */
  adds?: Adds;
}
export const guard = <Adds = unknown>(doc: GuardDoc, run: RequestHandler): Guard<Adds> =>
  Object.assign(run, { doc });

const SUCCESS = Symbol('work on success');
type Work = () => Promise<unknown>;

/** Runs `work` when the handler of this request has succeeded, before it is answered. */
export const onSuccess = (req: Request, work: Work): void => {
  const all = (req as Request & { [SUCCESS]?: Work[] })[SUCCESS] ?? [];
  Object.assign(req, { [SUCCESS]: [...all, work] });
};

export async function runOnSuccess(req: Request): Promise<void> {
  for (const work of (req as Request & { [SUCCESS]?: Work[] })[SUCCESS] ?? []) await work();
}

/** Section of the API page. */
export type Tag =
  | 'Authentication'
  | 'Account'
  | 'Recovery'
  | 'Administration'
  | 'Operations'
  | 'Services'
  | `Compatibility: ${string}`;

type Body = ZodType | undefined;
type Fields = ZodObject | undefined;
export interface Spec<
  B extends Body = Body,
  Q extends Fields = Fields,
  P extends Fields = Fields,
  R extends Body = Body,
> {
  /** Unique: a verb and a noun in camel case. Generated clients name their functions after it. */
  operationId: string;
  summary: string;
  description?: string;
  tag: Tag;
  deprecated?: boolean;
  body?: B;
  /** The body is a form, not JSON. */
  form?: true;
  query?: Q;
  params?: P;
  /** What an answer may contain: any other member is removed. Without it: an empty 204. */
  returns?: R;
  /** For text in place of JSON: its media type. */
  text?: string;
  /** How a compatibility adapter refuses, by media type. Without it: as a problem. */
  refusal?: Record<string, ZodType>;
  /** Refusals are JSON of this schema, with the statuses of problems: for clients that know another form. */
  errorForm?: ZodType;
  status?: number;
  /**
   * The answer has an `ETag`. A route that changes something takes it in `If-Match`, and refuses with
   * `precondition_failed`: see `platform/http/etag`.
   */
  etag?: true;
  /** Problems that the handler itself may throw. */
  problems?: readonly ProblemCode[];
}
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
export interface Route<M extends Method = Method, T extends string = string, S = Spec> {
  method: M;
  path: T;
  guards: readonly Guard[];
  spec: S;
  handler: (req: never, res: Response) => unknown;
}

type Out<S> = S extends ZodType ? z.output<S> : undefined;
type Added<G> = G extends readonly [Guard<infer A>, ...infer Rest] ? A & Added<Rest> : unknown;
type Parsed<B, Q, P> = { body: Out<B>; query: Out<Q>; params: Out<P> };
type Asked<G, B, Q, P> = Omit<Request, 'body' | 'query' | 'params' | 'user'> &
  Parsed<B, Q, P> &
  Added<G>;
type Answer<R> = R extends ZodType ? z.input<R> : void;

const on =
  <const M extends Method>(method: M) =>
  <
    const T extends string,
    const G extends readonly Guard[],
    B extends Body = undefined,
    Q extends Fields = undefined,
    P extends Fields = undefined,
    R extends Body = undefined,
  >(
    path: T,
    guards: G,
    spec: Spec<B, Q, P, R>,
    handler: (req: Asked<G, B, Q, P>, res: Response) => Answer<R> | Promise<Answer<R>>,
  ): Route<M, T, Spec<B, Q, P, R>> => ({ method, path, guards, spec, handler });

export const get = on('get');
export const post = on('post');
export const put = on('put');
export const patch = on('patch');
export const del = on('delete');

/** True when a caller must authenticate before the route is entered. */
export const isMembersOnly = ({ guards }: Pick<Route, 'guards'>): boolean =>
  guards.some(({ doc }) => doc.security);

/**
 * Turns definitions into endpoints. Routes for members authenticate first and read the request afterwards: a stranger
 * hears 401, not what the body should look like. Open routes read first, so that Passport only sees parsed values.
 * `end` answers what fails in these routes.
 */
export function mount(
  router: Router,
  routes: readonly Route[],
  body: readonly RequestHandler[] = jsonBody,
  ...end: ErrorRequestHandler[]
): void {
  for (const route of routes) {
    const { method, path, guards, spec, handler } = route;
    const read = [...(spec.body ? body : []), parse(spec)];
    const rest = guards.filter((each) => !refusesHead(each));
    const inOrder = isMembersOnly(route) ? [...rest, ...read] : [...read, ...rest];
    const before = [...guards.filter(refusesHead), ...inOrder];
    const toJson = jsonWriter(spec.returns ?? z.never());
    const answerIt: RequestHandler = async (req, res) => {
      const answer = await handler(req as never, res);
      await runOnSuccess(req);
      if (res.headersSent) return; // its body broke meanwhile, and that was answered
      if (!spec.returns) res.status(spec.status ?? 204).end();
      else if (spec.text) res.type(spec.text).send(spec.returns.parse(answer));
      else sendJson(res.status(spec.status ?? 200), toJson(answer));
    };
    router[method](path, together(...before, answerIt), ...end);
  }
}

/**
 * Answers 405 to any other method of these paths. Stands after all routers that know the paths.
 * @throws {Error} if two routes have the same method and path.
 */
export function refuseOtherMethods(
  router: Router,
  routes: readonly Route[],
  ...end: ErrorRequestHandler[]
): void {
  for (const [path, same] of Map.groupBy(routes, (route) => route.path)) {
    const methods = same.map(({ method }) => method);
    const answersHead = same.some(
      ({ method, guards }) => method === 'get' && !guards.some(refusesHead),
    );
    const twice = methods.find((method, i) => methods.indexOf(method) < i);
    if (twice)
      throw new Error(
        `Two routes answer ${twice.toUpperCase()} ${path}. Does a strategy want the path of another route?`,
      );
    router.route(path).all(refuseMethod(methods, answersHead), ...end); // `app.all` adds a layer for each of 35 methods
  }
}

/** Whatever else is wrong with such a request. */
const refusesHead = ({ doc }: Guard) => doc.problems?.includes('method_not_allowed') ?? false;

/** 405 with the methods that a path knows (RFC 9110 §15.5.6). */
export function refuseMethod(
  methods: readonly string[],
  answersHead = methods.includes('get'),
): RequestHandler {
  const known = [...methods, ...(answersHead ? ['head'] : [])].sort();
  const Allow = known.join(', ').toUpperCase();
  return () => {
    throw new Problem('method_not_allowed', { headers: { Allow } });
  };
}
