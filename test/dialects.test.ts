import { mkdirSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { testSecret } from '#test/support/app';
import { expectSaid, startDialects } from '#test/support/dialect';
import { emptyDatabase, engine } from '#test/support/database';
import { rowsOf, runProcess, settingsFor } from '#test/support/process';

/** What stands in DIALECTS, and what is on then. */
const CHOICES: [setting: string, on: string[]][] = [
  ['', ['bezkoder', 'zohaib', 'devckano']],
  ['none', []],
  [' zohaib ,, bezkoder,zohaib', ['zohaib', 'bezkoder']],
  ['devckano,devckano', ['devckano']],
  ['grokonez,devckano', ['grokonez', 'devckano']],
  ['bezkoder-cookies', ['bezkoder-cookies']],
];
const most = process.getMaxListeners();
process.setMaxListeners(0); // the logger of each server listens for the end of the process
afterAll(() => void process.setMaxListeners(most));

const APP_SECRET = testSecret();
const apps = new Map<string, Awaited<ReturnType<typeof startDialects>>>();
for (const [setting] of CHOICES) apps.set(setting, await startDialects(setting, { APP_SECRET }));
const { databaseUrl: DATABASE_URL } = apps.get('grokonez,devckano')!;
const again = await startDialects('grokonez', { DATABASE_URL, APP_SECRET });
const { dialectNames, dialectsOf } = await import('#src/dialects/index');
const { problems } = await import('#src/core/problems');

const everyRoute = dialectNames.flatMap((name) => dialectsOf([name])[0]!.routes.map(({ method, path }) => ({ name, method, path })));
const everyPath = [...new Set(everyRoute.map(({ path }) => path))];

describe.each(CHOICES)('DIALECTS=%s', (setting, on) => {
  const { dialects, url, ask } = apps.get(setting)!;
  const known = (path: string) => everyRoute.filter((route) => on.includes(route.name) && route.path === path).map(({ method }) => method);

  it(`means ${on.join(', ') || 'none'}`, () => {
    expect(dialects.map(({ name }) => name)).toEqual(on);
  });

  it('answers the paths of these, and no other', async () => {
    for (const path of everyPath)
      for (const method of ['get', 'post', 'put']) {
        const { status } = await fetch(url + path, { method });
        const expected = known(path).length === 0 ? [404] : known(path).includes(method as 'get') ? [200, 400, 401, 403] : [405];
        expect(expected, `${method} ${path}`).toContain(status);
      }
  });

  it('says that what is not there is a problem', async () => {
    for (const path of everyPath.filter((path) => known(path).length === 0)) {
      const { status, body } = await ask('GET', path);
      expect([status, body.code], path).toEqual([404, 'not_found']);
    }
  });
});

const mistakesOf = (names: string[]): readonly string[] => {
  try {
    dialectsOf(names);
    return [];
  } catch (error) {
    expect((error as Error).name).toBe('SettingsError');
    return (error as { mistakes: string[] }).mistakes;
  }
};

describe('DIALECTS is refused', () => {
  const boards = ['bezkoder', 'bezkoder-cookies', 'grokonez'];

  it('for two that want the same path, which it names, and for no others', () => {
    for (const one of dialectNames)
      for (const other of dialectNames.filter((name) => name !== one)) {
        const clash = boards.includes(one) && boards.includes(other);
        const path = [one, other].includes('grokonez') ? 'POST /api/auth/signup' : 'GET /';
        const sentence = `DIALECTS cannot have all of these at once: ${one} and ${other} both want ${path}`;
        expect(mistakesOf([one, other])).toEqual(clash ? [sentence] : []);
      }
    expect(mistakesOf([...dialectNames])).toHaveLength(1);
  });

  it.each(['nope', 'NONE', 'none', '__proto__', 'constructor', 'x'.repeat(500)])('for the name %s', (name) => {
    expect(mistakesOf(['zohaib', name])).toEqual([
      `DIALECTS names "${name.slice(0, 40)}", which is none of bezkoder, bezkoder-cookies, grokonez, zohaib, devckano; or none of them: DIALECTS=none`,
    ]);
    expect(mistakesOf(['bezkoder', name, 'grokonez'])).toHaveLength(2);
  });

  it('before the server starts', async () => {
    const databaseUrl = await emptyDatabase();
    const { code, stdout, stderr } = await runProcess('server', settingsFor(databaseUrl, { DIALECTS: 'zohaib,bezkoder,grokonez' }));
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toBe('DIALECTS cannot have all of these at once: bezkoder and grokonez both want POST /api/auth/signup\n');
  });
});

describe('a path of two dialects', () => {
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
    expect((await say('GET', '/users', { headers: { authorization: `Bearer ${admin.token}` } })).status).toBe(200);
  });

  it('refuses the methods of neither, in the words of one of them', async () => {
    const { headers } = await expectSaid(say('PUT', '/users', { json: {} }), 405, { error: notAllowed });
    expect(headers.get('allow')).toBe('GET, HEAD, POST');
    const alone = apps.get('devckano,devckano')!;
    const post = await expectSaid(alone.say('POST', '/users', { json: {} }), 405, { msg: notAllowed });
    expect(post.headers.get('allow')).toBe('GET, HEAD');
    const other = apps.get(' zohaib ,, bezkoder,zohaib')!;
    const get = await expectSaid(other.say('GET', '/users'), 405, { error: notAllowed });
    expect(get.headers.get('allow')).toBe('POST');
  });
});

describe('a role that a dialect needs', () => {
  const rolesIn = async (url: string) => (await rowsOf(url, 'SELECT name FROM roles ORDER BY name')).map(({ name }) => name);

  it('is there when it is on, once, and only then', async () => {
    expect(await rolesIn(apps.get('')!.databaseUrl)).toEqual(['admin', 'moderator', 'user']);
    const { databaseUrl } = apps.get('grokonez,devckano')!;
    expect(await rolesIn(databaseUrl)).toEqual(['admin', 'moderator', 'pm', 'user']);
    expect(again.databaseUrl).toBe(databaseUrl);
    expect(await rolesIn(databaseUrl)).toEqual(['admin', 'moderator', 'pm', 'user']);
  });
});

describe('a strategy that is not there', () => {
  const strategy = (name: string) =>
    `export default { name: '${name}', kind: 'bearer', summary: 'A strategy', scheme: {}, create: () => ({ authenticate() { this.fail(); } }) };`;
  mkdirSync('strategies');
  writeFileSync('strategies/package.json', '{"type":"module"}');
  writeFileSync('strategies/jwt.js', strategy('jwt'));
  const folder = pathToFileURL(`${process.cwd()}/strategies/`);

  /** As at the start of a process: every route of ours is defined, and those of these dialects. */
  async function loading(...names: string[]) {
    vi.resetModules();
    await import('#src/app');
    const fresh = { ...(await import('#src/dialects/index')), ...(await import('#src/http/passport')) };
    fresh.dialectsOf(names);
    const { userOf } = await import('#src/identities/user-of');
    return fresh.loadStrategies({ userOf, env: {}, folders: [{ name: 'strategies', url: folder }] });
  }

  it.skipIf(engine === 'mysql')('is missed by a dialect that signs people in with it, and by nothing else', async () => {
    expect((await loading()).on.map(({ name }) => name)).toEqual(['jwt']);
    for (const name of dialectNames)
      await expect(loading(name)).rejects.toMatchObject({
        mistakes: ['A route asks for the strategy "local", which is not in strategies/ or is off'],
      });
  });
});
