import type { Express } from 'express';

interface Layer {
  handle: { stack?: Layer[] };
  route?: { path: string; stack: { method?: string; handle: object }[] };
}

/** What Express itself says is there, as `GET /me`. What stands for every method is a 405, and left out. */
export const mountedRoutes = (app: Express): string[] =>
  routesIn((app as unknown as { router: { stack: Layer[] } }).router.stack);

function routesIn(stack: Layer[]): string[] {
  return stack.flatMap(({ handle, route }) => {
    if (!route) return routesIn(handle.stack ?? []);
    const forAll = Map.groupBy(route.stack, (layer) => layer.handle);
    const methods = route.stack.flatMap(({ method, handle }) =>
      method && forAll.get(handle)!.length === 1 ? [method] : [],
    );
    return [...new Set(methods)].map((method) => `${method.toUpperCase()} ${route.path}`);
  });
}
