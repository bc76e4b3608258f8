import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStrategyHost } from '#src/authentication/strategy-host';
import { adapterNames, adaptersOf } from '#src/compat/index';
import { problems } from '#src/platform/http/problems';
import { testSecret } from '#test/support/app';
import { expectSaid, startAdapters } from '#test/support/compat';
import { copyOfUs } from '#test/support/copy';
import { emptyDatabase, engine } from '#test/support/database';
import { rowsOf, runProcess, settingsFor, startProcess } from '#test/support/process';

/** The value of DIALECTS, and the adapters that are on with it. */
const CHOICES: [setting: string, on: string[]][] = [
  ['', ['bezkoder', 'zohaib', 'devckano']],
  ['none', []],
  [' zohaib ,, bezkoder,zohaib', ['zohaib', 'bezkoder']],
  ['devckano,devckano', ['devckano']],
  ['grokonez,devckano', ['grokonez', 'devckano']],
  ['bezkoder-cookies', ['bezkoder-cookies']],
];

const APP_SECRET = testSecret();
const apps = new Map<string, Awaited<ReturnType<typeof startAdapters>>>();
for (const [setting] of CHOICES) apps.set(setting, await startAdapters(setting, { APP_SECRET }));
const { databaseUrl: DATABASE_URL } = apps.get('grokonez,devckano')!;
const again = await startAdapters('grokonez', { DATABASE_URL, APP_SECRET });
const { ctx } = apps.get('')!;

const everyRoute = adapterNames.flatMap((name) =>
  adaptersOf(ctx, [name])[0]!.routes.map(({ method, path }) => ({ name, method, path })),
);
/** What the server itself says there: `/` has a use without adapters, too. */
const withoutAdapter = (path: string, method: string) =>
  path !== '/' ? 404 : method === 'get' ? 200 : 405;
const everyPath = [...new Set(everyRoute.map(({ path }) => path))];

describe.each(CHOICES)('DIALECTS=%s', (setting, on) => {
  const { adapters, url, ask } = apps.get(setting)!;
  const known = (path: string) =>
    everyRoute
      .filter((route) => on.includes(route.name) && route.path === path)
      .map(({ method }) => method);

  it(`means ${on.join(', ') || 'none'}`, () => {
    expect(adapters.map(({ name }) => name)).toEqual(on);
  });

  it('answers the paths of these, and no other', async () => {
    for (const path of everyPath)
      for (const method of ['get', 'post', 'put']) {
        const { status } = await fetch(url + path, { method });
        const expected =
          known(path).length === 0
            ? [withoutAdapter(path, method)]
            : known(path).includes(method as 'get')
              ? [200, 400, 401, 403]
              : [405];
        expect(expected, `${method} ${path}`).toContain(status);
      }
  });

  it('says that what is not there is a problem', async () => {
    for (const path of everyPath.filter((each) => known(each).length === 0 && each !== '/')) {
      const { status, body } = await ask('GET', path);
      expect([status, body.code], path).toEqual([404, 'not_found']);
    }
  });
});

const mistakesOf = (names: string[]): readonly string[] => {
  try {
    adaptersOf(ctx, names);
    return [];
  } catch (error) {
    expect((error as Error).name).toBe('SettingsError');
    return (error as { mistakes: string[] }).mistakes;
  }
};

describe('DIALECTS is refused', () => {
  const boards = ['bezkoder', 'bezkoder-cookies', 'grokonez', 'grokonez-react'];

  it('for two that want the same path, which it names, and for no others', () => {
    for (const one of adapterNames)
      for (const other of adapterNames.filter((name) => name !== one)) {
        const clash = boards.includes(one) && boards.includes(other);
        const path = [one, other].some((name) => name.startsWith('grokonez'))
          ? 'POST /api/auth/signup'
          : 'GET /';
        const sentence = `DIALECTS cannot have all of these at once: ${one} and ${other} both want ${path}`;
        expect(mistakesOf([one, other])).toEqual(clash ? [sentence] : []);
      }
    expect(mistakesOf([...adapterNames])).toHaveLength(1);
  });

  it.each(['nope', 'NONE', 'none', '__proto__', 'constructor', 'x'.repeat(500)])(
    'for the name %s',
    (name) => {
      expect(mistakesOf(['zohaib', name])).toEqual([
        `DIALECTS names "${name.slice(0, 40)}", which is none of bezkoder, bezkoder-cookies, grokonez, grokonez-react, zohaib, devckano; or none of them: DIALECTS=none`,
      ]);
      expect(mistakesOf(['bezkoder', name, 'grokonez'])).toHaveLength(2);
    },
  );

  it('before the server starts', async () => {
    const databaseUrl = await emptyDatabase();
    const { code, stdout, stderr } = await runProcess(
      'server',
      settingsFor(databaseUrl, { DIALECTS: 'zohaib,bezkoder,grokonez' }),
    );
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toBe(
      'DIALECTS cannot have all of these at once: bezkoder and grokonez both want POST /api/auth/signup\n',
    );
  });
});

