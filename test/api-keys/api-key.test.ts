import { execFileSync } from 'node:child_process';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { newKey } from '#src/api-keys/key';
import { resumeApiKey } from '#src/api-keys/use';
import { password, startApp } from '#test/support/app';
import { wait } from '#test/support/clock';
import { rowsOf } from '#test/support/process';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const { ctx, auth, ask, register, routes, databaseUrl, ApiKey, User } = await startApp({
  API_KEYS: 'on',
  BASIC_AUTH: 'on',
});
const statements = statementsOf(User.sequelize);
beforeEach(() => {
  vi.useRealTimers();
});

type Person = Awaited<ReturnType<typeof register>>;
async function keyOf({ ask }: Person, fields: object = {}) {
  const { status, body, text } = await ask('POST', '/me/api-keys', {
    body: { name: 'a script', ...fields },
  });
  expect(status, text).toBe(201);
  return body as { id: string; key: string; last4: string };
}
const by = (
  key: string,
  method = 'GET',
  path = '/me',
  more: { body?: unknown; headers?: Record<string, string> } = {},
) => ask(method, path, { ...more, headers: { 'x-api-key': key, ...more.headers } });
const codeOf = async (key: string) => (await by(key)).body.code ?? 'in';

describe('a key', () => {
  it('is shown once, opens what its owner may, and is gone with the next request when it is deleted', async () => {
    const ada = await register();
    const { id, key, last4 } = await keyOf(ada, { name: 'nightly backup' });
    expect((await by(key)).body).toMatchObject({ id: ada.id, roles: ['user'] });
    const { body, text } = await ada.ask('GET', '/me/api-keys');
    expect(body.data).toMatchObject([
      { id, name: 'nightly backup', scopes: ['user'], last4, expiresAt: null },
    ]);
    expect(Object.keys(body.data[0]).sort()).toEqual([
      'createdAt',
      'expiresAt',
      'id',
      'last4',
      'lastUsedAt',
      'name',
      'scopes',
    ]);
    expect(last4).toBe(key.slice(-4));
    expect(text).not.toContain(key.slice(3, 35));
    const grace = await register();
    expect((await grace.ask('DELETE', `/me/api-keys/${id}`)).status).toBe(404);
    expect((await grace.ask('GET', '/me/api-keys')).body.data).toEqual([]);
    expect(await codeOf(key)).toBe('in');
    expect((await ada.ask('DELETE', `/me/api-keys/${id}`)).status).toBe(204);
    expect(await codeOf(key)).toBe('token_invalid');
    expect((await ada.ask('DELETE', `/me/api-keys/${id}`)).status).toBe(404);
  });

  it('has a form that scanners for leaked keys find, and a checksum that others can work out', async () => {
    const keys = [(await keyOf(await register())).key, ...Array.from({ length: 200 }, newKey)];
    for (const key of keys) expect(key).toMatch(/^sp_[0-9A-Za-z]{38}$/);
    expect(new Set(keys).size).toBe(keys.length);
    const program = `
import sys, zlib, string
digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
for key in sys.stdin.read().split():
    rest, text = zlib.crc32(key[3:35].encode()), ''
    for _ in range(6): rest, digit = divmod(rest, 62); text = digits[digit] + text
    print(text == key[35:])`;
    const answers = execFileSync('/usr/bin/python3', ['-c', program], {
      input: keys.join('\n'),
      encoding: 'utf8',
    });
    expect(answers.trim().split('\n')).toEqual(keys.map(() => 'True'));
  });

  it('is kept as its digest alone: what stands in the database opens nothing', async () => {
    const { id, key } = await keyOf(await register());
    const [row] = await rowsOf(databaseUrl, `SELECT * FROM api_keys WHERE id = '${id}'`);
    const kept = Object.values(row!).map(String);
    expect(kept.join(' ')).not.toContain(key.slice(3, 35));
    for (const value of kept) expect(await codeOf(value), value).toBe('token_invalid');
  });

  it.each([
    ['mistyped', (key: string) => key.slice(0, 10) + (key[10] === 'x' ? 'y' : 'x') + key.slice(11)],
    ['of another server', () => newKey()],
    ['cut off', (key: string) => key.slice(0, -1)],
    ['too long', (key: string) => `${key}0`],
    ['in another case', (key: string) => key.toUpperCase()],
    ['empty', () => ''],
    ['of SQL', () => "' OR 1=1 --"],
    ['as long as a header may be', () => `sp_${'a'.repeat(8000)}`],
  ])('is refused when it is %s', async (_what, change) => {
    const { key } = await keyOf(await register());
    const { status, body } = await by(change(key));
    expect([status, body.code]).toEqual([401, 'token_invalid']);
  });

  it('that was made up costs no query', async () => {
    const { key } = await keyOf(await register());
    statements.length = 0;
    await by(key.slice(0, -6) + 'AAAAAA');
    expect(statements).toEqual([]);
  });

  it('is one credential: beside a token, or twice, it is refused', async () => {
    const ada = await register();
    const { key } = await keyOf(ada);
    for (const authorization of [
      `Bearer ${ada.token}`,
      `Basic ${Buffer.from(`${ada.username}:${password}`).toString('base64')}`,
      'x',
    ]) {
      const { status, body } = await by(key, 'GET', '/me', { headers: { authorization } });
      expect([status, body.errors?.[0].code], authorization).toEqual([400, 'two_credentials']);
    }
    const headers = new Headers([
      ['x-api-key', key],
      ['x-api-key', key],
    ]);
    const twice = await ask('GET', '/me', { headers: headers as never });
    expect(twice.status).toBe(401);
  });

  it('is read in its header and nowhere else', async () => {
    const { key } = await keyOf(await register());
    expect((await ask('GET', `/me?api_key=${key}&x-api-key=${key}`)).status).toBe(401);
    expect((await ask('GET', '/me', { headers: { cookie: `x-api-key=${key}` } })).body.code).toBe(
      'token_missing',
    );
    expect((await ask('GET', '/me', { token: key })).body.code).toBe('token_invalid');
  });
});

