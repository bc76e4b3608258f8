import { glob, readFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import jwt from 'jsonwebtoken';
import { Strategy as JwtStrategy } from 'passport-jwt';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '#src/authentication/strategy-settings';
import { get, refuseOtherMethods } from '#src/platform/http/route';
import type { AuthStrategy } from '#src/strategy-kit/strategy';
import { startApp } from '#test/support/app';
import { loadWith } from '#test/support/loading';
import { root } from '#test/support/process';
import { folderOf } from '#test/support/strategy-folder';

const app = await startApp();
const { ask, ctx, routes, document } = app;
const { strategies } = ctx;

const files = readdirSync(join(root, 'strategies')).filter((name) =>
  /^[a-z].*(?<!\.test)\.ts$/.test(name),
);

describe.each(files)('strategies/%s', (file) => {
  const name = file.slice(0, -3);
  const own = [...strategies.on, ...strategies.off].find((strategy) => strategy.name === name)!;

  it('describes itself', () => {
    expect(own.summary).toMatch(/^[A-Z].{8,}/);
    expect(['login', 'redirect', 'bearer']).toContain(own.kind);
    expect(
      Object.keys(own.env?.shape ?? {}).filter((setting) => !/^[A-Z][A-Z0-9_]+$/.test(setting)),
    ).toEqual([]);
  });

  it('has its route, its document and its refusals, if it is on', async () => {
    if (strategies.off.includes(own)) return;
    const path = `/auth/${own.path ?? name}`;
    if (own.kind === 'bearer') {
      expect((await document()).components?.securitySchemes).toHaveProperty(name, own.scheme);
      expect(routes.some((route) => route.path === path)).toBe(false);
      return;
    }
    expect(routes.filter((route) => route.path === path)).toHaveLength(1);
    expect((await ask('POST', path, { body: {} })).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect((await ask('POST', path, { body: { surplus: 1 } })).body).toMatchObject({
      errors: expect.arrayContaining([
        expect.objectContaining({ pointer: '/surplus', code: 'unknown_field' }),
      ]),
    });
    expect((await ask('GET', path)).status).toBe(405);
  });

  it('is named nowhere else: its file can be deleted', async () => {
    for await (const other of glob('{src,models,migrations,strategies}/**/*.ts', { cwd: root })) {
      if (other === `strategies/${name}.test.ts`) continue;
      const text = await readFile(join(root, other), 'utf8');
      const named = text.split('\n').filter((line) => line.includes(`#strategies/${name}'`));
      if (other === 'src/shipped-settings.ts')
        expect(named.every((line) => line.startsWith('import type '))).toBe(true);
      else expect(named, other).toEqual([]);
    }
  });
});

const strategy = (
  name: string,
  more = '',
  create = '() => ({ authenticate() { this.fail(); } })',
) =>
  `export default { name: ${JSON.stringify(name)}, kind: 'login', summary: 'A strategy', credentials: {}, create: ${create}, ${more} };`;

/** Names of the strategies that are not in strategies/. */
const added = (list: readonly AuthStrategy[]) =>
  list.map(({ name }) => name).filter((name) => !files.includes(`${name}.ts`));

async function mistakes(contents: Record<string, string>): Promise<readonly string[]> {
  const STRATEGIES_DIR = folderOf(contents, { own: false });
  const error = await loadWith(app, { STRATEGIES_DIR }).catch((error: unknown) => error);
  expect((error as Error).name).toBe('SettingsError');
  return (error as { mistakes: string[] }).mistakes.map((sentence) =>
    sentence.replaceAll(STRATEGIES_DIR, 'folder'),
  );
}

const fakes = join(root, 'test/support/strategies');

describe('loadStrategies', () => {
  it('takes a file that keeps the contract, and leaves alone what is no strategy', async () => {
    const STRATEGIES_DIR = folderOf({
      'good.js': strategy('good'),
      'README.md': '# no',
      'good.d.ts': 'no',
      'good.js.map': '{}',
      '_helper.js': 'no',
    });
    const { on, off } = await loadWith(app, { STRATEGIES_DIR });
    expect(added(on)).toEqual(['good']);
    expect(added(off)).toEqual([]);
  });

  it.each([
    [
      'nothing exported',
      'export const strategy = 1;',
      'folder/bad.js must default-export a strategy named "bad"',
    ],
    ['null', 'export default null;', 'folder/bad.js must default-export a strategy named "bad"'],
    ['another name', strategy('other'), 'folder/bad.js must default-export a strategy named "bad"'],
    [
      'a misspelt field',
      strategy('bad', 'acount: {}'),
      'folder/bad.js has a field that is not known: acount',
    ],
    [
      'an unknown responseMode',
      strategy('bad', "responseMode: 'nope'"),
      'folder/bad.js has a responseMode that is not known: query or form_post',
    ],
    [
      'a step that is limited for everybody together',
      strategy(
        'bad',
        "steps: { ask: { summary: 'Asks', run() {}, body: { safeParse() {} }, returns: { safeParse() {} }, limit: [{ by: 'everybody', max: 9, window: 1000 }] } }",
      ),
      'folder/bad.js has a step "ask" with a limit by everybody: a step can be limited by network and by site',
    ],
    ['no create', strategy('bad', 'create: undefined'), 'folder/bad.js has no create()'],
    [
      'an amr that is no list',
      strategy('bad', "amr: 'otp'"),
      'folder/bad.js has an amr that is no list of 1 to 4 values of RFC 8176, such as otp',
    ],
    [
      'an amr with a space in it',
      strategy('bad', "amr: ['otp mfa']"),
      'folder/bad.js has an amr that is no list of 1 to 4 values of RFC 8176, such as otp',
    ],
    [
      'bearer with amr',
      strategy('bad', "kind: 'bearer', scheme: {}, amr: ['otp']"),
      'folder/bad.js has amr, which only kinds login and redirect can have',
    ],
    [
      'an unknown kind',
      strategy('bad', "kind: 'magic'"),
      'folder/bad.js has a kind that is not known: login, redirect or bearer',
    ],
    [
      'login without credentials',
      strategy('bad', 'credentials: undefined'),
      'folder/bad.js is of kind login and must describe its credentials',
    ],
    [
      'bearer without a scheme',
      strategy('bad', "kind: 'bearer'"),
      'folder/bad.js is of kind bearer and must describe its scheme',
    ],
    [
      'a create that throws',
      strategy('bad', '', "() => { throw new Error('needs a client id'); }"),
      'folder/bad.js cannot be used: needs a client id',
    ],
    [
      'a create that returns nothing',
      strategy('bad', '', '() => {}'),
      'folder/bad.js: create() must return a Passport strategy',
    ],
    [
      'an async create',
      strategy('bad', '', 'async () => ({ authenticate() {} })'),
      'folder/bad.js: create() must return a Passport strategy',
    ],
    [
      'a package that is not installed',
      "import 'passport-nobody-has';",
      expect.stringMatching(/^folder\/bad\.js cannot be used: /),
    ],
    [
      'a slip of the pen',
      'export default {',
      expect.stringMatching(/^folder\/bad\.js cannot be used: /),
    ],
  ])('refuses to start with %s', async (_what, text, sentence) => {
    expect(await mistakes({ 'bad.js': text })).toEqual([sentence]);
  });

  it('refuses to start with two of one name or one path', async () => {
    expect(await mistakes({ 'twin.js': strategy('twin'), 'twin.ts': strategy('twin') })).toEqual([
      'folder/twin.ts is there twice: folder/twin.js has the same name',
    ]);
    const bearer = strategy('twin', "kind: 'bearer', scheme: {}");
    expect(await mistakes({ 'twin.js': bearer, 'twin.ts': bearer })).toHaveLength(1);
    expect(
      await mistakes({
        'one.js': strategy('one', "path: 'in'"),
        'two.js': strategy('two', "path: 'in'"),
      }),
    ).toEqual(['folder/two.js wants the path of folder/one.js']);
    expect(
      await mistakes({ 'one.js': strategy('one', "path: 'two'"), 'two.js': strategy('two') }),
    ).toHaveLength(1);
  });

  it('names every mistake at once', async () => {
    expect(
      await mistakes({
        'a.js': 'export default 1;',
        'b.js': strategy('b', 'create: 1'),
        'good.js': strategy('good'),
      }),
    ).toHaveLength(2);
  });

  it('refuses a route that asks for a strategy that is not there', async () => {
    const STRATEGIES_DIR = folderOf({ 'good.js': strategy('good') });
    await expect(loadWith(app, { STRATEGIES_DIR }, ['nope'])).rejects.toThrow(
      'A route asks for the strategy "nope"',
    );
  });

  it('refuses a route that asks for a strategy that is off', async () => {
    const asked = loadWith(app, { STRATEGIES_DIR: fakes }, ['distant']);
    await expect(asked).rejects.toThrow('A route asks for the strategy "distant"');
  });
});

describe('the settings of a strategy', () => {
  const both = { DISTANT_URL: 'https://far.example', DISTANT_KEY: 'long-enough' };
  const has = (list: AuthStrategy[]) => list.some(({ name }) => name === 'distant');

  it.each<Record<string, string>>([
    {},
    { DISTANT_URL: '' },
    { DISTANT_URL: '', DISTANT_KEY: '' },
    { OTHER: 'x' },
  ])('none of them set: it is off (%o)', async (env) => {
    const loaded = await loadWith(app, { STRATEGIES_DIR: fakes, ...env });
    expect([has(loaded.on), has(loaded.off)]).toEqual([false, true]);
    expect([...loaded.on, ...loaded.off].flatMap(settingsOf)).toEqual(
      expect.arrayContaining(['DISTANT_URL', 'DISTANT_KEY']),
    );
  });
  it('all of them set: it is on, and was made with them', async () => {
    const loaded = await loadWith(app, { STRATEGIES_DIR: fakes, ...both });
    expect([has(loaded.on), has(loaded.off)]).toEqual([true, false]);
  });
  it.each([
    [{ DISTANT_URL: both.DISTANT_URL }, 'DISTANT_KEY is missing'],
    [{ DISTANT_KEY: both.DISTANT_KEY, DISTANT_URL: '' }, 'DISTANT_URL is missing'],
    [{ ...both, DISTANT_KEY: 'short' }, 'DISTANT_KEY is not valid'],
    [{ ...both, DISTANT_URL: 'somewhere' }, 'DISTANT_URL is not valid'],
  ])(
    'half of them set: the server does not start, and no value is told (%o)',
    async (env, mistake) => {
      const error = await loadWith(app, { STRATEGIES_DIR: fakes, ...env }).catch(
        (error: unknown) => error,
      );
      expect((error as { mistakes: string[] }).mistakes).toEqual([
        `${fakes}/distant.ts: ${mistake}`,
      ]);
    },
  );
});

it('refuses to start when a strategy wants the path of another route', async () => {
  const route = get(
    '/auth/register',
    [],
    { operationId: 'test', tag: 'Operations', summary: 'Twice' },
    () => {},
  );
  expect(() => refuseOtherMethods(express(), [route, { ...route, method: 'post' }])).not.toThrow();
  expect(() => refuseOtherMethods(express(), [route, route])).toThrow(
    'Two routes answer GET /auth/register',
  );
});

it('leaves other strategies that are built on passport-jwt their own check', async () => {
  const theirSecret = 'a secret of another strategy, 32+';
  const ask = (secret: string) =>
    new Promise((resolve) => {
      const other = new JwtStrategy(
        { jwtFromRequest: () => jwt.sign({ sub: 'x' }, secret), secretOrKey: theirSecret },
        (claims, done) => done(null, claims),
      );
      Object.assign(other, { success: resolve, fail: resolve, error: resolve }).authenticate(
        {} as never,
      );
    });
  expect(await ask(theirSecret)).toMatchObject({ sub: 'x' });
  expect(await ask('some other secret')).toBeInstanceOf(Error);
});
