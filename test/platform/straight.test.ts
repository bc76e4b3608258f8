import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { Router, type RequestHandler } from 'express';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { authenticate } from '#src/authentication/guards';
import { del, get, isMembersOnly, mount, post, refuseOtherMethods } from '#src/platform/http/route';
import { straight } from '#src/platform/http/straight';
import { startApp } from '#test/support/app';
import { rounds } from '#test/support/rounds';

interface Layer {
  match(path: string): unknown;
  handle: { stack?: Layer[] };
}
/** Counts from now on how often Express compares the path of a request with that of a layer. */
function countMatches(router: unknown): { count: number } {
  const counted = { count: 0 };
  for (const layer of (router as { stack: Layer[] }).stack) {
    const match = layer.match.bind(layer);
    layer.match = (path) => {
      counted.count++;
      return match(path);
    };
  }
  return counted;
}

async function listen(app: Parameters<typeof createServer>[1] & {}): Promise<string> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** Node's client sends a path as it is; fetch would tidy it up. */
async function answerTo(url: string, method: string, path: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const asked = request({ hostname, port, method, path, agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const text = (await answer.setEncoding('utf8').toArray()).join('');
  return `${answer.statusCode} ${answer.headers.allow ?? ''} ${text}`;
}

const { ctx, app, routes, ask, register } = await startApp();
const fixed = routes.filter(({ path }) => !path.includes(':'));
const { router: whole } = app as unknown as { router: { stack: Layer[] } };
const counted = countMatches(whole);
/** The router of the server's own routes, the first that the app uses. */
const ours = countMatches(whole.stack.find(({ handle }) => handle.stack)!.handle);

describe('a request that spells its path as a route declares it', () => {
  it('is compared with the path of no route, and its guards are asked', async () => {
    expect(fixed.length).toBeGreaterThan(20);
    for (const { method, path, guards } of fixed) {
      const before = { all: counted.count, router: ours.count };
      const { status } = await ask(method.toUpperCase(), path);
      expect(ours.count - before.router, `${method} ${path}`).toBe(0);
      if (isMembersOnly({ guards })) expect(status, `${method} ${path}`).toBe(401);
      else expect([404, 405, 500], `${method} ${path}`).not.toContain(status);
      // Only a refusal looks for what else there is: the error end.
      if (status < 300) expect(counted.count - before.all, `${method} ${path}`).toBe(1);
    }
  });

  it('is answered as in any other spelling', async () => {
    const { token, id } = await register();
    const before = ours.count;
    for (const path of ['/me', '/ME', '/me/', '/Me/?'])
      expect(await ask('GET', path, { token }), path).toMatchObject({ status: 200, body: { id } });
    expect(ours.count).toBeGreaterThan(before);
  });

  it('tells each user of themselves, and of what they changed', async () => {
    const [ada, eve] = [await register({ name: 'Ada' }), await register({ name: 'Eve' })];
    const nameOf = async (who: typeof ada) => (await who.ask('GET', '/me')).body.name;
    for (let i = 0; i < 2; i++)
      expect([await nameOf(ada), await nameOf(eve)]).toEqual(['Ada', 'Eve']);
    expect((await ada.ask('PATCH', '/me', { body: { name: 'Countess' } })).status).toBe(200);
    expect([await nameOf(ada), await nameOf(eve)]).toEqual(['Countess', 'Eve']);
  });
});

const returns = z.object({ at: z.string(), params: z.record(z.string(), z.string()) });
const spec = {
  operationId: 'probe',
  tag: 'Operations',
  summary: 'Says who it is',
  returns,
} as const;
const probes = routes.map(({ method, path }) =>
  ({ get, post, put: post, patch: post, delete: del })[method](path, [], spec, (req) => ({
    at: `${method} ${path}`,
    params: { ...(req.params as object | undefined) },
  })),
);

/** The paths of all routes, with an answer that says which route it is. */
function probeRouter(more = 0): Router {
  const extra = Array.from({ length: more }, (_, i) => get(`/extra/${i}`, [], spec, () => never));
  const router = Router();
  mount(router, [...extra, ...probes]);
  refuseOtherMethods(router, probes);
  return router;
}
const never = { at: 'extra', params: {} };
const end: express.ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(error.status ?? 500).set(error.headers ?? {});
  res.end(String(error.code));
};
const appOf = (...handlers: RequestHandler[]) => express().use(...handlers, end);

describe('a router that is entered straight', () => {
  const router = probeRouter();
  it('answers every spelling as the router alone does', async () => {
    const quick = await listen(appOf(straight(router), router));
    const slow = await listen(appOf(router));
    const seen = new Set<string>();
    const spelling = fc.record({
      path: fc.constantFrom(...new Set(routes.map(({ path }) => path))),
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'PATCH', 'PUT'),
      change: fc.constantFrom(
        (path: string) => path,
        (path: string) => path.toUpperCase(),
        (path: string) => `${path}/`,
        (path: string) => `${path}//`,
        (path: string) => `/${path}`,
        (path: string) => path.replaceAll('/', '//'),
        (path: string) => path.replace(/[a-z]/, (char) => `%${char.charCodeAt(0).toString(16)}`),
        (path: string) => path.replace('/', '/%2e/'),
        (path: string) => `${path}/..${path}`,
        (path: string) => `${path}?a=/me`,
        (path: string) => `${path}#me`,
        (path: string) => `${path};v=1`,
        (path: string) => `${path}%`,
        (path: string) => `${path}%00`,
        (path: string) => path.slice(0, -1),
      ),
    });
    await fc.assert(
      fc.asyncProperty(spelling, async ({ path, method, change }) => {
        const target = change(path);
        const answer = await answerTo(quick, method, target);
        expect(answer, `${method} ${target}`).toBe(await answerTo(slow, method, target));
        seen.add(answer.slice(0, 3));
      }),
      { numRuns: rounds(300, 3000) },
    );
    expect([...seen].sort()).toEqual(expect.arrayContaining(['200', '404', '405']));
  });

  it('compares no more paths among 500 routes more', async () => {
    const counts: number[] = [];
    for (const more of [0, 500]) {
      const large = probeRouter(more);
      const matched = countMatches(large);
      const quick = await listen(appOf(straight(large), large));
      matched.count = 0;
      expect(await answerTo(quick, 'GET', '/me')).toContain('"at":"get /me"');
      counts.push(matched.count);
      expect(await answerTo(quick, 'GET', '/ME')).toContain('"at":"get /me"');
      expect(matched.count).toBeGreaterThan(more);
    }
    expect(counts).toEqual([0, 0]);
  });

  it('leaves a path to the earlier route with a parameter that would get it', async () => {
    const both = Router();
    mount(both, [
      get('/things/:id', [], spec, () => ({ at: 'any', params: {} })),
      get('/things/new', [], spec, () => ({ at: 'new', params: {} })),
    ]);
    const quick = await listen(appOf(straight(both), both));
    expect(await answerTo(quick, 'GET', '/things/new')).toContain('"at":"any"');
  });

  it('cannot be made of a router with a middleware, which would be passed by', () => {
    const guarded = Router().use(authenticate(ctx));
    mount(guarded, probes);
    expect(() => straight(guarded)).toThrow('There is a middleware among the routes');
  });
});

it('lets in at once whose token and session are in memory, and waits where the database must be asked', async () => {
  const { token } = await register();
  const waited: boolean[] = [];
  const guard = authenticate(ctx);
  const watched: RequestHandler = (req, res, next) => {
    let isIn = false;
    void guard(req, res, (error?: unknown) => {
      isIn = true;
      next(error);
    });
    waited.push(!isIn);
  };
  const host = await listen(appOf(watched, (_req, res) => res.end('in')));
  const enter = async () =>
    (await fetch(host, { headers: { authorization: `Bearer ${token}` } })).text();
  for (let i = 0; i < 3; i++) expect(await enter()).toBe('in');
  expect(waited).toEqual([true, false, false]);
  await ctx.db.Role.create({ id: randomUUID(), name: 'news' }); // any commit makes what was read old
  expect(await enter()).toBe('in');
  expect(waited.at(-1)).toBe(true);
});
