import { beforeEach, expect, it } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { password, startApp } from '#test/support/app';
import { rounds } from '#test/support/rounds';

const { ctx, auth, ask, register, logIn, User, Role, UserRole, Session } = await startApp();

const admin = await register({ username: 'chief' }, 'admin');
const adminRole = (await Role.findOne({ where: { name: 'admin' } }))!;
const activeAdmins = () =>
  User.count({
    where: { disabledAt: null },
    include: [{ association: 'roles', where: { name: 'admin' } }],
  });
const find = async (id: string) => (await User.findByPk(id, { include: ['roles'] }))!;
const list = (query = '') => admin.ask('GET', `/admin/users${query}`);
const names = (answer: { body: { data: { username: string }[] } }) =>
  answer.body.data.map(({ username }) => username);

beforeEach(async () => expect(await activeAdmins()).toBeGreaterThan(0));

it('asks who, then whether they may, and only then what (Z-05)', async () => {
  const user = await register();
  const moderator = await register({}, 'moderator');
  for (const path of ['/admin/users', '/admin/users?limit=abc', '/admin/users?foo=1']) {
    expect(await ask('GET', path)).toMatchObject({ status: 401, body: { code: 'token_missing' } });
    expect(await user.ask('GET', path)).toMatchObject({
      status: 403,
      body: { code: 'forbidden', action: 'stop', required: ['users:read'] },
    });
    expect((await moderator.ask('GET', path)).status).toBe(403);
    expect((await admin.ask('GET', path)).status).toBe(path.includes('?') ? 400 : 200);
  }
});

it('opens and closes with the role, whatever an old token once meant (Z-16)', async () => {
  const eve = await register();
  expect((await eve.ask('GET', '/admin/users')).status).toBe(403);
  await grantRole(ctx, await find(eve.id), adminRole);
  expect((await eve.ask('GET', '/admin/users')).status).toBe(200);
  await revokeRole(ctx, await find(eve.id), adminRole);
  expect((await eve.ask('GET', '/admin/users')).status).toBe(403);
  expect((await eve.ask('GET', '/me')).body.roles).toEqual(['user']);
});

it('is not opened by a role that only looks like admin (Z-14)', async () => {
  const eve = await register();
  for (const name of ['Admin', 'ADMIN', 'admin ', 'admín', 'admın']) {
    const [lookalike] = await Role.findOrCreate({
      where: { name },
      defaults: { id: crypto.randomUUID(), name },
    });
    await UserRole.create({ userId: eve.id, roleId: lookalike.id });
  }
  expect((await eve.ask('GET', '/admin/users')).status).toBe(403);
  expect((await list('?role=admin')).body.data.map(({ id }: { id: string }) => id)).not.toContain(
    eve.id,
  );
  await UserRole.destroy({ where: { userId: eve.id } });
});

it.each([
  'limit=1e9',
  'limit=-1',
  'limit=abc',
  'limit=0',
  'limit=101',
  'limit=1000',
  'limit=',
  'limit=1.5',
  'limit=0x10',
  'limit=%201',
  'limit=1;drop',
  'limit=١',
  'cursor=',
  'cursor=1',
  "cursor=' OR 1=1--",
  'cursor=%00',
  'offset=-5',
  'page=2',
  'sort=passwordHash',
  'sort=name;drop',
  'order=id',
  'include=sessions',
  'q=',
  'q=%00',
  'q=%0a',
  `q=${'a'.repeat(101)}`,
  'q[]=a',
  'q[$ne]=x',
  'role=',
  'role=Admin',
  'role=ADMIN',
  'role=admin%20',
  'role=adm%C4%B1n',
  'role[]=admin',
  'limit=1&limit=2',
  'q=a&q=b',
  'role=admin&role=user',
  'cursor=a&cursor=b',
  'a[__proto__][x]=1',
  '__proto__=1',
  '__proto__[x]=1',
  'constructor=1',
  'hasOwnProperty=1',
  'callback=x',
  'access_token=x',
])('answers 400 to a list by %s (Z-14, Z-21, I-12)', async (query) => {
  expect(
    await admin
      .ask('GET', encodeURI(`/admin/users?${query}`).replaceAll('%25', '%'))
      .then(({ status, body }) => [status, body.code]),
  ).toEqual([400, 'invalid_request']);
});

