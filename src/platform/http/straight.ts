import type { RequestHandler, Router } from 'express';

/** What the types of Express leave out: whether a layer answers a path, and the methods of its route. */
interface Layer {
  match(path: string): unknown;
  handle: RequestHandler;
  route?: { path: unknown; methods: Readonly<Record<string, true>> };
}

/** A path in which nothing has a meaning for Express, such as `:id`. */
const isFixed = (path: unknown): path is string =>
  typeof path === 'string' && !/[:*{}()[\]?+!\\]/.test(path);

/**
 * Sends a request straight to its route if it spells method and path as that route of the router declares them, such as
 * `GET /me`. Express compares a path with one route after the other. With this, such a request costs the same among 45
 * routes and among 500. All other requests pass, and the router answers them: `/ME`, `/me/`, HEAD, 405, paths with
 * parameters. Make it when the router is complete, and use it before the router. Each route must answer, or fail: none may
 * pass a request on to the next.
 */
export function straight(router: Router): RequestHandler {
  const layers = router.stack as unknown as readonly Layer[];
  const entrances = new Map<string, Map<string, RequestHandler>>();
  for (const { route, handle } of layers) {
    if (!route) throw new Error('There is a middleware among the routes, which would be left out');
    if (!isFixed(route.path)) continue;
    for (const method of Object.keys(route.methods)) {
      if (firstFor(layers, method, route.path) !== route) continue;
      const paths = entrances.get(method.toUpperCase()) ?? new Map<string, RequestHandler>();
      entrances.set(method.toUpperCase(), paths.set(route.path, handle));
    }
  }
  return (req, res, next) => {
    const enter = entrances.get(req.method)?.get(req.path);
    if (enter) void enter(req, res, next);
    else next();
  };
}

/** The route that the router would choose. It may be an earlier one, with a parameter. */
const firstFor = (layers: readonly Layer[], method: string, path: string) =>
  layers.find(
    (layer) => (layer.route?.methods[method] ?? layer.route?.methods['_all']) && layer.match(path),
  )?.route;
