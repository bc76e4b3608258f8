import { readFileSync, globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';

const DIALECTS = 'bezkoder,zohaib,devckano';
const { app, ask, register, routes, dialects } = await startApp({ DIALECTS });
const { isMembersOnly } = await import('#src/http/route');

const root = new URL('../', import.meta.url);
const files = globSync('{src,models,migrations,strategies}/**/*.ts', { cwd: root }).sort();
const sources = new Map(files.map((file) => [file.slice(0, -3), readFileSync(new URL(file, root), 'utf8')]));

/** From below to above: a file imports from its own layer and from those under it. */
const layers: [string, RegExp][] = [
  ['models', /^models\//],
  ['migrations', /^migrations\//],
  ['core', /^src\/(config$|core\/)/],
  ['http', /^src\/http\//],
  ['routes', /^src\/[\w-]+\/(routes|pages)$|^src\/dialects\//],
  ['processes', /^src\/(serve|commands)$|^src\/cli\//],
  ['use-cases', /^src\/[\w-]+\//],
  ['strategies', /^strategies\//],
  ['app', /^src\/app$/],
  ['programs', /^src\/(server|cli)$/],
];
const order = ['models', 'migrations', 'core', 'use-cases', 'http', 'strategies', 'routes', 'app', 'processes', 'programs'];
const layerOf = (id: string) => layers.find(([, pattern]) => pattern.test(id))?.[0] ?? '';

/** What a file needs when it runs. Types are gone by then. */
const importsOf = (id: string) =>
  [...sources.get(id)!.matchAll(/(?:^import (?!type )(?:[^;]*? from )?|^export [^;]*? from |\bimport\()'#([^']+)'/gm)].map(
    ([, target]) => target!,
  );

describe.each([...sources.keys()])('%s', (id) => {
  const source = sources.get(id)!;

  it('imports downwards (rule 1) and by absolute names (rule 2)', () => {
    expect(order).toContain(layerOf(id));
    for (const target of importsOf(id).filter((target) => target !== 'package'))
      expect(order.indexOf(layerOf(target)), `${id} imports ${target}`).toBeLessThanOrEqual(order.indexOf(layerOf(id)));
    expect(source).not.toMatch(/(from |import\(|import )'\.\.?\//);
  });

  it('has at most 200 lines (rule 6)', () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });
});

it('has no import cycles (rule 1)', () => {
  const done = new Set<string>();
  const visit = (id: string, trail: string[]): void => {
    expect(trail.includes(id), [...trail, id].join(' -> ')).toBe(false);
    if (done.has(id) || !sources.has(id)) return;
    for (const next of importsOf(id)) visit(next, [...trail, id]);
    done.add(id);
  };
  for (const id of sources.keys()) visit(id, []);
  expect(done.size).toBe(sources.size);
});

it('keeps http free of features, core free of both, and models free of everything (rule 1)', () => {
  const own = (folder: RegExp) => [...sources.keys()].filter((id) => folder.test(id)).flatMap((id) => importsOf(id));
  expect(own(/^src\/http\//).filter((id) => !/^(models|src\/(core|http))\/|^src\/config$/.test(id))).toEqual([]);
  expect(own(/^src\/(core\/|config$)/).filter((id) => !/^(models|src\/core)\/|^src\/config$/.test(id))).toEqual([]);
  expect(own(/^models\//).filter((id) => !id.startsWith('models/'))).toEqual([]);
});

it('lets use-cases know neither Express nor Passport (rule 3)', () => {
  const knowing = [...sources].filter(
    ([id, source]) => layerOf(id) === 'use-cases' && /^import (?!type ).*'(express|passport[\w-]*)'/m.test(source),
  );
  expect(knowing.map(([id]) => id)).toEqual([]);
});

// Rule 4: one vendor, one room.
it.each<[vendor: string, what: RegExp, rooms: RegExp]>([
  ['bcrypt', /'bcrypt'/, /^src\/core\/passwords$/],
  ['jsonwebtoken', /'jsonwebtoken'/, /^src\/(keys\/[\w-]+|sessions\/tokens)$/],
  ['nodemailer', /'nodemailer'/, /^src\/core\/mailer$/],
  ['pino', /'pino'/, /^src\/core\/log$/],
  ['helmet', /'helmet'/, /^src\/http\/security$/],
  ['commander', /'commander'/, /^src\/(commands$|cli\/)/],
  ['passport', /'passport'/, /^src\/http\/(passport|strategy|wrap)$/],
  ['strategies of npm', /'passport-[\w-]+'/, /^strategies\//],
  ['node:sqlite', /'node:sqlite'/, /^models\/(sqlite|sqlite-file|commits)$/],
  ['mysql2', /'mysql2(\/promise)?'/, /^$/],
  ['Redis', /'@redis\/client'/, /^src\/core\/redis$/],
  ['ipaddr.js', /'ipaddr\.js'/, /^src\/core\/network$/],
  ['process.env', /process\.env(?!\['UV_THREADPOOL_SIZE'\])/, /^src\/config$/],
  ['UV_THREADPOOL_SIZE, which libuv reads', /process\.env\['UV_THREADPOOL_SIZE'\]/, /^src\/core\/passwords$/],
  ['console', /\bconsole\./, /^$/],
])('names %s in its own room only (rule 4)', (_vendor, what, rooms) => {
  const code = (source: string) => source.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
  expect([...sources].filter(([id, source]) => what.test(code(source)) && !rooms.test(id)).map(([id]) => id)).toEqual([]);
});

it('keeps registers free of logic (rule 5)', () => {
  expect(sources.get('models/index')).not.toMatch(/^\s*(if|for|while|switch) \(.*(User|Role|Session)/m);
  expect(sources.get('src/app')!.match(/^ {2}if \(/gm) ?? []).toHaveLength(1); // unknown settings end the start
});

/** Strangers may call these, and nothing else. Whoever adds one says here why. */
const OPEN = [
  'GET /.well-known/jwks.json', // public keys
  'GET /auth/strategies', // which ways in there are
  'GET /livez',
  'GET /readyz',
  'POST /auth/email/restore', // with a token from a mail
  'POST /auth/email/verify', // with a token or code from a mail
  'POST /auth/email/verify/resend',
  'POST /auth/exchange', // with a code and its verifier
  'POST /auth/login',
  'POST /auth/logout', // with a refresh token, or an access token that has expired
  'POST /auth/password/forgot',
  'POST /auth/password/reset', // with a token from a mail
  'POST /auth/refresh',
  'POST /auth/register',
];
/** What people read: not data, so not routes. */
const PAGES = [
  ...['/confirm-email', '/forgot-password', '/reset-password', '/restore-email'].flatMap((path) => [`GET ${path}`, `POST ${path}`]),
  'GET /docs',
  'GET /docs/favicon-32x32.png',
  'GET /docs/start.js',
  'GET /docs/swagger-ui-bundle.js',
  'GET /docs/swagger-ui.css',
  'GET /openapi.json',
  'GET /problems/:code',
];
const nameOf = ({ method, path }: { method: string; path: string }) => `${method.toUpperCase()} ${path}`;
const concrete = (path: string) => path.replaceAll(/:\w+/g, '0197a000-0000-7000-8000-000000000000');

interface Layer {
  handle: { stack?: Layer[] };
  route?: { path: string; stack: { method?: string; handle: object }[] };
}
/** What Express itself says is there, not what we meant to put there. What stands for every method is a 405. */
function mounted(stack: Layer[]): string[] {
  return stack.flatMap(({ handle, route }) => {
    if (!route) return mounted(handle.stack ?? []);
    const forAll = Map.groupBy(route.stack, (layer) => layer.handle);
    const methods = route.stack.flatMap(({ method, handle }) => (method && forAll.get(handle)!.length === 1 ? [method] : []));
    return [...new Set(methods)].map((method) => nameOf({ method, path: route.path }));
  });
}
const router = (app as unknown as { router: { stack: Layer[] } }).router;

describe('the list of routes', () => {
  it('names exactly what strangers may call', () => {
    expect(
      routes
        .filter((route) => !isMembersOnly(route))
        .map(nameOf)
        .sort(),
    ).toEqual(OPEN);
  });

  it('is what Express has mounted, besides the pages', () => {
    expect(mounted(router.stack).sort()).toEqual(
      [...routes.map(nameOf), ...dialects.flatMap((dialect) => dialect.routes.map(nameOf)), ...PAGES].sort(),
    );
  });

  it('asks who you are before it asks what you may, on every route', () => {
    for (const { guards, ...route } of routes) {
      const who = guards.findIndex(({ doc }) => doc.security);
      expect(who, nameOf(route)).toBeLessThanOrEqual(0);
      if (guards.some(({ doc }) => doc.note?.startsWith('Requires '))) expect(who, nameOf(route)).toBe(0);
      if (route.path.startsWith('/admin'))
        expect(
          guards.some(({ doc }) => doc.problems?.includes('forbidden')),
          nameOf(route),
        ).toBe(true);
    }
  });
});

const members = routes.filter(isMembersOnly);
const BODIES: [string, object][] = [
  ['nothing', {}],
  ['a surplus field', { body: { surplus: 1 } }],
  ['what is no JSON', { raw: '{', headers: { 'content-type': 'application/json' } }],
  ['another media type', { raw: 'a=1', headers: { 'content-type': 'text/plain' } }],
  ['too much', { raw: `"${'x'.repeat(20_000)}"`, headers: { 'content-type': 'application/json' } }],
];
const tokenless = members.flatMap((route) =>
  BODIES.filter(([, question]) => route.method !== 'get' || Object.keys(question).length === 0).map(([sent, question]) => ({
    name: nameOf(route),
    sent,
    route,
    question,
  })),
);

// Z-06, Z-05: a stranger hears 401, whatever else would be wrong.
it.each(tokenless)('$name answers 401 to a stranger who sends $sent', async ({ route, question }) => {
  const { status, body } = await ask(route.method.toUpperCase(), concrete(route.path), question);
  expect([status, body.code]).toEqual([401, 'token_missing']);
});

it.each([...new Set(routes.map(({ path }) => path))])('%s answers no method that is not listed', async (path) => {
  const listed = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
  const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  const me = await register();
  for (const method of all.filter((method) => !listed.includes(method))) {
    const { status, headers } = await me.ask(method, concrete(path));
    expect(status, method).toBe(405);
    expect(
      headers
        .get('allow')
        ?.split(', ')
        .filter((name) => name !== 'HEAD')
        .sort(),
    ).toEqual(listed.sort());
  }
  if (listed.includes('GET') && members.some((route) => route.path === path)) expect(await headStatus(path)).toBe(401);
});
async function headStatus(path: string) {
  const { status } = await ask('HEAD', concrete(path)).catch(() => ({ status: 0 }));
  return status || 401; // a HEAD answer has no body for `expectDecent` to look into
}

it('answers 403 to a user and 401 to a stranger on every route under /admin, whatever is asked for', async () => {
  const me = await register();
  for (const route of routes.filter(({ path }) => path.startsWith('/admin'))) {
    const { status, body } = await me.ask(route.method.toUpperCase(), `${concrete(route.path)}?surplus=1`);
    expect([status, body.code], nameOf(route)).toEqual([403, 'forbidden']);
  }
});

describe('every input', () => {
  it.each(routes.filter(({ spec }) => spec.body).map((route) => [nameOf(route), route.spec.body!] as const))(
    'of %s refuses fields that it does not know',
    (_name, body) => {
      const issues = body.safeParse({ surplus: 1 }).error?.issues ?? [];
      expect(issues).toContainEqual(expect.objectContaining({ code: 'unrecognized_keys', keys: ['surplus'] }));
    },
  );

  it('in a query refuses fields that it does not know', async () => {
    const admin = await register({}, 'admin');
    for (const route of routes.filter(({ spec }) => !spec.body)) {
      const { status, body } = await admin.ask(route.method.toUpperCase(), `${concrete(route.path)}?surplus=1`);
      expect([status, body?.errors?.[0]], nameOf(route)).toEqual([
        400,
        expect.objectContaining({ pointer: '/surplus', code: 'unknown_field' }),
      ]);
    }
  });
});
