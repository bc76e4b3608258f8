import { beforeEach, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { statusesOf } from '#test/support/client';
import { askLate } from '#test/support/late';
import { addApp } from '#test/support/second-factor';

const app = await startApp({ API_KEYS: 'on' });
const { auth, ask, ctx, env, register, url, Role, Session, User, UserRole } = app;
const { does, refuses, json } = speaking(commandLine(env));

const chief = await register({ username: 'chief' }, 'admin');
const ROLES: Record<string, string[]> = {
  reader: ['roles:read', 'users:read'],
  /** May do everything with roles, with what they have. */
  keeper: ['invoices:read', 'roles:assign', 'roles:read', 'roles:write'],
  assigner: ['invoices:*', 'roles:assign'],
  writer: ['invoices:*', 'roles:write'],
  clerk: ['invoices:read'],
  boss: ['*'],
};
for (const [name, permissions] of Object.entries(ROLES))
  await auth.roles.set(name, { permissions });
const keeper = await register({}, 'keeper');
const assigner = await register({}, 'assigner');
const writer = await register({}, 'writer');
type Person = Awaited<ReturnType<typeof register>>;

const heard: [string, object][] = [];
ctx.events.onAny((name, event) => {
  if (name.startsWith('role.')) heard.push([name, event]);
});
beforeEach(() => void heard.splice(0));

let made = 0;
const freshName = () => `role-${++made}`;
const put = (who: Person, role: string, permissions: unknown, more: object = {}) =>
  who.ask('PUT', `/admin/roles/${role}`, { body: { permissions, ...more } });
const grant = (who: Person, to: Person, role: string) =>
  who.ask('PUT', `/admin/users/${to.id}/roles/${role}`);
const revoke = (who: Person, from: Person, role: string) =>
  who.ask('DELETE', `/admin/users/${from.id}/roles/${role}`);
const rolesOf = async ({ id }: Person) =>
  (await User.findByPk(id, { include: ['roles'] }))!.roleNames.toSorted();
const permissionsOf = async (me: Person) => (await me.ask('GET', '/me')).body.permissions;
/** Everything that these routes can change. */
const state = async () => [
  (await Role.findAll({ order: ['name'] })).map(({ name, description, permissions }) => [
    name,
    description,
    permissions,
  ]),
  await UserRole.count(),
];

const ROUTES: [method: string, path: string, permission: string, body?: object][] = [
  ['GET', '/admin/roles', 'roles:read'],
  ['GET', '/admin/roles/clerk', 'roles:read'],
  ['PUT', '/admin/roles/clerk', 'roles:write', { permissions: [] }],
  ['DELETE', '/admin/roles/clerk', 'roles:write'],
  ['PUT', `/admin/users/${keeper.id}/roles/clerk`, 'roles:assign'],
  ['DELETE', `/admin/users/${keeper.id}/roles/keeper`, 'roles:assign'],
];

describe.each(ROUTES)('%s %s', (method, path, permission, body) => {
  const question = body ? { body } : {};

  it(`is closed to strangers, and to everybody without ${permission} (A-01)`, async () => {
    const [before] = await state();
    expect((await ask(method, path, question)).body.code).toBe('token_missing');
    await auth.roles.set('lacks-it', {
      permissions: ['users:*', 'factors:*', 'roles:another', 'rolesx:*', 'roles-x:read'],
    });
    const people = [
      await register(),
      await register({}, 'moderator'),
      await register({}, 'lacks-it'),
      await register({}, 'clerk'),
    ];
    for (const who of people) {
      const answer = await who.ask(method, path, question);
      expect(answer.status).toBe(403);
      expect(answer.body).toMatchObject({ code: 'forbidden', required: [permission] });
      // Nobody learns what there is, nor what the request should look like.
      const wrong = path.replace(/clerk|keeper$/, 'no-such-role');
      const other = body ? { body: { x: 1 } } : {};
      expect((await who.ask(method, wrong, other)).status).toBe(403);
    }
    await auth.roles.delete('lacks-it');
    expect((await state())[0]).toEqual(before);
    expect(await rolesOf(keeper)).toEqual(['keeper', 'user']);
  });

  it('asks an API key for the scope, and lets none change anything', async () => {
    const owner = await register({}, 'admin', 'reader');
    const keyOf = async (scopes: string[]) => {
      const { body: key } = await owner.ask('POST', '/me/api-keys', {
        body: { name: 'robot', scopes },
      });
      return { headers: { 'x-api-key': key.key as string }, ...question };
    };
    const narrow = await ask(method, path, await keyOf(['user']));
    expect([narrow.status, narrow.body.required]).toEqual([403, [permission]]);
    const wide = await ask(method, path, await keyOf(['admin']));
    if (method === 'GET') expect(wide.status).toBe(200);
    else expect([wide.status, wide.body.required]).toEqual([403, ['session']]);
  });

  it.skipIf(method === 'GET')(
    'needs a sign-in of late, with two factors if there are',
    async () => {
      const before = await state();
      const stale = await register({}, 'admin');
      const createdAt = ctx.clock.date(-2 * 3_600_000);
      await Session.update({ createdAt }, { where: { userId: stale.id }, silent: true });
      expect((await stale.ask(method, path, question)).body.code).toBe('step_up_required');
      const careful = await register({}, 'admin');
      await addApp(ctx, careful);
      const aal1 = { aal2At: null, amr: 'pwd' };
      await Session.update(aal1, { where: { userId: careful.id }, silent: true });
      expect((await careful.ask(method, path, question)).body).toMatchObject({
        code: 'step_up_required',
        acrValues: ['aal2'],
      });
      expect((await state())[0]).toEqual(before[0]);
    },
  );
});

it.each([
  ['PUT', '/admin/roles/Clerk'],
  ['PUT', '/admin/roles/ADMIN'],
  ['PUT', '/admin/roles/admin%20'],
  ['PUT', '/admin/roles/adm%C3%ADn'],
  ['PUT', '/admin/roles/admin%00'],
  ['PUT', '/admin/roles/%2e%2e%2fadmin'],
  ['PUT', `/admin/roles/${'a'.repeat(65)}`],
  ['GET', '/admin/roles/%F0%9F%A6%8A'],
  ['PUT', '/admin/users/1/roles/clerk'],
  ['PUT', `/admin/users/${chief.id}%00/roles/clerk`],
  ['DELETE', `/admin/users/${'a'.repeat(10_000)}/roles/clerk`],
  ['DELETE', `/admin/users/${chief.id}/roles/Clerk`],
  ['GET', '/admin/roles?cursor=admin'],
  ['GET', '/admin/roles?cursor=AAAAAAAAAAAAAAAAAAAAAFsiYWRtaW4iXQ'],
  ['GET', '/admin/roles?limit=0'],
  ['GET', '/admin/roles?sort=name'],
])('answers 400 to %s %s (A-02, A-04, A-06)', async (method, path) => {
  const before = await state();
  const body =
    method === 'PUT' && path.includes('/admin/roles/') ? { body: { permissions: [] } } : {};
  const { status, body: problem } = await chief.ask(method, path, body);
  expect([status, problem.code]).toEqual([400, 'invalid_request']);
  expect(await state()).toEqual(before);
});

it.each<[what: string, body: unknown]>([
  ['nothing', {}],
  ['a text', { permissions: 'users:read' }],
  ['null', { permissions: null }],
  ['a wildcard with more behind it', { permissions: ['users:*:x'] }],
  ['a wildcard with nothing behind it', { permissions: ['*:'] }],
  ['a resource that is a wildcard', { permissions: ['*:read'] }],
  ['a wildcard within a name', { permissions: ['user*:read'] }],
  ['no action', { permissions: ['users'] }],
  ['upper case', { permissions: ['Users:read'] }],
  ['a Cyrillic letter', { permissions: ['us\u0435rs:read'] }],
  ['full-width letters', { permissions: ['ｕｓｅｒｓ:read'] }],
  ['a full-width asterisk', { permissions: ['＊'] }],
  ['a space', { permissions: ['users:read users:write'] }],
  ['a space at the end', { permissions: ['users:read '] }],
  ['a line feed', { permissions: ['users:read\n'] }],
  ['NUL', { permissions: ['users:read\u0000'] }],
  ['65 characters', { permissions: [`a:${'b'.repeat(63)}`] }],
  ['101 permissions', { permissions: Array.from({ length: 101 }, (_, i) => `a:b${i}`) }],
  ['a list in the list', { permissions: [['users:read']] }],
  ['a name', { permissions: [], name: 'admin' }],
  ['an id', { permissions: [], id: chief.id }],
  ['a description of 256 characters', { permissions: [], description: 'a'.repeat(256) }],
  ['a description that turns round', { permissions: [], description: 'a\u202eb' }],
  ['a description of control characters', { permissions: [], description: 'a\u0007' }],
])('answers 400 to a role with %s (A-02)', async (_what, body) => {
  const before = await state();
  const { status, body: problem } = await chief.ask('PUT', '/admin/roles/wrong', { body });
  expect([status, problem.code]).toEqual([400, 'invalid_request']);
  expect(await state()).toEqual(before);
});

describe('GET /admin/roles', () => {
  it('lists every role by its name, page by page', async () => {
    const all: { name: string }[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const from: string = cursor && `&cursor=${cursor}`;
      const { status, body } = await keeper.ask('GET', `/admin/roles?limit=2${from}`);
      expect(status).toBe(200);
      expect(body.data.length).toBeLessThanOrEqual(2);
      all.push(...body.data);
      cursor = body.nextCursor;
    }
    expect(all.map(({ name }) => name)).toEqual((await auth.roles.list()).toSorted());
    expect(all.find(({ name }) => name === 'admin')).toEqual({
      name: 'admin',
      description: '',
      permissions: ['*'],
      createdAt: expect.stringMatching(/Z$/),
    });
    expect((await keeper.ask('GET', '/admin/roles/keeper')).body.permissions).toEqual(
      ROLES['keeper'],
    );
    expect((await keeper.ask('GET', '/admin/roles/nothing')).status).toBe(404);
  });

  it('takes no cursor of the list of users', async () => {
    await register();
    const { nextCursor } = (await chief.ask('GET', '/admin/users?limit=1')).body;
    expect((await chief.ask('GET', `/admin/roles?cursor=${nextCursor}`)).status).toBe(400);
  });
});

describe('PUT /admin/roles/{role}', () => {
  it('creates a role, sorts its permissions, and tells of it', async () => {
    const name = freshName();
    const description = 'Reads “invoices” 🦊';
    const { status, body, headers } = await put(
      chief,
      name,
      ['users:read', 'invoices:read', 'users:read', '*'],
      { description },
    );
    expect(status).toBe(200);
    const permissions = ['*', 'invoices:read', 'users:read'];
    expect(body).toEqual({ name, description, permissions, createdAt: expect.any(String) });
    expect(headers.get('etag')).toMatch(/^"[\w-]{22}"$/);
    expect((await chief.ask('GET', `/admin/roles/${name}`)).body).toEqual(body);
    expect(heard).toEqual([
      ['role.created', { role: name }],
      ['role.changed', { role: name, added: permissions, removed: [] }],
    ]);
  });

  it('has room for 100 permissions of 64 characters', async () => {
    const name = freshName();
    const permissions = Array.from(
      { length: 100 },
      (_, i) => `${String(i).padStart(3, 'a').padStart(31, 'b')}:${'c'.repeat(32)}`,
    );
    expect((await put(chief, name, permissions)).status).toBe(200);
    const me = await register({}, name);
    expect(await permissionsOf(me)).toEqual(permissions.toSorted());
  });

  it('binds on the next request of everybody who has it', async () => {
    const name = freshName();
    await put(keeper, name, []);
    const me = await register({}, name);
    expect(await permissionsOf(me)).toEqual([]);
    await put(keeper, name, ['invoices:read']);
    expect(await permissionsOf(me)).toEqual(['invoices:read']);
    await put(chief, name, ['users:read']);
    expect((await me.ask('GET', '/admin/users')).status).toBe(200);
    await put(chief, name, []);
    expect((await me.ask('GET', '/admin/users')).status).toBe(403);
    expect(heard.at(-1)).toEqual([
      'role.changed',
      { role: name, added: [], removed: ['users:read'] },
    ]);
  });

  it('says nothing about a change that is none', async () => {
    const name = freshName();
    await put(keeper, name, ['invoices:read']);
    heard.splice(0);
    expect((await put(keeper, name, ['invoices:read', 'invoices:read'])).status).toBe(200);
    expect(heard).toEqual([]);
  });

  it.each<[what: string, permissions: string[], missing: string[]]>([
    ['one more', ['invoices:read', 'invoices:write'], ['invoices:write']],
    ['a wildcard over what they have', ['invoices:*'], ['invoices:*']],
    ['everything', ['*'], ['*']],
    ['two more', ['users:write', 'users:read'], ['users:read', 'users:write']],
    ['a wildcard over all that they have', ['roles:*'], ['roles:*']],
  ])('gives no role more than its author has: %s (A-02)', async (_what, permissions, missing) => {
    const before = await state();
    const answer = await put(keeper, freshName(), permissions);
    expect([answer.status, answer.body.required]).toEqual([403, missing]);
    expect((await put(keeper, 'clerk', permissions)).body.required).toEqual(missing);
    expect(await state()).toEqual(before);
  });

  it('changes no role that has more than its author, not even to less (A-02)', async () => {
    const before = await state();
    expect((await put(keeper, 'boss', [])).body).toMatchObject({ required: ['*'] });
    expect((await put(keeper, 'writer', [])).body).toMatchObject({ required: ['invoices:*'] });
    expect((await put(writer, 'assigner', ['invoices:read'])).body).toMatchObject({
      required: ['roles:assign'],
    });
    expect(await state()).toEqual(before);
  });

  it('changes no role of its author, unless that is who has everything (A-02)', async () => {
    const own = freshName();
    await auth.roles.set(own, { permissions: ['invoices:read'] });
    await auth.roles.grant(keeper.id, own);
    const before = await state();
    for (const [role, permissions] of [
      ['keeper', ROLES['keeper']!],
      ['keeper', ['invoices:read']],
      [own, ['invoices:read', 'roles:write']],
      [own, []],
      ['user', ['invoices:read']],
    ] as const)
      expect((await put(keeper, role, permissions)).body).toMatchObject({
        code: 'forbidden',
        required: ['*'],
      });
    expect(await state()).toEqual(before);
    await auth.roles.revoke(keeper.id, own);
    expect((await put(chief, 'user', ['invoices:read'])).status).toBe(200);
    expect(await permissionsOf(await register())).toEqual(['invoices:read']);
    expect((await put(chief, 'user', [])).status).toBe(200);
  });

  it.each([[['*']], [[]], [['users:read']]])(
    'never changes admin: %j (A-02)',
    async (permissions) => {
      const before = await state();
      const boss = await register({}, 'boss');
      for (const who of [chief, boss]) {
        const { status, body } = await put(who, 'admin', permissions);
        expect([status, body.code, body.action]).toEqual([409, 'protected_role', 'stop']);
      }
      expect((await put(keeper, 'admin', permissions)).status).toBe(409);
      expect((await state())[0]).toEqual(before[0]);
      await expect(auth.roles.set('admin', { permissions })).rejects.toMatchObject({
        code: 'protected_role',
      });
    },
  );

  it('loses no update: of two who saw the same role, one hears 412 (A-07)', async () => {
    const name = freshName();
    const { headers } = await put(chief, name, ['invoices:read']);
    const change = (permissions: string[], etag = headers.get('etag')!) =>
      chief.ask('PUT', `/admin/roles/${name}`, {
        headers: { 'if-match': etag },
        body: { permissions },
      });
    const answers = await Promise.all([change(['a:b']), change(['c:d'])]);
    expect(statusesOf(answers)).toEqual([200, 412]);
    expect(answers.find(({ status }) => status === 412)!.body.code).toBe('precondition_failed');
    const seen = await chief.ask('GET', `/admin/roles/${name}`);
    expect((await change(['e:f'], seen.headers.get('etag')!)).status).toBe(200);
    expect((await change(['g:h'], '"made-up"')).status).toBe(412);
    expect((await change(['g:h'], '*')).status).toBe(200);
    const gone = { headers: { 'if-match': '*' }, body: { permissions: [] } };
    expect((await chief.ask('PUT', `/admin/roles/${freshName()}`, gone)).status).toBe(412);
    const remove = (etag: string) =>
      chief.ask('DELETE', `/admin/roles/${name}`, { headers: { 'if-match': etag } });
    expect((await remove(seen.headers.get('etag')!)).status).toBe(412);
    expect((await remove('*')).status).toBe(204);
  });

  it('is not done when the permission was taken while the body was held back (A-09)', async () => {
    const late = async (how: (me: Person) => Promise<unknown>) => {
      const role = freshName();
      await auth.roles.set(role, { permissions: ['invoices:read', 'roles:write'] });
      const me = await register({}, role);
      const wanted = freshName();
      const request = {
        token: me.token,
        method: 'PUT',
        path: `/admin/roles/${wanted}`,
        body: { permissions: ['invoices:read'] },
      };
      const answer = await askLate(url, request, async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await how(me);
      });
      expect(await auth.roles.find(wanted)).toBeNull();
      return [answer.status, answer.code];
    };
    const roleOf = async (me: Person) => (await rolesOf(me)).find((name) => name !== 'user')!;
    expect(await late(async (me) => auth.roles.revoke(me.id, await roleOf(me)))).toEqual([
      403,
      'forbidden',
    ]);
    expect(
      await late(async (me) => auth.roles.set(await roleOf(me), { permissions: ['roles:write'] })),
    ).toEqual([403, 'forbidden']);
    expect(await late(async (me) => auth.roles.delete(await roleOf(me)))).toEqual([
      403,
      'forbidden',
    ]);
    expect(await late((me) => auth.sessions.endAll(me.id))).toEqual([401, 'session_ended']);
    expect(await late((me) => auth.users.disable(me.id))).toEqual([401, 'session_ended']);
  });
});

