import type { ErrorRequestHandler, Request, RequestHandler, Response, Router } from 'express';
import type { z, ZodObject, ZodType } from 'zod';
import { Problem, type ProblemCode } from '#src/core/problem';
import { jsonBody } from '#src/http/body';
import { parse } from '#src/http/parse';

/** What a guard adds to the documentation of every route it stands before. */
export interface GuardDoc {
  /** OpenAPI security requirements: present on the guard that says who you are, and nowhere else. */
  security?: () => Record<string, string[]>[];
  problems?: readonly ProblemCode[];
  /** Strategies whose credentials it refuses. */
  refuses?: readonly string[];
  note?: string;
  /** The class of `core/limits` that it counts. */
  limit?: string;
}
/** Express middleware that may refuse, documents itself, and declares as a type what it puts on the request. */
export interface Guard<Adds = unknown> extends RequestHandler {
  doc: GuardDoc;
  /** Never set: carries the type. */
  adds?: Adds;
}
export const guard = <Adds = unknown>(doc: GuardDoc, run: RequestHandler): Guard<Adds> => Object.assign(run, { doc });

type Body = ZodType | undefined;
type Fields = ZodObject | undefined;
export interface Spec<B extends Body = Body, Q extends Fields = Fields, P extends Fields = Fields, R extends Body = Body> {
  summary: string;
  description?: string;
  /** Section of the API page. */
  tag: string;
  body?: B;
  query?: Q;
  params?: P;
  /** What an answer may contain: whatever is not named here does not leave. None: an empty 204. */
  returns?: R;
  /** Text in place of JSON: its media type. */
  text?: string;
  /** How a dialect refuses, by media type; without it, as a problem. */
  refusal?: Record<string, ZodType>;
  status?: number;
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
type Asked<G, B, Q, P> = Omit<Request, 'body' | 'query' | 'params' | 'user'> & { body: Out<B>; query: Out<Q>; params: Out<P> } & Added<G>;
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

/** True when somebody must have proved who they are before the route is entered. */
export const isMembersOnly = ({ guards }: Pick<Route, 'guards'>): boolean => guards.some(({ doc }) => doc.security);

/**
 * Turns definitions into endpoints. Members' routes first ask who you are, then read what you want: a stranger hears
 * 401, not what the body should look like. Strangers' routes read first, so that Passport only ever sees clean values.
 */
export function mount(router: Router, routes: readonly Route[], body = jsonBody): void {
  for (const route of routes) {
    const { method, path, guards, spec, handler } = route;
    const read = [...(spec.body ? body : []), parse(spec)];
    router[method](path, ...(isMembersOnly(route) ? [...guards, ...read] : [...read, ...guards]), async (req, res) => {
      const answer = await handler(req as never, res);
      if (!spec.returns) res.status(spec.status ?? 204).end();
      else if (spec.text) res.type(spec.text).send(spec.returns.parse(answer));
      else sendJson(res.status(spec.status ?? 200), spec.returns.parse(answer));
    });
  }
}

/** For each path, which methods it knows: any other is refused. Stands after all that know the path. */
export function refuseOtherMethods(router: Router, routes: readonly Route[], ...end: ErrorRequestHandler[]): void {
  for (const [path, same] of Map.groupBy(routes, (route) => route.path)) {
    const methods = same.map(({ method }) => method);
    const twice = methods.find((method, i) => methods.indexOf(method) < i);
    if (twice) throw new Error(`Two routes answer ${twice.toUpperCase()} ${path}. Does a strategy want the path of another route?`);
    router.all(path, refuseMethod(methods), ...end);
  }
}

/** Like `res.json`, but never a 304, and without finding out for each answer anew that JSON is JSON. */
function sendJson(res: Response, value: unknown): void {
  const text = JSON.stringify(value);
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}

/** 405 with the methods a path knows (RFC 9110 §15.5.6). */
export function refuseMethod(methods: readonly string[]): RequestHandler {
  const known = methods.includes('get') ? [...methods, 'head'] : methods;
  const Allow = known
    .map((method) => method.toUpperCase())
    .sort()
    .join(', ');
  return () => {
    throw new Problem('method_not_allowed', { headers: { Allow } });
  };
}