describe('what a key may', () => {
  it('is what it was made for: the key of an administrator with the scope user opens no route of theirs', async () => {
    const root = await register({}, 'admin');
    const small = await keyOf(root);
    const great = await keyOf(root, { scopes: ['user', 'admin'] });
    expect((await by(small.key, 'GET', '/admin/users')).status).toBe(403);
    expect((await by(small.key)).body.roles).toEqual(['user']);
    expect((await by(great.key, 'GET', '/admin/users')).status).toBe(200);
    // The same owner, twice, one after the other: what one key may not rubs off on nobody.
    expect((await by(small.key, 'GET', '/admin/users')).status).toBe(403);
    expect((await root.ask('GET', '/admin/users')).status).toBe(200);
  });

  it('ends with the role of its owner, on the next request', async () => {
    await register({}, 'admin'); // another one: the last would have to stay
    const root = await register({}, 'admin');
    const { key } = await keyOf(root, { scopes: ['admin'] });
    expect((await by(key, 'GET', '/admin/users')).status).toBe(200);
    await auth.roles.revoke(root.id, 'admin');
    expect((await by(key, 'GET', '/admin/users')).status).toBe(403);
    expect((await by(key)).body.roles).toEqual([]);
  });

  it('is never more than its owner has', async () => {
    const ada = await register();
    for (const scopes of [['admin'], ['user', 'admin'], ['nobody-has-this']]) {
      const { status, body } = await ada.ask('POST', '/me/api-keys', {
        body: { name: 'x', scopes },
      });
      expect([status, body.errors[0].code], String(scopes)).toEqual([400, 'not_yours']);
    }
    expect(await ApiKey.count({ where: { userId: ada.id } })).toBe(0);
  });

  it('ends while its owner is disabled, and with its owner', async () => {
    const ada = await register();
    const { id, key } = await keyOf(ada);
    await auth.users.disable(ada.id);
    expect(await codeOf(key)).toBe('user_disabled');
    expect((await ApiKey.findByPk(id))!.lastUsedAt).toBeNull();
    const grace = await register();
    const other = await keyOf(grace);
    expect((await grace.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
    expect(await codeOf(other.key)).toBe('token_invalid');
    expect(await ApiKey.count({ where: { userId: grace.id } })).toBe(0);
  });

  it('ends with its time, to the second', async () => {
    wait(0);
    const ada = await register();
    const { key } = await keyOf(ada, { expiresIn: 60 });
    wait(59_000);
    expect(await codeOf(key)).toBe('in');
    wait(1_000);
    expect(await codeOf(key)).toBe('token_expired');
  });

  it('is not to make itself at home: every route under /me that changes something refuses it', async () => {
    const { key } = await keyOf(await register({}, 'admin'), { scopes: ['user', 'admin'] });
    const changing = routes.filter(
      ({ method, path }) => method !== 'get' && /^\/me(\/|$)/.test(path),
    );
    expect(changing.length).toBeGreaterThan(6);
    for (const { method, path } of changing) {
      const { status, body } = await by(
        key,
        method.toUpperCase(),
        path.replace(/:\w+/g, '0197a000-0000-7000-8000-000000000000'),
        {
          body: {},
        },
      );
      expect([status, body.required], `${method} ${path}`).toEqual([403, ['session']]);
    }
  });
});

describe('POST /me/api-keys', () => {
  it.each([
    [{}, '/name'],
    [{ name: '' }, '/name'],
    [{ name: 'x'.repeat(65) }, '/name'],
    [{ name: 'a\u0000b' }, '/name'],
    [{ name: 'x', scopes: [] }, '/scopes'],
    [{ name: 'x', scopes: 'user' }, '/scopes'],
    [{ name: 'x', scopes: ['user admin'] }, '/scopes/0'],
    [{ name: 'x', scopes: Array.from({ length: 16 }, () => 'user') }, '/scopes'],
    [{ name: 'x', expiresIn: 59 }, '/expiresIn'],
    [{ name: 'x', expiresIn: 1e12 }, '/expiresIn'],
    [{ name: 'x', expiresIn: '60' }, '/expiresIn'],
    [{ name: 'x', userId: '0197a000-0000-7000-8000-000000000000' }, '/userId'],
    [{ name: 'x', key: 'sp_chosen' }, '/key'],
  ])('refuses %j', async (body, pointer) => {
    const ada = await register();
    const answer = await ada.ask('POST', '/me/api-keys', { body });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
    expect(await ApiKey.count({ where: { userId: ada.id } })).toBe(0);
  });

  it('makes no more than 50, however many are asked for at once', async () => {
    const ada = await register();
    for (let i = 0; i < 45; i++) await keyOf(ada);
    for (let round = 0; round < rounds(1, 10); round++) {
      const made = await Promise.all(
        Array.from({ length: 12 }, () =>
          ada.ask('POST', '/me/api-keys', { body: { name: 'one more' } }),
        ),
      );
      const codes = made.map(({ status, body }) => (status === 201 ? 'made' : body.code));
      expect(codes.filter((code) => code === 'made')).toHaveLength(round === 0 ? 5 : 1);
      expect(new Set(codes)).toEqual(new Set(['made', 'conflict']));
      expect(await ApiKey.count({ where: { userId: ada.id } })).toBe(50);
      await ada.ask('DELETE', `/me/api-keys/${made.find(({ status }) => status === 201)!.body.id}`);
    }
    let cursor: string | null = null;
    const listed: string[] = [];
    do {
      const { body } = await ada.ask(
        'GET',
        `/me/api-keys?limit=20${cursor ? `&cursor=${cursor}` : ''}`,
      );
      listed.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor;
    } while (cursor);
    expect(new Set(listed).size).toBe(49);
    expect([...listed].sort().reverse()).toEqual(listed);
  });
});

describe('a request with a key', () => {
  it('asks the database once, and notes its use at most once a minute', async () => {
    const ada = await register();
    const { id, key } = await keyOf(ada);
    const writes = () => statements.filter((sql) => !sql.startsWith('SELECT'));
    wait(0);
    await by(key);
    const first = (await ApiKey.findByPk(id))!.lastUsedAt!.getTime();
    expect(first).toBe(ctx.clock.now());
    statements.length = 0;
    wait(59_000);
    for (let i = 0; i < 5; i++) await by(key);
    expect(statements).toHaveLength(5);
    expect(writes()).toEqual([]);
    wait(2_000);
    for (let i = 0; i < 5; i++) await by(key);
    expect(writes()).toHaveLength(1);
    expect((await ApiKey.findByPk(id))!.lastUsedAt!.getTime()).toBe(first + 61_000);
  });

  it('notes it once, too, when many come at once', async () => {
    const { id, key } = await keyOf(await register());
    wait(0);
    const noted: number[] = [];
    const update = ApiKey.update.bind(ApiKey) as (...args: unknown[]) => Promise<[number]>;
    const { promise: both, resolve: meet } = Promise.withResolvers<void>();
    let arrived = 0;
    const spy = vi.spyOn(ApiKey, 'update').mockImplementation((async (...args: unknown[]) => {
      if (++arrived === 2) meet();
      await both;
      const [changed] = await update(...args);
      noted.push(changed);
      return [changed];
    }) as never);
    await Promise.all(Array.from({ length: 20 }, () => resumeApiKey(ctx, key)));
    spy.mockRestore();
    expect(noted.length).toBeGreaterThan(1);
    expect(noted.filter((changed) => changed > 0)).toHaveLength(1);
    expect((await ApiKey.findByPk(id))!.lastUsedAt!.getTime()).toBe(ctx.clock.now());
  });
});