describe('DELETE /admin/roles/{role}', () => {
  it('takes the role from everybody, on their next request', async () => {
    const name = freshName();
    await put(chief, name, ['users:read']);
    const [a, b] = [await register({}, name), await register({}, name)];
    expect((await a.ask('GET', '/admin/users')).status).toBe(200);
    heard.splice(0);
    expect((await chief.ask('DELETE', `/admin/roles/${name}`)).status).toBe(204);
    for (const each of [a, b]) {
      expect((await each.ask('GET', '/admin/users')).status).toBe(403);
      expect(await rolesOf(each)).toEqual(['user']);
    }
    expect(heard).toEqual([['role.deleted', { role: name, users: 2 }]]);
    expect((await chief.ask('DELETE', `/admin/roles/${name}`)).status).toBe(404);
  });

  it.each(['user', 'moderator', 'admin'])('never deletes %s', async (name) => {
    const before = await state();
    const { status, body } = await chief.ask('DELETE', `/admin/roles/${name}`);
    expect([status, body.code]).toEqual([409, 'protected_role']);
    await expect(auth.roles.delete(name)).rejects.toMatchObject({ code: 'protected_role' });
    expect(await state()).toEqual(before);
  });

  it('deletes no role that has more than whoever asks (A-02)', async () => {
    expect((await keeper.ask('DELETE', '/admin/roles/boss')).body.required).toEqual(['*']);
    expect((await keeper.ask('DELETE', '/admin/roles/writer')).body.required).toEqual([
      'invoices:*',
    ]);
  });

  it('takes a role from more users than fit into one step', async () => {
    const name = freshName();
    await auth.roles.set(name, {});
    const { id: roleId } = (await Role.findOne({ where: { name } }))!;
    const rows = Array.from({ length: 1001 }, () => {
      const id = crypto.randomUUID();
      return { id, username: id, usernameCanonical: id };
    });
    await User.bulkCreate(rows);
    await UserRole.bulkCreate(rows.map(({ id }) => ({ userId: id, roleId })));
    await auth.roles.delete(name);
    expect(heard.slice(-2)).toEqual([
      ['role.changed', { role: name, added: [], removed: [] }], // of the first step
      ['role.deleted', { role: name, users: 1001 }],
    ]);
    expect(await UserRole.count({ where: { roleId } })).toBe(0);
    await User.destroy({ where: { id: rows.map(({ id }) => id) } });
  });
});

