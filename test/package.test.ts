import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { password, testSecret } from '#test/support/app';
import { browser } from '#test/support/browser';
import { emptyDatabase } from '#test/support/database';
import { asking } from '#test/support/host';
import { install, pack, run, start } from '#test/support/installed';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { clientSecret, signInAt, startProvider, type People } from '#test/support/open-id-provider';
import { authorizationRequest } from '#test/support/pkce';
import { emptyFolder, root } from '#test/support/process';

const APP = 'http://127.0.0.1:9/signed-in';
const ROBOT_KEY = testSecret();
const places = await Promise.all(
  ['', '/identity'].map(async (path) => {
    const port = await freePort();
    return { path, port, publicUrl: `http://127.0.0.1:${port}${path}` };
  }),
);
const people: People = { ida: { email: 'ida@idp.test', email_verified: true, name: 'Ida P' } };
const { issuer } = await startProvider(
  places.map(({ publicUrl }) => `${publicUrl}/auth/oidc/callback`),
  people,
);
const mailbox = await openMailbox();

let folder: string;
beforeAll(async () => {
  folder = await install(await pack());
}, 600_000); // npm asks its registry
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = async () => ({
  DATABASE_URL: await emptyDatabase(),
  APP_SECRET: testSecret(),
  BCRYPT_COST: '4',
  LOG_LEVEL: 'warn',
  DIALECTS: 'none',
  LIMITS: 'off',
});

describe('the package', () => {
  const installed = () => join(folder, 'node_modules/sallyport');

  it('holds what is built, and no source, test or map', () => {
    const files = readdirSync(installed(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(installed().length + 1));
    const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
    expect([...sources, ...files.filter((file) => /\.map$|\.test\./.test(file))]).toEqual([]);
    expect(files).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'SECURITY.md',
        '.env.example',
        'src/start.js',
        'strategies/README.md',
        'dist/package.json',
        'dist/src/index.d.ts',
        'dist/strategies/jwt.js',
      ]),
    );
    expect(files.filter((file) => /^(test|bench|examples|node_modules|data)\//.test(file))).toEqual(
      [],
    );
  });

  it('exports what is there', () => {
    const { exports, bin, engines } = JSON.parse(
      readFileSync(join(installed(), 'package.json'), 'utf8'),
    );
    expect(Object.keys(exports)).toEqual([
      '.',
      './client',
      './client/dpop',
      './react',
      './strategy',
      './protect',
      './conformance',
      './package.json',
    ]);
    const paths = [
      bin.sallyport,
      ...Object.values(exports).flatMap((each) => Object.values(Object(each))),
    ];
    for (const path of paths as string[])
      if (path.length > 1) expect(existsSync(join(installed(), path)), path).toBe(true);
    expect(engines.node).toBe('>=22.18');
  });

  it('leaves alone what the developer has built', () => {
    expect(folder.startsWith(root)).toBe(false);
  });
});