it('lists exactly the documented members of a user (G-11)', async () => {
  const shown = await register(
    { username: 'Shown', email: 'Shown@example.com', name: 'To Be Shown' },
    'moderator',
  );
  const { status, body } = await list('?q=shown@');
  expect(status).toBe(200);
  expect(body).toEqual({
    data: [
      {
        id: shown.id,
        username: 'Shown',
        email: 'Shown@example.com',
        emailVerified: false,
        locale: null,
        name: 'To Be Shown',
        roles: ['moderator', 'user'],
        disabled: false,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ],
    nextCursor: null,
  });
  await auth.users.disable(shown.id);
  expect((await list('?q=shown@')).body.data[0].disabled).toBe(true);
});

it('turns pages without losing or repeating anybody, in the order they came', async () => {
  for (let i = 0; i < 5; i++) await register();
  const all = (await list('?limit=100')).body.data.map(({ id }: { id: string }) => id);
  expect(all).toEqual(all.toSorted());
  expect(all).toHaveLength(await User.count());
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const { body } = await list(`?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
    expect(body.data.length).toBeLessThanOrEqual(2);
    seen.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.nextCursor;
  } while (cursor);
  expect(seen).toEqual(all);
});

it.each([
  ['%25', []],
  ['_', ['under_score']],
  ['r_s', ['under_score']],
  ['%5c', []],
  ['%27', []],
  ['%22', []],
  ['UNDER', ['under_score', 'underxscore']],
  ['%D9%AA', []],
  ['ΟΔΥΣΣΕΥΣ', ['οδυσσευς']],
  ['q%2Bt', ['plus']],
])('looks for %s literally (I-09)', async (q, expected) => {
  if (!(await User.findOne({ where: { usernameCanonical: 'under_score' } })))
    for (const fields of [
      { username: 'under_score' },
      { username: 'underxscore' },
      { username: 'οδυσσευς' },
      { username: 'plus', email: 'q+t@example.com' },
    ])
      await register({ email: undefined, ...fields });
  const found = names(await list(`?q=${/^[%\w]+$/.test(q) ? q : encodeURIComponent(q)}`));
  expect(found.sort()).toEqual(expected);
});

it('lists who has a role, with all their roles', async () => {
  const both = await register({}, 'moderator');
  const { body } = await list('?role=moderator&limit=100');
  expect(body.data.find(({ id }: { id: string }) => id === both.id).roles).toEqual([
    'moderator',
    'user',
  ]);
  expect(body.data.every(({ roles }: { roles: string[] }) => roles.includes('moderator'))).toBe(
    true,
  );
  expect((await list('?role=nobody-has-it')).body).toEqual({ data: [], nextCursor: null });
  expect((await list(`?role=moderator&q=${both.username}`)).body.data).toHaveLength(1);
});

it.each([
  [
    'delete themselves',
    () => admin.ask('DELETE', '/me', { body: { password } }).then(({ body }) => body.code),
  ],
  ['be disabled', () => auth.users.disable(admin.id).catch(({ code }: { code: string }) => code)],
  [
    'lose the role',
    async () =>
      revokeRole(ctx, await find(admin.id), adminRole).catch(({ code }: { code: string }) => code),
  ],
])('does not let the last active admin %s (Z-11)', async (_what, attempt) => {
  const former = await register({}, 'admin');
  await auth.users.disable(former.id); // a disabled admin is no admin
  expect(await activeAdmins()).toBe(1);
  expect(await attempt()).toBe('last_admin');
  expect(await activeAdmins()).toBe(1);
  expect((await admin.ask('GET', '/admin/users')).status).toBe(200);
  expect((await logIn('chief')).status).toBe(200);
  expect(await Session.count({ where: { userId: admin.id } })).toBeGreaterThan(0);
});

it('lets an admin go who is not the last one', async () => {
  const other = await register({}, 'admin');
  expect((await other.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
});

it('keeps an admin when all of them are revoked, disabled and deleted at once (Z-12)', async () => {
  const rivals = await Promise.all([register(), register()]);
  for (let round = 0; round < rounds(10, 100); round++) {
    await User.update(
      { disabledAt: null },
      { where: { id: [admin.id, ...rivals.map(({ id }) => id)] } },
    );
    for (const { id } of [admin, ...rivals]) await grantRole(ctx, await find(id), adminRole);
    const [first, second] = [await find(rivals[0].id), await find(rivals[1].id)];
    const outcomes = await Promise.allSettled([
      revokeRole(ctx, await find(admin.id), adminRole),
      round % 2 ? revokeRole(ctx, first, adminRole) : auth.users.disable(first.id),
      round % 3 ? revokeRole(ctx, second, adminRole) : auth.users.disable(second.id),
    ]);
    expect(await activeAdmins(), `round ${round}`).toBeGreaterThanOrEqual(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'last_admin' });
  }
  await User.update({ disabledAt: null }, { where: { id: admin.id } });
  await grantRole(ctx, await find(admin.id), adminRole);
  for (const { id } of rivals) await User.destroy({ where: { id } });
});

it('keeps an admin when the last two delete themselves at once over HTTP (Z-12)', async () => {
  for (let round = 0; round < rounds(5, 50); round++) {
    const pair = await Promise.all([register({}, 'admin'), register({}, 'admin')]);
    await User.update({ disabledAt: new Date() }, { where: { id: admin.id } });
    const answers = await Promise.all(
      pair.map((each) => each.ask('DELETE', '/me', { body: { password } })),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 409]);
    expect(await activeAdmins()).toBe(1);
    await User.update({ disabledAt: null }, { where: { id: admin.id } });
    for (const { id } of pair) await User.destroy({ where: { id } });
  }
});
