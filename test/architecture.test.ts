import { expect, describe, it } from 'vitest';
import { RESERVED_PATHS } from '#src/authentication/reserved-paths';
import { isMembersOnly } from '#src/platform/http/route';
import { pathOf } from '#src/strategy-kit/contract';
import { startApp } from '#test/support/app';
import { basicOf } from '#test/support/services';
import { importsOf, moduleStateOf, sources } from '#test/support/source';

const { app, auth, ctx, ask, register, routes, adapters } = await startApp({
  DIALECTS: 'bezkoder,zohaib,devckano',
  EMAIL_VERIFICATION: 'optional',
});

/** From below to above: a file imports from its own room and from those before it. */
const ORDER = [
  'protect', // for other services: it knows nothing of the server but types
  'client', // runs in browsers and apps, and knows nothing of the server
  'types', // nothing of them is there when the program runs
  'lifetimes',
  'version',
  'models',
  'platform',
  'migrations',
  'health',
  'metrics',
  'keys',
  'users',
  'audit',
  'changes',
  'one-time-tokens',
  'dpop',
  'sign-ups',
  'user-mail',
  'access',
  'strategy-kit',
  'strategies',
  'provider-grants',
  'sessions',
  'roles',
  'impersonation',
  'account',
  'api-keys',
  'services',
  'passkeys',
  'factors',
  'passwords',
  'invitations',
  'email',
  'federation',
  'registration',
  'admin',
  'operations',
  'personal-data',
  'import-export',
  'webhooks',
  'authentication',
  'oauth',
  'hosted',
  'routes', // routes.ts and pages.ts of every feature
  'compat',
  'configuration',
  'open-database',
  'open-context',
  'backup',
  'doctor',
  'server-api',
  'app',
  'tasks',
  'instance',
  'sallyport',
  'index',
  'greeting',
  'listen',
  'metrics-server',
  'worker-metrics',
  'supervisor',
  'server-program',
  'start-program',
  'conformance', // starts servers, to try clients
  'cli',
  'programs',
];
const ROOMS: [room: string, files: RegExp][] = [
  ['types', /^src\/(context|events|shipped-settings)$/],
  ['programs', /^src\/(server|cli|start|build|build-screens)$/],
  ['routes', /^src\/[\w-]+\/(routes|[\w-]+-routes|pages)$/],
];
const roomOf = (id: string) =>
  ROOMS.find(([, files]) => files.test(id))?.[0] ?? id.replace(/^src\//, '').split('/')[0]!;

/** Not those of data. */
const isOurs = (from: string) => from.startsWith('#') && !/^#(package$|messages\/)/.test(from);
/** The files that a file imports. */
const ownImportsOf = (id: string, { types }: { types: boolean }) =>
  importsOf(sources.get(id)!)
    .filter(({ from, isType }) => isOurs(from) && (types || !isType))
    .map(({ from }) => from.slice(1));
const idsIn = (...rooms: string[]) =>
  [...sources.keys()].filter((id) => rooms.includes(roomOf(id)));

describe.each([...sources.keys()])('%s', (id) => {
  const source = sources.get(id)!;

  it('imports downwards (rule 1) and by absolute names (rule 3)', () => {
    expect(ORDER).toContain(roomOf(id));
    for (const target of ownImportsOf(id, { types: false })) {
      expect([...sources.keys()], id).toContain(target);
      const [here, there] = [id, target].map((each) => ORDER.indexOf(roomOf(each)));
      expect(there, `${id} imports ${target}`).toBeLessThanOrEqual(here!);
    }
    for (const { from } of importsOf(source)) expect(from).not.toMatch(/^\.|^\//);
  });

  it.skipIf(id === 'src/client/api')('has at most 200 lines (rule 4)', () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
  });

  it.skipIf(roomOf(id) === 'programs')(
    'keeps and does nothing when it is imported (rule 6)',
    () => {
      expect(moduleStateOf(source)).toEqual([]);
    },
  );
});

it('finds every kind of state (rule 6)', () => {
  const text = `import { readFileSync } from 'node:fs';
    let counter = 0;
    const cache = new Map();
    const PORT = process.env.PORT;
    process.on('exit', () => {});
    const CODES = new Set([1]);
    export const NAMES = new Set(['a']);
    const list: string[] = [];
    const WORD = /w/g;
    const file = readFileSync('file');
    const next = (() => { let n = 0; return () => n++; })();
    class Kept { static all = new WeakMap(); }
    const use = (text: string) => { list.push(text); CODES.add(2); return WORD.test(text); };`;
  const found = moduleStateOf(text).map((each) => each.split(':')[0]!);
  expect(found.sort()).toEqual([
    'a call of Node',
    'a change of what the module holds',
    'a change of what the module holds',
    'a constant that others could change',
    'a function that is called at once',
    'a new object',
    'a new object',
    'a statement',
    'a variable',
    'an expression with a memory',
    'something of the process',
    'something of the process',
  ]);
  const harmless = `const CODES: ReadonlySet<number> = new Set([1]);
    export const NAMES: ReadonlySet<string> = new Set(['a']);
    const WORD = /w/g;
    export const use = (list: string[]) => { list.push('x'); const CODES = new Map(); CODES.set(1, 2); };
    export const words = (text: string) => text.matchAll(WORD);`;
  expect(moduleStateOf(harmless)).toEqual([]);
});

it('has no import cycles (rule 1)', () => {
  const done = new Set<string>();
  const visit = (id: string, trail: string[]): void => {
    expect(trail.includes(id), [...trail, id].join(' -> ')).toBe(false);
    if (done.has(id)) return;
    for (const next of ownImportsOf(id, { types: false })) visit(next, [...trail, id]);
    done.add(id);
  };
  for (const id of sources.keys()) visit(id, []);
  expect(done.size).toBe(sources.size);
});

// Types count here: who only names a feature knows it, too.
it.each<[room: string, own: RegExp, types: RegExp]>([
  ['client', /^src\/client\//, /^$/],
  ['types', /^$/, /^/],
  ['models', /^models\//, /^$/],
  ['platform', /^src\/(platform\/|lifetimes$)/, /^src\/context$|^models\/index$/],
  [
    'one-time-tokens',
    /^src\/(one-time-tokens|platform)\/|^src\/lifetimes$|^models\/user$/,
    /^src\/context$|^models\/index$|^src\/strategy-kit\//,
  ],
  [
    'strategy-kit',
    /^src\/(strategy-kit|platform)\/|^models\/user$|^src\/users\/principal$/,
    /^models\/index$|^src\/server-api$/,
  ],
  ['strategies', /^strategies\/_|^src\/(strategy-kit|platform)\//, /^$/],
  ['protect', /^src\/protect\//, /^src\/platform\/http\/problems$/],
])('lets %s know nothing else (rule 2)', (room, own, types) => {
  for (const id of idsIn(room)) {
    for (const target of ownImportsOf(id, { types: false })) expect(target, id).toMatch(own);
    for (const target of ownImportsOf(id, { types: true }).filter((each) => !own.test(each)))
      expect(target, id).toMatch(types);
  }
});

it('lets models know nothing but Sequelize (rule 2)', () => {
  const packages = idsIn('models').flatMap((id) => importsOf(sources.get(id)!));
  expect(new Set(packages.map(({ from }) => from).filter((from) => !isOurs(from)))).toEqual(
    new Set(['sequelize']),
  );
});

/** Packages that belong to a room (rule 5). To add one, say here where. */
const VENDORS: Record<string, RegExp> = {
  '@node-saml/passport-saml': /^strategies\//,
  '@opentelemetry/api': /^src\/platform\/traces$/,
  '@redis/client': /^src\/platform\/limits\/redis-(store|check)$/,
  '@simplewebauthn/server': /^src\/passkeys\//,
  '@simplewebauthn/server/helpers': /^src\/passkeys\//,
  '@streamparser/json': /^src\/import-export\/entries$/,
  '@zxcvbn-ts/core': /^src\/passwords\/dictionaries$/,
  '@zxcvbn-ts/language-common': /^src\/passwords\/dictionaries$/,
  '@zxcvbn-ts/language-en': /^src\/passwords\/dictionaries$/,
  bcrypt: /^src\/platform\/crypto\/hashes\/bcrypt$/,
  bowser: /^src\/sessions\/device$/,
  commander: /^src\/cli\//,
  cookie: /^src\/platform\/http\/cookies$/,
  cors: /^src\/platform\/http\/middleware$|^src\/compat\/bezkoder-cookies$/,
  'csv-parse': /^src\/import-export\/entries$/,
  express: /^src\/(app$|platform\/http\/|compat\/adapter$|strategy-kit\/conformance\/)/,
  helmet: /^src\/platform\/http\/middleware$/,
  'ipaddr.js': /^src\/platform\/http\/network$/,
  jose: /^strategies\/|^src\/dpop\/proof$/,
  jsonwebtoken: /^src\/sessions\/access-tokens$/,
  ldapts: /^strategies\//,
  'lru-cache': /^src\/(sessions|platform\/(crypto|http|limits))\//,
  'node:sqlite': /^src\/platform\/database\//,
  nodemailer: /^src\/platform\/mail\/transport$/,
  otpauth: /^src\/factors\/totp$/,
  'openid-client': /^strategies\//,
  'openid-client/passport': /^strategies\//,
  'p-limit': /^src\/platform\/crypto\/hashing-queue$/,
  passport: /^src\/(authentication|strategy-kit)\//,
  'passport-github2': /^strategies\//,
  'passport-jwt': /^strategies\//,
  'passport-local': /^strategies\//,
  pino: /^src\/platform\/log$/,
  'prom-client': /^src\/metrics\/exposition$/,
  react: /^src\/client\/react$/,
  read: /^src\/cli\/prompt$/,
  rolldown: /^src\/build-screens$/,
  tar: /^src\/backup\/archive$/,
  tldts: /^src\/platform\/settings\/origins$/,
  uqr: /^src\/factors\/enrol-totp$/,
  'zod-openapi': /^src\/platform\/http\//,
};
/** These are for everybody. */
const EVERYWHERE = ['sequelize', 'uuid', 'zod'];
/** Their types are for everybody. */
const TYPES_EVERYWHERE = ['express', 'passport', 'zod-openapi'];

it('names each vendor in its own room only (rule 5)', () => {
  const unused = new Set(Object.keys(VENDORS));
  for (const [id, source] of sources)
    for (const { from, isType } of importsOf(source)) {
      const isNode = from.startsWith('node:') && !(from in VENDORS);
      if (from.startsWith('#') || isNode || EVERYWHERE.includes(from)) continue;
      if (isType && TYPES_EVERYWHERE.includes(from)) continue;
      expect(VENDORS[from], `${from} in ${id}`).toBeDefined();
      expect(id, `it imports ${from}`).toMatch(VENDORS[from]!);
      unused.delete(from);
    }
  expect([...unused]).toEqual([]);
});

it.each<[what: string, used: RegExp, rooms: RegExp]>([
  ['process.env', /process\.env/, /^src\/platform\/settings\/read$/],
  ['console', /(?<!#messages\/)\bconsole\./, /^$/],
  // A row lock binds on its own node of a cluster only: `takeTurn`. The exception deletes the row that it locks.
  ['a row lock', /\block: |FOR UPDATE/, /^src\/one-time-tokens\/strategy-store$/],
  // A migration stands alone, a strategy is given no clock, and another service has its own. None compares what it reads here.
  [
    'Date.now',
    /\bDate\.now\(|\bnew Date\(\)/,
    /^src\/platform\/clock$|^src\/protect\/time$|^src\/client\/dpop$|^strategies\/_(saml|apple)$|^migrations\//,
  ],
])('uses %s in its own room only (rule 5)', (_what, used, rooms) => {
  const code = (source: string) => source.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '');
  const using = [...sources].filter(([id, source]) => used.test(code(source)) && !rooms.test(id));
  expect(using.map(([id]) => id)).toEqual([]);
});

it('never uses the Passport that a whole process shares (rule 6)', () => {
  const having = [...sources.values()].filter((source) =>
    importsOf(source).some(({ from, isType }) => from === 'passport' && !isType),
  );
  expect(having.length).toBeGreaterThan(0);
  for (const source of having)
    expect(source).not.toMatch(/\bpassport\.(use|unuse|authenticate|initialize|serializeUser)\(/);
});

it('lets use-cases know neither Express nor Passport (rule 5)', () => {
  const above = ORDER.indexOf('authentication');
  const useCases = idsIn(...ORDER.slice(ORDER.indexOf('migrations'), above));
  const knowing = useCases.filter((id) =>
    importsOf(sources.get(id)!).some(
      ({ from, isType }) => !isType && /^(express|passport\b)/.test(from),
    ),
  );
  expect(knowing.filter((id) => !/^(src\/strategy-kit|strategies)\//.test(id))).toEqual([]);
});

it('keeps registers free of logic', () => {
  expect(sources.get('models/index')).not.toMatch(/^\s*(if|for|while|switch) \(/m);
  expect(sources.get('src/app')).not.toMatch(/^\s*(if|for|while|switch) \(/m);
});
/** Strangers may call these, and nothing else. To add one, say here why. */
const OPEN = [
  'GET /.well-known/change-password', // leads to the account page
  'GET /.well-known/jwks.json', // public keys
  'GET /.well-known/oauth-authorization-server', // addresses, for OAuth clients
  'GET /.well-known/passkey-endpoints', // pages of the app, for password managers
  'GET /auth/strategies', // which ways in there are
  'GET /livez',
  'GET /oauth/authorize', // leads a browser to a provider
  'GET /readyz',
  'POST /auth/email/restore', // with a token from a mail
  'POST /auth/email/verify', // with a token or code from a mail
  'POST /auth/email/verify/resend',
  'POST /auth/exchange', // with a code and its verifier
  'POST /auth/invitation', // with a token from a mail
  'POST /auth/login',
  'POST /auth/logout', // with a refresh token, or an access token that has expired
  'POST /auth/mfa', // with a token from the first step
  'POST /auth/mfa/options', // with that token
  'POST /auth/passkey', // with a passkey
  'POST /auth/passkey/options', // a challenge
  'POST /auth/password/forgot',
  'POST /auth/password/reset', // with a token from a mail
  'POST /auth/refresh',
  'POST /auth/register',
  'POST /oauth/revoke', // with the token that is to end
  'POST /oauth/token', // with a code and its verifier, a refresh token, or the secret of a service
];
/** What people read: not data, so not routes. */
const PAGES = [
  ...[
    '/accept-invitation',
    '/confirm-email',
    '/confirm-sign-up',
    '/end-session',
    '/forgot-password',
    '/reset-password',
    '/restore-email',
    '/sign-in',
    '/sign-in/passkey',
    '/sign-in/second-factor',
    '/sign-up',
    '/verify',
    '/verify/resend',
  ].flatMap((path) => [`GET ${path}`, `POST ${path}`]),
  'GET /', // for people
  'GET /', // for programs
  'GET /brand/icon',
  'GET /docs',
  'GET /docs/favicon-32x32.png',
  'GET /docs/start.js',
  'GET /docs/swagger-ui-bundle.js',
  'GET /docs/swagger-ui.css',
  'GET /favicon.ico',
  'GET /openapi.json',
  'GET /problems/:code',
  ...['account', 'console'].flatMap((screen) =>
    ['', '/:page', '/:page/:id'].map((below) => `GET /${screen}${below}`),
  ),
];
/** Scripts and styles: their names have a digest of what is in them. */
const isAsset = (name: string) => /^GET \/screens\/[\w-]+-[\w-]{8}\.(js|css)$/.test(name);
const nameOf = ({ method, path }: { method: string; path: string }) =>
  `${method.toUpperCase()} ${path}`;
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
    const methods = route.stack.flatMap(({ method, handle }) =>
      method && forAll.get(handle)!.length === 1 ? [method] : [],
    );
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
    const there = mounted(router.stack).filter((name) => !isAsset(name));
    expect(there.sort()).toEqual(
      [
        ...routes.map(nameOf),
        ...adapters.flatMap((adapter) => adapter.routes.map(nameOf)),
        ...PAGES,
      ].sort(),
    );
  });

  it('below /auth is reserved, besides what strategies bring (rule 8)', () => {
    const paths = ctx.strategies.on.map((strategy) => pathOf(strategy));
    const isOfStrategy = (path: string) =>
      paths.some((own) => path === own || path.startsWith(`${own}/`));
    const fixed = routes.map(({ path }) => path).filter((path) => path.startsWith('/auth/'));
    expect([...RESERVED_PATHS].sort()).toEqual(
      [...new Set(fixed.filter((path) => !isOfStrategy(path)))].sort(),
    );
  });

  it('asks who you are before it asks what you may, on every route', () => {
    for (const { guards, ...route } of routes) {
      const who = guards.findIndex(({ doc }) => doc.security);
      expect(who, nameOf(route)).toBeLessThanOrEqual(0);
      if (guards.some(({ doc }) => doc.note?.startsWith('Requires ')))
        expect(who, nameOf(route)).toBe(0);
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
  BODIES.filter(([, question]) => route.method !== 'get' || Object.keys(question).length === 0).map(
    ([sent, question]) => ({
      name: nameOf(route),
      sent,
      route,
      question,
    }),
  ),
);

// Z-06, Z-05: a stranger hears 401, whatever else would be wrong.
it.each(tokenless)(
  '$name answers 401 to a stranger who sends $sent',
  async ({ route, question }) => {
    const { status, body } = await ask(route.method.toUpperCase(), concrete(route.path), question);
    const isOfServices = route.spec.tag === 'Services';
    expect([status, body.code]).toEqual([401, isOfServices ? 'invalid_client' : 'token_missing']);
  },
);

it.each([...new Set(routes.map(({ path }) => path))])(
  '%s answers no method that is not listed',
  async (path) => {
    const listed = routes
      .filter((route) => route.path === path)
      .map(({ method }) => method.toUpperCase());
    // A word in the place of an id goes to the route with the id, which refuses it.
    const taken = routes
      .filter((route) => route.path !== path && isIn(route.path, path))
      .map(methodOf);
    const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
    const me = await register();
    for (const method of all.filter((each) => ![...listed, ...taken].includes(each))) {
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
    if (listed.includes('GET') && members.some((route) => route.path === path))
      expect(await headStatus(path)).toBe(401);
  },
);
const methodOf = ({ method }: { method: string }) => method.toUpperCase();
/** True for a path that a path with parameters stands for. */
const isIn = (pattern: string, path: string) =>
  new RegExp(`^${pattern.replaceAll(/:\w+/g, '[^/:]+')}$`).test(path);
async function headStatus(path: string) {
  const { status } = await ask('HEAD', concrete(path)).catch(() => ({ status: 0 }));
  return status || 401; // a HEAD answer has no body for `expectDecent` to look into
}

it('answers 403 to a user and 401 to a stranger on every route under /admin, whatever is asked for', async () => {
  const me = await register();
  for (const route of routes.filter(({ path }) => path.startsWith('/admin'))) {
    const { status, body } = await me.ask(
      route.method.toUpperCase(),
      `${concrete(route.path)}?surplus=1`,
    );
    expect([status, body.code], nameOf(route)).toEqual([403, 'forbidden']);
  }
});

/** RFC 6749 §3.1 and §3.2: parameters that are not known are ignored. */
const OF_OAUTH = ['GET /oauth/authorize', 'POST /oauth/revoke', 'POST /oauth/token'];

describe('every input', () => {
  it.each(
    routes
      .filter((route) => route.spec.body && !OF_OAUTH.includes(nameOf(route)))
      .map((route) => [nameOf(route), route.spec.body!] as const),
  )('of %s refuses fields that it does not know', (_name, body) => {
    const issues = body.safeParse({ surplus: 1 }).error?.issues ?? [];
    expect(issues).toContainEqual(
      expect.objectContaining({ code: 'unrecognized_keys', keys: ['surplus'] }),
    );
  });

  it('in a query refuses fields that it does not know', async () => {
    const admin = await register({}, 'admin');
    const { service, secret } = await auth.services.create({ name: 'asks', scopes: ['changes'] });
    const asService = { token: undefined, headers: basicOf({ id: service.id, secret }) };
    const strict = routes.filter((route) => !OF_OAUTH.includes(nameOf(route)));
    for (const route of strict.filter(({ spec }) => !spec.body)) {
      const { status, body } = await admin.ask(
        route.method.toUpperCase(),
        `${concrete(route.path)}?surplus=1`,
        route.spec.tag === 'Services' ? asService : {},
      );
      expect([status, body?.errors?.[0]], nameOf(route)).toEqual([
        400,
        expect.objectContaining({ pointer: '/surplus', code: 'unknown_field' }),
      ]);
    }
  });
});