describe.each(places)('the example with the server at "$path"', ({ path, port, publicUrl }) => {
  const origin = `http://127.0.0.1:${port}`;
  const ask = asking(origin);
  const auth = (method: string, at: string, question: Parameters<typeof ask>[2] = {}) =>
    ask(method, `${path}${at}`, question);
  let env: Awaited<ReturnType<typeof settings>>;
  let app: ReturnType<typeof start>;
  beforeAll(async () => {
    env = await settings();
    const more = {
      ...mailbox.env,
      PORT: String(port),
      PUBLIC_URL: publicUrl,
      ROBOT_KEY,
      EMAIL_VERIFICATION: 'optional',
      REDIRECT_URIS: 'http://127.0.0.1/signed-in',
      OIDC_ISSUER: issuer,
      OIDC_CLIENT_ID: 'sallyport',
      OIDC_CLIENT_SECRET: clientSecret,
    };
    app = start(folder, 'node', ['app.js'], { ...env, ...more });
    await app.says(/The app is at/);
  });
  const cli = (line: string, input = '') =>
    run(folder, join(folder, 'node_modules/.bin/sallyport'), line.split(' '), env, input);
  const member = async (username: string, more: object = {}) => {
    const { status, body, text } = await auth('POST', '/auth/register', {
      body: { username, password, ...more },
    });
    expect(status, text).toBe(201);
    return body.accessToken as string;
  };

  it('signs people up and in', async () => {
    await member('ada');
    const { status, body } = await auth('POST', '/auth/login', {
      body: { identifier: 'ada', password },
    });
    expect(status).toBe(200);
    const me = await auth('GET', '/me', { token: body.accessToken });
    expect([me.status, me.body.username]).toEqual([200, 'ada']);
    const wrong = await auth('POST', '/auth/login', {
      body: { identifier: 'ada', password: 'no' },
    });
    expect([wrong.status, wrong.body.type]).toEqual([401, `${path}/problems/invalid_credentials`]);
    expect((await auth('GET', '/problems/invalid_credentials')).status).toBe(200);
  });

  it('guards its own routes, and keeps what belongs to whom', async () => {
    const token = await member('ben');
    const stranger = await ask('GET', '/notes');
    expect([stranger.status, stranger.body.type]).toEqual([401, `${path}/problems/token_missing`]);
    expect(stranger.headers.get('www-authenticate')).toBe('Bearer realm="sallyport"');
    const note = await ask('POST', '/notes', { token, body: { text: 'of ben' } });
    expect([note.status, note.body.text]).toEqual([201, 'of ben']);
    expect((await ask('GET', '/notes', { token })).body).toHaveLength(1);
    expect((await ask('GET', '/notes', { token: await member('cy') })).body).toEqual([]);

    expect((await ask('GET', '/reports', { token })).body.code).toBe('forbidden');
    expect((await cli('role create editor')).code).toBe(0);
    expect((await cli('role grant ben editor')).stdout).toBe('ben now has the role editor.\n');
    expect((await ask('GET', '/reports', { token })).body).toEqual({ notes: 1, for: 'ben' });

    const gone = await auth('DELETE', '/me', { token, body: { password } });
    expect(gone.status).toBe(204);
    await cli('role grant cy editor');
    const login = await auth('POST', '/auth/login', { body: { identifier: 'cy', password } });
    const report = await ask('GET', '/reports', { token: login.body.accessToken });
    expect(report.body.notes).toBe(0); // the notes of a deleted user are deleted
  });

  it('lets a script in by its own strategy', async () => {
    const headers = { 'x-robot-key': ROBOT_KEY };
    expect((await ask('GET', '/notes', { headers })).status).toBe(401);
    expect((await cli('user create robot', password)).code).toBe(0);
    expect((await ask('GET', '/notes', { headers })).status).toBe(200);
    expect((await auth('GET', '/me', { headers })).body.username).toBe('robot');
    const wrong = { 'x-robot-key': `${ROBOT_KEY}x` };
    expect((await ask('GET', '/notes', { headers: wrong })).status).toBe(401);
  });

  it('keeps its own 404', async () => {
    for (const at of ['/', '/nothing', '/auth/nothing', '/identity/nothing', '/docs/x']) {
      const { status, text, headers } = await ask('GET', at);
      expect([status, text]).toEqual([404, '<h1>There is no such page.</h1>']);
      expect(headers.has('content-security-policy')).toBe(false);
    }
  });

  it('has the API page and its files', async () => {
    const { text, status } = await auth('GET', '/docs');
    expect(status).toBe(200);
    const files = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, file]) => file!);
    expect(files).toHaveLength(4);
    for (const file of files) {
      const answer = await ask('GET', file);
      expect([answer.status, file.startsWith(`${path}/docs/`)]).toEqual([200, true]);
      expect(answer.text.length).toBeGreaterThan(100);
    }
    const { body } = await auth('GET', '/openapi.json');
    expect(body.servers).toEqual([{ url: publicUrl }]);
    expect(body.components.securitySchemes.robot).toMatchObject({ name: 'X-Robot-Key' });
  });

  it('mails links that begin with the public address', async () => {
    const email = `dora${port}@example.com`;
    await member('dora', { email });
    const mail = await mailbox.next(email);
    expect(mail.link.startsWith(`${publicUrl}/confirm-email?token=`), mail.link).toBe(true);
    const page = await fetch(mail.link);
    const action = /<form method="post" action="([^"]+)"/.exec(await page.text())?.[1];
    expect([page.status, action]).toEqual([200, `${path}/confirm-email`]);
    const confirmed = await fetch(origin + action!, {
      method: 'POST',
      body: new URLSearchParams(mail.secrets),
    });
    expect(confirmed.status).toBe(200);
    const forgot = await auth('POST', '/auth/password/forgot', { body: { email } });
    expect(forgot.status).toBe(202);
    const reset = await mailbox.next(email);
    expect(reset.link.startsWith(`${publicUrl}/reset-password?token=`), reset.link).toBe(true);
    expect((await fetch(reset.link)).status).toBe(200);
  });

  it('signs in at a provider', async () => {
    const asked = authorizationRequest(publicUrl, 'oidc', APP);
    const first = await fetch(asked.address, { redirect: 'manual' });
    const location = new URL(first.headers.get('location')!);
    expect([first.status, location.origin]).toEqual([302, issuer]);
    const callback = `${publicUrl}/auth/oidc/callback`;
    expect(location.searchParams.get('redirect_uri')).toBe(callback);
    const [cookie] = first.headers.getSetCookie();
    const cookiePath = /; Path=([^;]+)/.exec(cookie!)![1]!;
    expect(new URL(callback).pathname.startsWith(cookiePath)).toBe(true);

    const tab = browser();
    const again = authorizationRequest(publicUrl, 'oidc', APP);
    const landing = await signInAt(await tab.open(again.address, APP), 'ida', APP, tab);
    const { searchParams } = landing.url;
    expect([searchParams.get('error'), searchParams.get('state')]).toEqual([null, again.state]);
    const body = { code: searchParams.get('code'), codeVerifier: again.codeVerifier };
    const exchanged = await auth('POST', '/auth/exchange', { body });
    expect(exchanged.body.user).toMatchObject({ email: 'ida@idp.test', emailVerified: true });
    const { body: notes } = await ask('GET', '/notes', { token: exchanged.body.accessToken });
    expect(notes).toEqual([]);
  });

  it('ends by itself when everything is closed', async () => {
    const { code, stderr } = await app.signal('SIGTERM');
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('the program', () => {
  const npx = async (line: string, input = '', env: Record<string, string> = {}) => {
    const args = ['--no-install', 'sallyport', ...line.split(' ').filter(Boolean)];
    return run(folder, 'npx', args, { ...(await shared), ...env }, input);
  };
  const shared = settings();

  it('explains itself', async () => {
    const { code, stdout } = await npx('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: sallyport \[options\] \[command\]/);
    for (const command of ['start', 'user', 'role', 'keys', 'import', 'strategy', 'migrate'])
      expect(stdout).toContain(`\n  ${command}`);
  });

  it('makes users and gives them roles', async () => {
    expect(await npx('user create ada', `${password}\n`)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^ada is made, with the id /),
    });
    expect(await npx('role grant ada admin')).toMatchObject({
      code: 0,
      stdout: 'ada now has the role admin.\n',
    });
    expect((await npx('user list')).stdout).toMatch(/ ada +- +no +admin,user +active +\S+Z\n$/);
  });

  it('says how it is called where a text names a command', async () => {
    const lost = await npx('role grant nobody admin');
    expect([lost.code, lost.stderr]).toEqual([
      1,
      'There is no such user. `npx sallyport user list` shows them all.\n',
    ]);
    const role = await npx('role grant ada nothing');
    expect(role.stderr).toContain('`npx sallyport role list`');
    const wrong = await npx('user list', '', { BCRYPT_COST: 'x' });
    expect([wrong.code, wrong.stderr]).toEqual([78, expect.stringMatching(/^BCRYPT_COST must be/)]);
  });

  it('starts the server', async () => {
    const server = start(folder, 'npx', ['--no-install', 'sallyport'], {
      ...(await shared),
      PORT: '0',
    });
    const [, url] = await server.says(/^Sallyport is at (http:\S+)/m);
    expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: 'ok' });
    const page = await (await fetch(`${url}/docs`)).text();
    expect(page).toContain('/docs/swagger-ui-bundle.js');
    expect((await fetch(`${url}/docs/swagger-ui-bundle.js`)).status).toBe(200);
    expect((await fetch(`${url}/auth/strategies`)).status).toBe(200);
    const login = { identifier: 'ada', password };
    const { status } = await asking(url!)('POST', '/auth/login', { body: login });
    expect(status).toBe(200);
    await server.signal('SIGTERM');
  });

  it('writes no strategy that could not work here', async () => {
    mkdirSync(join(folder, 'strategies'));
    const { code, stderr } = await npx('strategy new acme --kind bearer');
    expect([code, stderr]).toEqual([1, expect.stringContaining('`defineStrategy`')]);
    expect(readdirSync(join(folder, 'strategies'))).toEqual([]);
  });
});