describe('PUT and DELETE /admin/users/{id}/roles/{role}', () => {
  it('grant and revoke, once and again, and tell of it once', async () => {
    const me = await register();
    for (let i = 0; i < 2; i++) expect((await grant(keeper, me, 'clerk')).status).toBe(204);
    expect(await permissionsOf(me)).toEqual(['invoices:read']);
    for (let i = 0; i < 2; i++) expect((await revoke(keeper, me, 'clerk')).status).toBe(204);
    expect(await permissionsOf(me)).toEqual([]);
    const event = { userId: me.id, role: 'clerk' };
    expect(heard).toEqual([
      ['role.granted', event],
      ['role.revoked', event],
    ]);
  });

  it('know no user and no role that does not exist', async () => {
    const me = await register();
    const nobody = { id: '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20' } as Person;
    expect((await grant(chief, me, 'nothing')).status).toBe(404);
    expect((await revoke(chief, me, 'nothing')).status).toBe(404);
    expect((await grant(chief, nobody, 'clerk')).status).toBe(404);
    expect((await revoke(chief, nobody, 'clerk')).status).toBe(404);
  });

  it('are refused for a role that has more than whoever asks (A-02)', async () => {
    const me = await register();
    for (const [who, role, required] of [
      [keeper, 'admin', ['*']],
      [keeper, 'boss', ['*']],
      [keeper, 'assigner', ['invoices:*']],
      [assigner, 'keeper', ['roles:read', 'roles:write']],
      [assigner, 'reader', ['roles:read', 'users:read']],
    ] as const) {
      expect((await grant(who, me, role)).body).toMatchObject({ code: 'forbidden', required });
      expect((await revoke(who, chief, role)).body).toMatchObject({ code: 'forbidden', required });
    }
    expect(await rolesOf(me)).toEqual(['user']);
    expect(await rolesOf(chief)).toEqual(['admin', 'user']);
  });

  it('give nobody a role of their own making, but who has everything (A-02)', async () => {
    for (const role of ['clerk', 'moderator', 'keeper', 'user', 'admin']) {
      const { status, body } = await grant(keeper, keeper, role);
      expect([status, body.required]).toEqual([403, ['*']]);
    }
    expect(await rolesOf(keeper)).toEqual(['keeper', 'user']);
    expect((await grant(chief, chief, 'clerk')).status).toBe(204);
    expect((await revoke(chief, chief, 'clerk')).status).toBe(204);
  });

  it('let everybody drop a role, but not the last administrator', async () => {
    const me = await register({}, 'keeper');
    expect((await revoke(me, me, 'keeper')).status).toBe(204);
    expect((await revoke(me, me, 'keeper')).status).toBe(403);
    const former = await UserRole.findAll({
      where: { roleId: (await Role.findOne({ where: { name: 'admin' } }))!.id },
    });
    for (const { userId } of former)
      if (userId !== chief.id) await auth.roles.revoke(userId, 'admin');
    const boss = await register({}, 'boss');
    for (const who of [chief, boss])
      expect((await revoke(who, chief, 'admin')).body.code).toBe('last_admin');
    expect(await rolesOf(chief)).toEqual(['admin', 'user']);
  });

  it('void what the user had proved before', async () => {
    const me = await register();
    await me.ask('POST', '/auth/reauthenticate', { body: { password: 'correct horse battery' } });
    const proved = () =>
      Session.count({ where: { userId: me.id, authenticatedAt: null as unknown as Date } });
    expect(await proved()).toBe(0);
    await grant(keeper, me, 'clerk');
    expect(await proved()).toBe(1);
  });
});

