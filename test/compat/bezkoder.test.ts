import { afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { enter, expectSaid, member, startAdapters, frontEnds } from '#test/support/compat';

const [bezkoder] = frontEnds;
const app = await startAdapters('bezkoder');
const { say, ask, grant, unusedName, User } = app;
afterEach(() => {
  vi.useRealTimers();
});

const message = (text: unknown) => ({ message: text });
const signUp = (json: unknown) => say('POST', '/api/auth/signup', { json });
const board = (name: string, headers: Record<string, string> = {}) =>
  say('GET', `/api/test/${name}`, { headers });
const refresh = (json: unknown) => say('POST', '/api/auth/refreshtoken', { json });
const newcomer = (fields: object = {}, username = unusedName()) => ({
  username,
  ...bezkoder!.newcomer(username),
  ...fields,
});
const signedIn = () => member(app, bezkoder!, unusedName());

it('greets', () => expectSaid(say('GET', '/'), 200, message('Welcome to Sallyport.')));

describe('POST /api/auth/signup', () => {
  const ada = newcomer({ username: 'Ada', email: 'ada@example.com' });

  it.each([
    ['that asks for no roles', {}],
    ['that asks for none by name', { roles: [] }],
    ['that asks for the role everybody has', { roles: ['user'] }],
    ['that asks for it in one field', { roles: 'user' }],
  ])('takes a sign-up %s', async (_what, more) => {
    const fields = newcomer(more);
    await expectSaid(signUp(fields), 201, message('User registered successfully!'));
    expect((await enter(app, bezkoder!, fields.username)).signedIn.body.roles).toEqual([
      'ROLE_USER',
    ]);
  });

  it.each([
    ['a username that is taken', { username: 'ADA' }, 'Failed! Username is already in use!'],
    [
      'an e-mail address that is taken',
      { email: 'ADA@example.com' },
      'Failed! Email is already in use!',
    ],
    [
      'both: it hears of the username',
      { username: 'ada', email: 'ada@example.com' },
      'Failed! Username is already in use!',
    ],
    ['a role that is not there', { roles: ['user', 'root'] }, 'Failed! Role does not exist = root'],
    [
      'a taken name and no such role: it hears of the name',
      { username: 'ada', roles: ['root'] },
      'Failed! Username is already in use!',
    ],
    ['a short password', { password: 'xq7!' }, 'Password: Use at least 8 characters.'],
    [
      'a common password',
      { password: 'password1' },
      'Password: This is one of the first passwords that are tried.',
    ],
    ['no username', { username: undefined }, 'Please fill in your username.'],
    ['no e-mail address', { email: undefined }, 'Please fill in your e-mail address.'],
    ['no password', { password: undefined }, 'Please fill in your password.'],
    ['a reserved name', { username: 'admin' }, 'Username: This name is reserved.'],
    [
      'what is no e-mail address',
      { email: 'ada' },
      'E-mail address: This is not an e-mail address.',
    ],
  ])('refuses %s', async (_what, fields, sentence) => {
    await signUp(ada);
    const before = await User.count();
    await expectSaid(signUp(newcomer(fields)), 400, message(sentence));
    expect(await User.count()).toBe(before);
  });

  it('refuses a role that is not for strangers', async () => {
    await expectSaid(
      signUp(newcomer({ roles: ['moderator'] })),
      403,
      message('You are not allowed to do this.'),
    );
  });
});

describe('POST /api/auth/signin', () => {
  it('hands out both tokens', async () => {
    const { signedIn: answer, fields } = await signedIn();
    const { id } = (await User.findOne({ where: { email: fields.email! } }))!;
    const { username, email } = fields;
    const tokens = {
      accessToken: expect.stringMatching(/^ey/),
      refreshToken: expect.stringMatching(/^rt1\./),
    };
    expect(answer.body).toEqual({ id, username, email, roles: ['ROLE_USER'], ...tokens });
  });

  it('names every role', async () => {
    const { fields, where } = await signedIn();
    await grant(where, 'moderator');
    await grant(where, 'admin');
    const { body } = (await enter(app, bezkoder!, fields.username!)).signedIn;
    expect(body.roles).toEqual(['ROLE_ADMIN', 'ROLE_MODERATOR', 'ROLE_USER']);
  });

  it('takes the e-mail address for a username too', async () => {
    const { email } = (await signedIn()).fields;
    expect(
      (await say('POST', '/api/auth/signin', { json: { username: email, password } })).status,
    ).toBe(200);
  });
});

describe('the boards', () => {
  const noToken = [403, message('No token provided!')] as const;
  const bad = [401, message('Unauthorized!')] as const;

  it('are open to everybody, to members, to moderators, to administrators', async () => {
    await expectSaid(board('all'), 200, 'Public Content.');
    const may = { user: 'User Content.', mod: 'Moderator Content.', admin: 'Admin Content.' };
    const no = { mod: message('Require Moderator Role!'), admin: message('Require Admin Role!') };
    const people = [
      { role: undefined, sees: ['user'] },
      { role: 'moderator', sees: ['user', 'mod'] },
      { role: 'admin', sees: ['user', 'mod', 'admin'] },
    ];
    for (const { role, sees } of people) {
      const { headers, where } = await signedIn();
      if (role) await grant(where, role);
      for (const name of ['user', 'mod', 'admin'] as const)
        if (sees.includes(name)) await expectSaid(board(name, headers), 200, may[name]);
        else await expectSaid(board(name, headers), 403, no[name as 'mod' | 'admin']);
    }
  });

  it('find the token in either header, the scheme in any case; one good one is enough', async () => {
    const { token } = await signedIn();
    for (const headers of [
      { 'x-access-token': token },
      { authorization: `Bearer ${token}` },
      { authorization: `bearer ${token}` },
      { authorization: `BEARER ${token}` },
      { 'x-access-token': '', authorization: `Bearer ${token}` },
      { 'x-access-token': '  ', authorization: `Bearer ${token}` },
      { 'x-access-token': token, authorization: '' },
      { 'x-access-token': token, authorization: 'Bearer ' },
      { 'x-access-token': token, authorization: 'Bearer x' },
      { 'x-access-token': token, authorization: 'Basic YTpi' },
      { 'x-access-token': 'x', authorization: `Bearer ${token}` },
      { 'x-access-token': token, authorization: `Bearer ${token}` },
    ])
      await expectSaid(board('user', headers), 200, 'User Content.');
  });

  it.each<[string, Record<string, string>, readonly [number, unknown]]>([
    ['none', {}, noToken],
    ['an empty one', { 'x-access-token': '' }, noToken],
    ['two empty ones', { 'x-access-token': '', authorization: '' }, noToken],
    ['a scheme alone', { authorization: 'Bearer' }, noToken],
    ['another scheme', { authorization: 'Basic YTpi' }, noToken],
    ['null, as clients write it', { 'x-access-token': 'null' }, bad],
    ['one that is none', { 'x-access-token': 'x' }, bad],
    ['one of two words', { 'x-access-token': 'a b' }, bad],
    ['two that are none', { 'x-access-token': 'x', authorization: 'Bearer y' }, bad],
    ['one that is too long', { 'x-access-token': 'e'.repeat(5000) }, bad],
  ])('refuse a token: %s', async (_what, headers, [status, body]) => {
    for (const name of ['user', 'mod', 'admin'])
      await expectSaid(board(name, headers), status, body);
  });

  it('tell a token that expired from others', async () => {
    const { headers, token } = await signedIn();
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    const expired = message('Unauthorized! Access Token was expired!');
    await expectSaid(board('user', headers), 401, expired);
    await expectSaid(board('admin', { authorization: `Bearer ${token}` }), 401, expired);
    const fresh = await signedIn();
    await expectSaid(
      board('user', { 'x-access-token': token, authorization: `Bearer ${fresh.token}` }),
      200,
      'User Content.',
    );
  });
});

describe('POST /api/auth/refreshtoken', () => {
  const unknown = message('Refresh token is not in database!');
  const over = message('Refresh token was expired. Please make a new signin request');

  it.each([
    ['no body', undefined, 'Refresh Token is required!'],
    ['none', {}, 'Refresh Token is required!'],
    ['null', { refreshToken: null }, 'Refresh Token is required!'],
    ['an empty one', { refreshToken: '' }, 'Refresh Token is required!'],
    ['a list', { refreshToken: ['x'] }, 'Refresh Token is required!'],
    [
      'one of the tutorial',
      { refreshToken: 'a0c4d3b8-6a4c-4a53-a3a6-2f0a8a6d1b55' },
      unknown.message,
    ],
  ])('answers 403, never 401: %s', async (_what, json, sentence) => {
    await expectSaid(refresh(json), 403, message(sentence));
  });

  it('answers 403 for one that was damaged, ended or expired', async () => {
    const { body } = (await signedIn()).signedIn;
    const { refreshToken } = body;
    await expectSaid(refresh({ refreshToken: `${refreshToken}A` }), 403, unknown);
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 14 * 86_400_000);
    await expectSaid(refresh({ refreshToken }), 403, over);
    vi.useRealTimers();
    await say('POST', '/api/auth/signout', { json: { refreshToken } });
    await expectSaid(refresh({ refreshToken }), 403, over);
  });

  it('hands out a new access token, and the same refresh token', async () => {
    const { refreshToken, accessToken } = (await signedIn()).signedIn.body;
    const { body } = await expectSaid(refresh({ refreshToken }), 200, {
      accessToken: expect.stringMatching(/^ey/),
      refreshToken,
    });
    expect(body.accessToken).not.toBe(accessToken);
    await expectSaid(board('user', { 'x-access-token': body.accessToken }), 200, 'User Content.');
    await expectSaid(board('user', { 'x-access-token': accessToken }), 200, 'User Content.');
    const form = { refreshToken };
    await expectSaid(say('POST', '/api/auth/refreshtoken', { form }), 200, {
      accessToken: expect.any(String),
      refreshToken,
    });
  });
});

