import { afterEach, describe, expect, it, vi } from 'vitest';
import { enter, expectSaid, member, startAdapters, frontEnds } from '#test/support/compat';

const grokonez = frontEnds[2]!;
const app = await startAdapters('grokonez');
const { say, grant, unusedName, User, Role } = app;
afterEach(() => {
  vi.useRealTimers();
});

const signUp = (json: unknown) => say('POST', '/api/auth/signup', { json });
const board = (name: string, headers: Record<string, string> = {}) =>
  say('GET', `/api/test/${name}`, { headers });
const newcomer = (fields: object = {}, username = unusedName()) => ({
  username,
  ...grokonez.newcomer(username),
  ...fields,
});
const signedIn = () => member(app, grokonez, unusedName());

it('finds its role PM made', async () => {
  expect(await Role.count({ where: { name: 'pm' } })).toBe(1);
});

describe('POST /api/auth/signup', () => {
  it.each([
    ['that asks for no roles', {}],
    ['that asks for none by name', { roles: [] }],
    ['that asks for USER', { roles: ['USER'] }],
    ['that asks for user, twice', { roles: ['user', 'User'] }],
    ['that asks for it in one field', { roles: 'user' }],
  ])('takes a sign-up %s', async (_what, more) => {
    const fields = newcomer(more);
    await expectSaid(signUp(fields), 200, 'User registered successfully!');
    expect((await enter(app, grokonez, fields.username)).signedIn.body.user.roles).toEqual([
      { name: 'USER' },
    ]);
  });

  it.each([
    ['a username that is taken', { username: 'ADA' }, 'Fail -> Username is already taken!'],
    [
      'an e-mail address that is taken',
      { email: 'ADA@example.com' },
      'Fail -> Email is already in use!',
    ],
    [
      'both: it hears of the username',
      { username: 'ada', email: 'ada@example.com' },
      'Fail -> Username is already taken!',
    ],
    ['a role that is not there', { roles: ['user', 'root'] }, 'Fail -> Does NOT exist Role = root'],
    [
      'a taken name and no such role: it hears of the name',
      { username: 'ada', roles: ['root'] },
      'Fail -> Username is already taken!',
    ],
    ['a short password', { password: 'xq7!' }, 'Fail -> Password: Use at least 8 characters.'],
    [
      'a common password',
      { password: 'password1' },
      'Fail -> Password: This is one of the first passwords that are tried.',
    ],
    ['no name', { name: undefined }, 'Fail -> Please fill in your name.'],
    ['no username', { username: undefined }, 'Fail -> Please fill in your username.'],
    ['no e-mail address', { email: undefined }, 'Fail -> Please fill in your e-mail address.'],
    ['no password', { password: undefined }, 'Fail -> Please fill in your password.'],
  ])('refuses %s', async (_what, fields, text) => {
    await signUp(newcomer({ username: 'ada', email: 'ada@example.com' }));
    const before = await User.count();
    await expectSaid(signUp(newcomer(fields)), 400, text);
    expect(await User.count()).toBe(before);
  });

  it.each(['PM', 'pm', 'ADMIN', 'Admin', 'admin'])(
    'refuses the role %s, which is not for strangers',
    async (role) => {
      await expectSaid(
        signUp(newcomer({ roles: [role] })),
        403,
        'Fail -> You are not allowed to do this.',
      );
    },
  );
});

describe('POST /api/auth/signin', () => {
  it('hands out a token, and says who came', async () => {
    const { signedIn: answer, fields, where } = await signedIn();
    const { id } = (await User.findOne({ where }))!;
    const { username, email } = fields;
    const accessToken = expect.stringMatching(/^ey/);
    expect(answer.body).toEqual({
      auth: true,
      accessToken,
      user: { id, username, email, roles: [{ name: 'USER' }] },
    });
    await grant(where, 'pm');
    await grant(where, 'admin');
    const { user } = (await enter(app, grokonez, username!)).signedIn.body;
    expect(user.roles).toEqual([{ name: 'ADMIN' }, { name: 'PM' }, { name: 'USER' }]);
  });
});

describe('the boards', () => {
  it('are open to members, to project managers, to administrators', async () => {
    const may = { user: 'User Content Page', pm: 'Management Board', admin: 'Admin Board' };
    const no = { pm: 'Require PM or Admin Roles!', admin: 'Require Admin Role!' };
    const people = [
      { role: undefined, sees: ['user'] },
      { role: 'moderator', sees: ['user'] },
      { role: 'pm', sees: ['user', 'pm'] },
      { role: 'admin', sees: ['user', 'pm', 'admin'] },
    ];
    for (const { role, sees } of people) {
      const { headers, where, fields } = await signedIn();
      if (role) await grant(where, role);
      const { name, username, email } = fields;
      const user = {
        name,
        username,
        email,
        roles: [...(role ? [role.toUpperCase()] : []), 'USER'],
      };
      for (const path of ['user', 'pm', 'admin'] as const)
        if (sees.includes(path))
          await expectSaid(board(path, headers), 200, { description: may[path], user });
        else await expectSaid(board(path, headers), 403, no[path as 'pm' | 'admin']);
    }
  });

  it('refuse in the same words however the path is written', async () => {
    const { headers } = await signedIn();
    for (const path of ['pm/', 'PM', 'Pm/'])
      await expectSaid(board(path, headers), 403, 'Require PM or Admin Roles!');
    await expectSaid(board('ADMIN', headers), 403, 'Require Admin Role!');
    await expectSaid(say('GET', '/API/test/pm', { headers }), 403, 'Require PM or Admin Roles!');
  });

  const none = { auth: false, message: 'No token provided.' };
  const bad = { auth: false, message: 'Fail to Authentication.' };
  it.each<[string, (token: string) => Record<string, string>, number, unknown]>([
    ['none', () => ({}), 403, none],
    ['an empty one', () => ({ 'x-access-token': ' ' }), 403, none],
    ['one in Authorization', (token) => ({ authorization: `Bearer ${token}` }), 403, none],
    ['one that is none', () => ({ 'x-access-token': 'x' }), 401, bad],
    ['one of two words', (token) => ({ 'x-access-token': `${token} x` }), 401, bad],
    [
      'a bad one with a good one in Authorization',
      (token) => ({ 'x-access-token': 'x', authorization: `Bearer ${token}` }),
      401,
      bad,
    ],
  ])('refuse a token: %s', async (_what, headers, status, body) => {
    const { token } = await signedIn();
    for (const name of ['user', 'pm', 'admin'])
      await expectSaid(board(name, headers(token)), status, body);
  });

  it('refuse a token that expired, and care for no other header', async () => {
    const { token, headers } = await signedIn();
    for (const authorization of ['', 'Bearer x', 'Basic YTpi'])
      expect((await board('user', { ...headers, authorization })).status).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    await expectSaid(board('user', { 'x-access-token': token }), 401, bad);
  });
});