/** The build of the Dockerfile. There is no container engine here, and the packages are those of this clone. */
describe('the build of the image', () => {
  const stage = readFileSync(join(root, 'Dockerfile'), 'utf8').split(/^FROM /m)[1]!;
  it('makes the package of what .dockerignore lets in', { timeout: 300_000 }, async () => {
    const context = emptyFolder();
    const allowed = readFileSync(join(root, '.dockerignore'), 'utf8').match(/(?<=^!).+$/gm)!;
    const files = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...allowed];
    const listed = await run(root, 'git', files);
    for (const file of listed.stdout.split('\0').filter((name) => existsSync(join(root, name))))
      if (file) cpSync(join(root, file), join(context, file));
    symlinkSync(join(root, 'node_modules'), join(context, 'node_modules')); // RUN npm ci
    expect(stage).toMatch(/^COPY \. \.\nRUN npm run build$/m);
    const { code, stderr } = await run(context, 'npm', ['run', 'build']);
    expect([code, stderr]).toEqual([0, '']);
    const made = (home: string) =>
      readdirSync(home, { recursive: true, encoding: 'utf8' })
        .filter((file) => !/\.(d\.ts|map)$/.test(file))
        .sort();
    expect(made(join(context, 'dist'))).toEqual(made(join(folder, 'node_modules/sallyport/dist')));
  });
});