describe('POST /api/auth/signout', () => {
  const out = message("You've been signed out!");

  it.each<
    [
      string,
      (held: { accessToken: string; refreshToken: string }) => {
        json?: unknown;
        headers?: Record<string, string>;
      },
    ]
  >([
    ['x-access-token', ({ accessToken }) => ({ headers: { 'x-access-token': accessToken } })],
    [
      'x-access-token, beside none',
      ({ accessToken }) => ({
        headers: { 'x-access-token': accessToken },
        json: { refreshToken: null },
      }),
    ],
    [
      'Authorization',
      ({ accessToken }) => ({ headers: { authorization: `bearer ${accessToken}` }, json: {} }),
    ],
    [
      'the second header, when the first holds none',
      ({ accessToken }) => ({
        headers: { 'x-access-token': 'x', authorization: `Bearer ${accessToken}` },
      }),
    ],
    ['the body', ({ refreshToken }) => ({ json: { refreshToken } })],
  ])('ends the session whose token is in %s', async (_where, how) => {
    const { signedIn: answer, headers } = await signedIn();
    await expectSaid(say('POST', '/api/auth/signout', how(answer.body)), 200, out);
    await expectSaid(board('user', headers), 401, message('Unauthorized!'));
    expect((await ask('GET', '/me', { token: answer.body.accessToken })).body.code).toBe(
      'session_ended',
    );
  });

  it('accepts somebody who is not signed in', () =>
    expectSaid(say('POST', '/api/auth/signout'), 200, out));
});