describe('DELETE /admin/users/{id}/factors', () => {
  it('is refused for somebody who has a permission that whoever asks lacks', async () => {
    const role = freshName();
    await auth.roles.set(role, { permissions: ['factors:reset', 'invoices:read'] });
    const helper = await register({}, role);
    const boss = await register({}, 'boss');
    await addApp(ctx, boss);
    const clerk = await register({}, 'clerk');
    await addApp(ctx, clerk);
    const reset = ({ id }: Person) => helper.ask('DELETE', `/admin/users/${id}/factors`);
    expect((await reset(boss)).body).toMatchObject({ code: 'forbidden', required: ['*'] });
    expect((await User.findByPk(boss.id))!.factors).toBe(1);
    expect((await reset(clerk)).status).toBe(204);
    expect((await User.findByPk(clerk.id))!.factors).toBe(0);
  });
});

describe('the same', () => {
  it('by the app that embeds the server', async () => {
    const name = freshName();
    const { roles } = auth;
    expect(await roles.find(name)).toBeNull();
    expect(await roles.create(name)).toBe(true);
    const changes = { permissions: ['b:c', 'a:*'], description: 'For “us”' };
    expect(await roles.set(name, changes)).toMatchObject({
      name,
      description: 'For “us”',
      permissions: ['a:*', 'b:c'],
    });
    expect(await roles.set(name, { description: '' })).toMatchObject({
      description: '',
      permissions: ['a:*', 'b:c'],
    });
    for (const wrong of [{ permissions: ['*:x'] }, { permissions: 'a:b' }, { x: 1 }, null])
      await expect(roles.set(name, wrong as never)).rejects.toMatchObject({
        code: 'invalid_request',
      });
    await expect(roles.set('Admin', {})).rejects.toMatchObject({ code: 'invalid_request' });
    const me = await register();
    expect(await roles.grant(me.username, name)).toBe(true);
    expect(await roles.grant(me.username, name)).toBe(false);
    expect(await permissionsOf(me)).toEqual(['a:*', 'b:c']);
    await roles.delete(name);
    expect(await permissionsOf(me)).toEqual([]);
    await expect(roles.delete(name)).rejects.toMatchObject({ code: 'not_found' });
    await expect(roles.grant(me.username, name)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('on the command line', async () => {
    const name = freshName();
    expect(await does(`role create ${name} --permissions invoices:read,users:*`)).toBe(
      `There is now a role ${name}.\n`,
    );
    expect(await does(`role set ${name} --permissions invoices:read`)).toBe(
      `The role ${name} allows: invoices:read.\n`,
    );
    expect(await json(`role set ${name} --description Reads`)).toMatchObject({
      name,
      description: 'Reads',
      permissions: ['invoices:read'],
    });
    expect(await does(`role list`)).toMatch(
      new RegExp(`^${name} +invoices:read +Reads +\\S+Z$`, 'm'),
    );
    const me = await register();
    await does(`role grant ${me.username} ${name}`);
    expect(await permissionsOf(me)).toEqual(['invoices:read']);
    await refuses(`role set ${name}`, /^Say what to change/);
    await refuses(`role set nothing --permissions a:b`, /^There is no such role/);
    await refuses(`role set ${name} --permissions *:read`, /^A permission is/);
    await refuses('role set admin --permissions a:b', /^This role must stay as it is/);
    await refuses('role delete user --yes', /^This role must stay as it is/);
    await refuses(`role delete ${name}`, /confirm it with --yes/);
    expect(await json(`role delete ${name} --yes`)).toEqual({ role: name, users: 1 });
    expect(await permissionsOf(me)).toEqual([]);
    expect(await auth.roles.find(name)).toBeNull();
  });
});