/** What the last stage of the Dockerfile makes. There is no container engine here. */
describe('the folder of the image', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split(/^FROM /m)
    .at(-1)!;
  let image: string;
  beforeAll(() => {
    image = emptyFolder();
    const installed = join(folder, 'node_modules/sallyport');
    for (const [, name] of dockerfile.matchAll(/^COPY (?:--from=\S+ )?\S+ (\S+)$/gm)) {
      if (name === './') cpSync(join(root, 'package.json'), join(image, 'app/package.json'));
      else if (name === 'node_modules') symlinkSync(join(folder, name), join(image, 'app', name));
      else cpSync(join(installed, name!), join(image, 'app', name!), { recursive: true });
    }
    const link = /^RUN ln -s \/(app\/\S+) \/usr\/local\/(bin\/\S+)$/m.exec(dockerfile)!;
    mkdirSync(join(image, 'bin'));
    symlinkSync(join(image, link[1]!), join(image, link[2]!));
  });
  const env = async () => ({
    ...(await settings()),
    PATH: `${join(image, 'bin')}:${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
  });
  const command = /^CMD \["([^"]+)"\]$/m.exec(dockerfile)![1]!;

  it('has the command line on its path', async () => {
    const shared = await env();
    const sallyport = (line: string, input = '') =>
      run(join(image, 'app'), 'sallyport', line.split(' '), shared, input);
    expect(await sallyport('role list')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^admin/m),
    });
    expect((await sallyport('user create ada', password)).code).toBe(0);
    expect((await sallyport('role grant ada admin')).code).toBe(0);
    const lost = await sallyport('role grant nobody admin');
    expect(lost.stderr).toContain('`sallyport user list`');
  });

  it('starts the server', async () => {
    const server = start(join(image, 'app'), command, [], { ...(await env()), PORT: '0' });
    const [, url] = await server.says(/^Sallyport is at (http:\S+)/m);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/docs/swagger-ui.css`)).status).toBe(200);
    expect((await server.signal('SIGTERM')).code).toBe(0);
  });
});