describe('a path of two adapters', () => {
  const { say, logIn, register } = apps.get('')!;
  const notAllowed = `${problems.method_not_allowed[2]}.`;

  it('is answered by each in its own words', async () => {
    const { username, token } = await register();
    const admin = await register({}, 'admin');
    expect((await logIn(username)).status).toBe(200);
    const zohaibs = await say('POST', '/users', { json: {} });
    expect([zohaibs.status, Object.keys(zohaibs.body)]).toEqual([400, ['error']]);
    await expectSaid(say('GET', '/users'), 401, 'Unauthorized');
    const refused = await say('GET', '/users', { headers: { authorization: `Bearer ${token}` } });
    expect([refused.status, Object.keys(refused.body)]).toEqual([403, ['msg']]);
    expect(
      (await say('GET', '/users', { headers: { authorization: `Bearer ${admin.token}` } })).status,
    ).toBe(200);
  });

  it('refuses the methods of neither, in the words of one of them', async () => {
    const { headers } = await expectSaid(say('PUT', '/users', { json: {} }), 405, {
      error: notAllowed,
    });
    expect(headers.get('allow')).toBe('GET, HEAD, POST');
    const alone = apps.get('devckano,devckano')!;
    const post = await expectSaid(alone.say('POST', '/users', { json: {} }), 405, {
      msg: notAllowed,
    });
    expect(post.headers.get('allow')).toBe('GET, HEAD');
    const other = apps.get(' zohaib ,, bezkoder,zohaib')!;
    const get = await expectSaid(other.say('GET', '/users'), 405, { error: notAllowed });
    expect(get.headers.get('allow')).toBe('POST');
  });
});

describe('a role that an adapter needs', () => {
  const rolesIn = async (url: string) =>
    (await rowsOf(url, 'SELECT name FROM roles ORDER BY name')).map(({ name }) => name);

  it('is there when it is on, once, and only then', async () => {
    expect(await rolesIn(apps.get('')!.databaseUrl)).toEqual(['admin', 'moderator', 'user']);
    const { databaseUrl } = apps.get('grokonez,devckano')!;
    expect(await rolesIn(databaseUrl)).toEqual(['admin', 'moderator', 'pm', 'user']);
    expect(again.databaseUrl).toBe(databaseUrl);
    expect(await rolesIn(databaseUrl)).toEqual(['admin', 'moderator', 'pm', 'user']);
  });
});

/** What is told of the machines that can reach the server, and whether the adapters are then on by default. */
const PUBLIC_HOST = { HOST: '0.0.0.0', LIMITS: 'on', BCRYPT_COST: '10' };
const REACH: [env: Record<string, string>, on: boolean][] = [
  [{}, true],
  [{ HOST: '127.0.0.1', PUBLIC_URL: 'http://localhost:3000' }, true],
  [{ HOST: 'localhost', PUBLIC_URL: 'http://127.0.0.1:3000/identity' }, true],
  [PUBLIC_HOST, false],
  [{ ...PUBLIC_HOST, PUBLIC_URL: 'http://localhost:3000' }, false],
  [{ PUBLIC_URL: 'https://auth.example.com' }, false],
  [{ PUBLIC_URL: 'https://example.com/identity' }, false],
  [{ ...PUBLIC_HOST, PUBLIC_URL: 'https://auth.example.com' }, false],
  [{ PUBLIC_URL: 'http://localhost.example.com' }, false],
];

describe.each(REACH)('DIALECTS with %j', (env, isOn) => {
  const on = ['bezkoder', 'zohaib', 'devckano'];
  const paths = (names: readonly string[]) =>
    new Set(everyRoute.filter(({ name }) => names.includes(name)).map(({ path }) => path));
  const statusOf = async (url: string, path: string, method: string) =>
    (await fetch(url + path, { method })).status;

  it(`is ${isOn ? on.join() : 'none'} by default`, async () => {
    const { adapters, url, document } = await startAdapters('', env);
    expect(adapters.map(({ name }) => name)).toEqual(isOn ? on : []);
    for (const { name, method, path } of everyRoute) {
      const status = await statusOf(url, path, method.toUpperCase());
      if (isOn && on.includes(name)) expect([404, 405], path).not.toContain(status);
      else if (!isOn) expect(status, path).toBe(withoutAdapter(path, method));
    }
    expect(
      Object.keys((await document()).paths!).filter((path) => paths(on).has(path)).length,
    ).toBe(isOn ? paths(on).size : 0);
    expect(await statusOf(url, '/me', 'GET')).toBe(401);
  });

  it('is what it says when it is set', async () => {
    const { adapters, url } = await startAdapters('bezkoder,devckano', env);
    expect(adapters.map(({ name }) => name)).toEqual(['bezkoder', 'devckano']);
    expect(await statusOf(url, '/api/test/all', 'GET')).toBe(200);
    expect(await statusOf(url, '/protected', 'GET')).toBe(401);
    expect(await statusOf(url, '/users/me', 'GET')).toBe(404);
  });
});

describe('a strategy that is not there', () => {
  it('is missed by an adapter that signs people in with it, and by nothing else', () => {
    const required = (...names: string[]) => {
      const strategies = createStrategyHost();
      adaptersOf({ ...ctx, strategies }, names);
      return [...strategies.required];
    };
    expect(required()).toEqual([]);
    for (const name of adapterNames) expect(required(name)).toEqual(['local']);
  });

  it.skipIf(engine === 'mysql')('is named before the server starts', async () => {
    const from = copyOfUs();
    await rm(join(from, 'strategies/local.ts'));
    const env = async (DIALECTS: string) => settingsFor(await emptyDatabase(), { DIALECTS });
    const without = await startProcess(await env('none'), { from });
    expect((await without.ask('GET', '/me')).status).toBe(401);
    const { code, stdout, stderr } = await runProcess('server', await env('zohaib'), { from });
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toBe(
      'A route asks for the strategy "local", which is not in strategies/ or is off\n',
    );
  });
});
