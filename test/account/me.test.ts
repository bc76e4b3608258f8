import { expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { SECOND, wait } from '#test/support/clock';

const { ask, url, register, logIn, User, UserRole, Session } = await startApp();
const alice = await register({ username: 'Alice', email: 'alice@example.com', name: 'Alice' });
const bob = await register({ username: 'bob' });
const row = async (id: string) => (await User.findByPk(id))!.toJSON();

it.each([
  ['GET', '/me', undefined],
  ['PATCH', '/me', { name: 'x' }],
  ['PATCH', '/me', { roles: ['admin'] }],
  ['DELETE', '/me', { password }],
])(
  'asks strangers who they are before it reads what they want: %s %s (Z-05)',
  async (method, path, body) => {
    expect(await ask(method, path, { body })).toMatchObject({
      status: 401,
      body: { code: 'token_missing' },
    });
  },
);

it.each([
  ['role', 'admin'],
  ['roles', ['admin']],
  ['id', bob.id],
  ['email', 'other@example.com'],
  ['emailVerified', true],
  ['password', 'a new password'],
  ['tokenEpoch', 1],
  ['createdAt', '2000-01-01T00:00:00.000Z'],
  ['updatedAt', '2000-01-01T00:00:00.000Z'],
  ['disabled', true],
  ['disabledAt', '2000-01-01T00:00:00.000Z'],
])('refuses to change %s, and changes nothing beside it (Z-03)', async (field, value) => {
  const before = await row(alice.id);
  for (const body of [{ [field]: value }, { name: 'Changed', [field]: value }]) {
    const answer = await alice.ask('PATCH', '/me', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toContainEqual({
      pointer: `/${field}`,
      code: 'unknown_field',
      message: expect.any(String),
    });
  }
  expect(await row(alice.id)).toEqual(before);
});

it.each([
  'passwordHash',
  'password_hash',
  'usernameCanonical',
  'username_canonical',
  'emailCanonical',
])('refuses to change the column %s (Z-03)', async (column) => {
  const before = await row(alice.id);
  // Not through `ask`: the answer names the field that was sent, and the oracle knows these names.
  const { status } = await fetch(`${url}/me`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${alice.token}` },
    body: JSON.stringify({ name: 'Changed', [column]: 'x' }),
  });
  expect(status).toBe(400);
  expect(await row(alice.id)).toEqual(before);
});

it.each([
  ['nothing', {}],
  ['a list', []],
  ['a name of 10 kB (N-15)', { name: 'a'.repeat(10_000) }],
  ['an empty name', { name: '' }],
  ['a name that is a number', { name: 1 }],
  ['a name that is a list', { name: ['a'] }],
  ['no username', { username: null }],
  ['an empty username', { username: '' }],
  ['a reserved username (N-17)', { username: 'Admin' }],
  ['an address as a username (N-22)', { username: 'bob@example.com' }],
  ['a mixed-script username (N-11)', { username: 'аlice' }],
])('refuses %s as a change', async (_what, body) => {
  const before = await row(alice.id);
  expect(await alice.ask('PATCH', '/me', { body })).toMatchObject({
    status: 400,
    body: { code: 'invalid_request' },
  });
  expect(await row(alice.id)).toEqual(before);
});

it.each(['bob', 'BOB', ' Bob '])(
  'does not give somebody the name %j of somebody else',
  async (username) => {
    expect(await alice.ask('PATCH', '/me', { body: { username, name: 'Changed' } })).toMatchObject({
      status: 409,
      body: { code: 'username_taken' },
    });
    expect(await row(alice.id)).toMatchObject({ username: 'Alice', name: 'Alice' });
  },
);

it('gives a free name to one of two who want it at once', async () => {
  const rivals = await Promise.all([register(), register(), register()]);
  const answers = await Promise.all(
    rivals.map((rival) => rival.ask('PATCH', '/me', { body: { username: 'Contested' } })),
  );
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 409, 409]);
});

it('changes names, answers the user, and lets them in by the new name and not by the old one', async () => {
  const carol = await register({ username: 'carol' });
  const { status, body } = await carol.ask('PATCH', '/me', {
    body: { username: 'Caroline', name: '  “C” 🦊' },
  });
  expect(status).toBe(200);
  expect(body).toEqual({
    ...carol.tokens.user,
    locale: null,
    permissions: [],
    actor: null,
    username: 'Caroline',
    name: '  “C” 🦊',
  });
  expect((await carol.ask('GET', '/me')).body).toEqual(body);
  expect((await logIn('caroline')).status).toBe(200);
  expect((await logIn('carol')).status).toBe(401);
  expect((await carol.ask('PATCH', '/me', { body: { username: 'CAROLINE' } })).body.username).toBe(
    'CAROLINE',
  );
  expect((await carol.ask('PATCH', '/me', { body: { name: null } })).body).toEqual({
    ...body,
    username: 'CAROLINE',
    name: null,
  });
});

it('answers exactly the documented members (Z-19, G-13)', async () => {
  const loner = await register({ name: 'No role' });
  await UserRole.destroy({ where: { userId: loner.id } });
  const { status, body } = await loner.ask('GET', '/me');
  expect(status).toBe(200);
  expect(body).toEqual({
    id: loner.id,
    username: loner.username,
    email: null,
    emailVerified: false,
    locale: null,
    name: 'No role',
    roles: [],
    permissions: [],
    actor: null,
  });
  expect(await loner.ask('GET', '/admin/users')).toMatchObject({
    status: 403,
    body: { code: 'forbidden', required: ['users:read'] },
  });
});

it.each([
  ['GET', `/users/${bob.id}`],
  ['PATCH', `/users/${bob.id}`],
  ['DELETE', `/users/${bob.id}`],
  ['GET', '/users/01890000-0000-7000-8000-000000000000'],
  ['GET', `/me/${bob.id}`],
])('knows no path to somebody else: %s %s (Z-08)', async (method, path) => {
  expect((await alice.ask(method, path)).status).toBe(404);
});

it.each([
  ['a wrong password', { password: 'not the password' }, 401, 'invalid_credentials'],
  ['an empty password', { password: '' }, 400, 'invalid_request'],
  ['a password that is a list', { password: [password] }, 400, 'invalid_request'],
  ['somebody else’s id', { password, id: bob.id }, 400, 'invalid_request'],
  ['nothing that says so', {}, 400, 'invalid_request'],
  ['no body at all', undefined, 400, 'invalid_request'],
  ['another word', { confirm: 'yes' }, 400, 'invalid_request'],
  ['a word that is true', { confirm: true }, 400, 'invalid_request'],
])('does not delete with %s (P-18)', async (_what, body, status, code) => {
  expect(await alice.ask('DELETE', '/me', { body })).toMatchObject({ status, body: { code } });
  expect((await alice.ask('GET', '/me')).status).toBe(200);
});

// What URL parsers and proxies make of a path whose id is empty, `.` or `..`.
it.each(['/me/', '/me/sessions/', '/me/api-keys/', '/me/identities/', '/admin/users/', '/auth/'])(
  'does nothing at DELETE %s, with any body',
  async (path) => {
    const eve = await register({}, 'admin');
    const other = (await logIn(eve.username)).body.accessToken as string;
    for (const body of [undefined, {}, { password }, { confirm: 'delete' }])
      expect(await eve.ask('DELETE', path, { ...(body && { body }) })).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    expect((await ask('GET', '/me', { token: other })).status).toBe(200);
  },
);

it.each(['sessions', 'api-keys', 'identities', 'sessions/x/../..', 'sessions/%2e%2e/.'])(
  'deletes nobody at DELETE /me/%s/.., as a URL parser sends it',
  async (path) => {
    const eve = await register();
    const { pathname } = new URL(`http://x/me/${path}/..`);
    expect([400, 404]).toContain((await eve.ask('DELETE', pathname)).status);
    expect((await eve.ask('GET', '/me')).status).toBe(200);
  },
);

it('asks for a password five minutes after signing in, or for proving anew who you are', async () => {
  const guest = await register();
  wait(301 * SECOND);
  expect((await guest.ask('DELETE', '/me', { body: { confirm: 'delete' } })).body).toMatchObject({
    status: 403,
    code: 'step_up_required',
    action: 'step_up',
  });
  expect(
    (await guest.ask('POST', '/auth/reauthenticate', { body: { password: 'not the password' } }))
      .body.code,
  ).toBe('invalid_credentials');
  expect((await guest.ask('DELETE', '/me', { body: { confirm: 'delete' } })).status).toBe(403);
  expect((await guest.ask('POST', '/auth/reauthenticate', { body: { password } })).status).toBe(
    204,
  );
  wait(290 * SECOND);
  expect((await guest.ask('DELETE', '/me', { body: { confirm: 'delete' } })).status).toBe(204);
  expect(await User.findByPk(guest.id)).toBeNull();
  vi.useRealTimers();
});

it('does not delete by a wrong password who has none', async () => {
  const guest = await register();
  await User.update({ passwordHash: null }, { where: { id: guest.id } });
  expect((await guest.ask('DELETE', '/me', { body: { password } })).status).toBe(401);
});

it('deletes for good: session and sign-in are over, rows are gone, the name is free, others stay', async () => {
  const dora = await register({ username: 'Dora' });
  const second = (await logIn('dora')).body.accessToken as string;
  const answer = await dora.ask('DELETE', '/me', { body: { password } });
  expect(answer).toMatchObject({ status: 204, text: '' });
  for (const token of [dora.token, second])
    expect(await ask('GET', '/me', { token })).toMatchObject({
      status: 401,
      body: { code: 'session_ended' },
    });
  expect((await logIn('dora')).status).toBe(401);
  expect(await Session.count({ where: { userId: dora.id } })).toBe(0);
  expect(await UserRole.count({ where: { userId: dora.id } })).toBe(0);
  const heir = await register({ username: 'dora' });
  expect(heir.id).not.toBe(dora.id);
  expect((await bob.ask('GET', '/me')).status).toBe(200);
});

it('deletes once when asked twice at once', async () => {
  const eve = await register();
  const answers = await Promise.all(
    [1, 2, 3].map(() => eve.ask('DELETE', '/me', { body: { password } })),
  );
  expect(
    answers.map(({ status }) => status).filter((status) => status !== 204 && status !== 401),
  ).toEqual([]);
  expect(await User.findByPk(eve.id)).toBeNull();
});