const AUTHOR = `
import { strategyConformance, type Sample } from 'sallyport/conformance';
import { custom, defineStrategy, Problem, type AuthStrategy } from 'sallyport/strategy';
const sample: Sample = { headers: { 'X-Name': 'ada' } };
const strategy: AuthStrategy = defineStrategy({
  name: 'theirs',
  kind: 'bearer',
  summary: 'By a third party',
  scheme: { type: 'apiKey', in: 'header', name: 'X-Name' },
  create: ({ userOf }) =>
    custom(async (req) => {
      if (req.get('x-name') === 'eve') throw new Problem('token_invalid');
      return req.get('x-name') === 'ada' ? userOf({ subject: 'ada' }) : null;
    }),
});
// @ts-expect-error -- there is no such kind
export const wrong: AuthStrategy['kind'] = 'magic';
for (const { name, run } of strategyConformance(strategy, { good: sample, bad: [{ headers: { 'X-Name': 'eve' } }] })) {
  await run();
  console.log(name);
}
`;

const TYPES = `
import type { Request, RequestHandler } from 'express';
import { createSallyport, Problem, SettingsError, settingsFrom } from 'sallyport';
import type { EventMap, Principal, Sallyport, SallyportOptions, SignInPolicy } from 'sallyport';
import { defineStrategy, step, verify, type StrategyContext } from 'sallyport/strategy';
import type { Sequelize } from 'sequelize';
import { z } from 'zod';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;
type IsAny<T> = 0 extends 1 & T ? true : false;

export const options: SallyportOptions = {
  publicUrl: 'https://example.com/identity',
  port: 3000,
  accessTokenTtl: '600',
  emailVerification: 'required',
  allowedOrigins: ['https://app.example.com'],
  googleClientId: 'x',
  oidcIssuer: 'https://idp.example.com',
  strategySettings: { ROBOT_KEY: undefined },
  log: { debug() {}, info() {}, warn() {}, error() {}, fatal() {} },
};
// @ts-expect-error -- a misspelt option
export const misspelt: SallyportOptions = { publicURL: 'https://example.com' };
// @ts-expect-error -- no such value
export const noSuch: SallyportOptions = { emailVerification: 'sometimes' };
// @ts-expect-error -- a name of the environment is no option
export const environment: SallyportOptions = { PUBLIC_URL: 'https://example.com' };
// @ts-expect-error -- a strategy is an object, not a file
export const file: SallyportOptions = { strategies: ['./acme.js'] };

const auth: Sallyport = await createSallyport({ ...settingsFrom(process.env), ...options });
holds<Same<ReturnType<typeof auth.authenticate>, RequestHandler>>();
holds<Same<IsAny<typeof auth.router>, false>>();
holds<Same<typeof auth.sequelize, Sequelize>>();
holds<Same<IsAny<typeof auth.passport>, false>>();
auth.requireRole('editor', 'admin');
// @ts-expect-error -- a role must be named
auth.requireRole();
auth.requirePermission('invoices:read', 'customers:*');
// @ts-expect-error -- a permission must be named
auth.requirePermission();
// @ts-expect-error -- a number of minutes
auth.requireFresh('five');
auth.requireAal2();
auth.requireAal2(5);
auth.passport.authenticate('jwt', { session: false });

export const handler = (req: Request): string => {
  // @ts-expect-error -- there may be no user
  req.user.id;
  const roles: readonly string[] = req.user!.roles;
  const permissions: readonly string[] = req.user!.permissions;
  const principal: Principal = req.user!;
  // @ts-expect-error -- a principal is frozen
  principal.name = 'x';
  const strategy: string | undefined = principal.session?.strategy;
  return [principal.id, principal.username ?? '', strategy, ...roles, ...permissions].join();
};

auth.on('user.deleted', ({ userId }) => userId.toUpperCase());
auth.on('session.ended', (event) => holds<Same<typeof event, EventMap['session.ended']>>());
// @ts-expect-error -- no such event
auth.on('user.eaten', () => {});

const made = await auth.users.create({ username: 'ada', password: 'x' }, ['editor']);
holds<Same<IsAny<typeof made>, false>>();
const names: string[] = made.roleNames;
const user = await auth.models.User.findOne({ where: { username: 'ada' }, include: ['roles'] });
const email: string | null | undefined = user?.email;
// @ts-expect-error -- no such column
await auth.models.User.findOne({ where: { nickname: 'ada' } });
const count: number = await auth.transaction(() => auth.sessions.endAll('ada'));
const [key] = await auth.keys.list();
const state: 'pending' | 'active' | 'retiring' | 'gone' | undefined = key?.state;
export const used = { names, email, count, state };

export const policy: SignInPolicy = (_ctx, { user, roles, method }) => {
  if (roles.includes('admin') && method.strategy === 'local' && user.email)
    throw new Problem('access_denied');
};
// @ts-expect-error -- no such problem
new Problem('nonsense');
const mistakes = (error: unknown) => (error instanceof SettingsError ? error.mistakes : []);
holds<Same<ReturnType<typeof mistakes>, readonly string[]>>();

export const login = defineStrategy({
  name: 'code',
  kind: 'login',
  summary: 'A code by mail',
  env: z.object({ CODE_LENGTH: z.coerce.number() }),
  credentials: z.strictObject({ email: z.string(), code: z.string() }),
  steps: {
    request: step({
      summary: 'Send a code',
      body: z.strictObject({ email: z.string() }),
      returns: z.object({ sent: z.boolean() }),
      run: async ({ email }, { auth, store }) => {
        holds<Same<typeof email, string>>();
        holds<Same<IsAny<typeof store>, false>>();
        return { sent: (await auth.users.find(email)) !== null };
      },
    }),
  },
  create: (context) => {
    const { env, auth, settings, callbackUrl } = context;
    const length: number = env.CODE_LENGTH;
    // @ts-expect-error -- not among its settings
    env.OTHER;
    const url: string = settings.publicUrl + callbackUrl + length;
    const find = verify(async (name: string) => auth.users.find(name + url));
    return { authenticate: () => find };
  },
});
export type Context = StrategyContext<{ CODE_LENGTH: number }>;
await createSallyport({ strategies: [login] });
`;

describe('in TypeScript', () => {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const check = async (name: string, code: string, more: object = {}) => {
    writeFileSync(join(folder, name), code);
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2024',
      lib: ['ES2024'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      ...more,
    };
    const config = { compilerOptions, files: [name] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const { code: status, stdout } = await run(folder, tsc, ['--project', folder]);
    expect(stdout).toBe('');
    expect(status).toBe(0);
  };

  it('the example compiles as it is, but for a user who may be missing', async () => {
    const app = readFileSync(join(folder, 'app.js'), 'utf8');
    await check('app.ts', app.replaceAll('req.user.', 'req.user!.'));
  });

  it('has types for everything, and finds what is wrong', async () => {
    await check('types.ts', TYPES);
  });

  it('has types for bundlers, too', async () => {
    await check('types.ts', TYPES, { module: 'ESNext', moduleResolution: 'bundler' });
  });

  it('has declarations without a mistake of their own', async () => {
    writeFileSync(join(folder, 'types.ts'), TYPES);
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2024',
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
    };
    const config = { compilerOptions, files: ['types.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await run(folder, tsc, ['--project', folder]);
    expect(stdout.split('\n').filter((line) => /sallyport/.test(line))).toEqual([]);
  });

  it('lets others write strategies against sallyport/strategy and sallyport/conformance', async () => {
    await check('author.ts', AUTHOR);
    const { code, stdout, stderr } = await run(folder, 'node', ['author.ts']);
    expect(code, stderr).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(14);
  });
});
