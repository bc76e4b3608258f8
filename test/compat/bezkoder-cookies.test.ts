import { afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import {
  COOKIE,
  cookieOf,
  expectSaid,
  member,
  startAdapters,
  frontEnds,
  type Answer,
} from '#test/support/compat';

const cookies = frontEnds[1]!;
const app = await startAdapters('bezkoder-cookies');
const { say, ask, grant, unusedName, User } = app;
afterEach(() => {
  vi.useRealTimers();
});

const message = (text: unknown) => ({ message: text });
const board = (name: string, headers: Record<string, string> = {}) =>
  say('GET', `/api/test/${name}`, { headers });
const signedIn = () => member(app, cookies, unusedName());
const noToken = message('No token provided!');
const bad = message('Unauthorized!');

it('greets', () => expectSaid(say('GET', '/'), 200, message('Welcome to Sallyport.')));

describe('POST /api/auth/signup', () => {
  it('says what bezkoder says, and sets no cookie', async () => {
    const ada = cookies.newcomer('ada');
    const signUp = (more: object = {}) =>
      say('POST', '/api/auth/signup', { json: { ...ada, ...more } });
    const { headers } = await expectSaid(signUp(), 201, message('User registered successfully!'));
    expect(headers.getSetCookie()).toEqual([]);
    await expectSaid(signUp(), 400, message('Failed! Username is already in use!'));
    await expectSaid(signUp({ username: 'eve' }), 400, message('Failed! Email is already in use!'));
    const eve = { username: 'eve', email: 'eve@example.com' };
    await expectSaid(
      signUp({ ...eve, roles: ['root'] }),
      400,
      message('Failed! Role does not exist = root'),
    );
    await expectSaid(
      signUp({ ...eve, roles: ['admin'] }),
      403,
      message('You are not allowed to do this.'),
    );
    await expectSaid(
      signUp({ ...eve, password: 'xq7!' }),
      400,
      message('Password: Use at least 8 characters.'),
    );
    await expectSaid(
      signUp({ ...eve, password: undefined }),
      400,
      message('Please fill in your password.'),
    );
    expect(await User.count({ where: { username: 'eve' } })).toBe(0);
  });
});

describe('POST /api/auth/signin', () => {
  it('sets a cookie that ends with the browser, and tells no token', async () => {
    const { signedIn: answer, fields } = await signedIn();
    const { username, email } = fields;
    const { id } = (await User.findOne({ where: { username: username! } }))!;
    expect(answer.body).toEqual({ id, username, email, roles: ['ROLE_USER'] });
    const attributes = {
      Path: '/api',
      HttpOnly: 'HttpOnly',
      SameSite: 'Strict',
    };
    expect(cookieOf(answer)).toEqual({
      [COOKIE]: expect.stringMatching(/^ey[\w-]+(\.[\w-]+){2}$/),
      ...attributes,
    });
  });

  it('sets none for a wrong password', async () => {
    const { fields } = await signedIn();
    const json = { username: fields.username, password: `${password}!` };
    const { headers } = await expectSaid(
      say('POST', '/api/auth/signin', { json }),
      401,
      cookies.wrong,
    );
    expect(headers.getSetCookie()).toEqual([]);
  });
});

describe('the boards', () => {
  it('are open to everybody, to members, to moderators, to administrators', async () => {
    await expectSaid(board('all'), 200, 'Public Content.');
    const { headers, where } = await signedIn();
    await expectSaid(board('user', headers), 200, 'User Content.');
    await expectSaid(board('mod', headers), 403, message('Require Moderator Role!'));
    await expectSaid(board('admin', headers), 403, message('Require Admin Role!'));
    await grant(where, 'moderator');
    await expectSaid(board('mod', headers), 200, 'Moderator Content.');
    await expectSaid(board('admin', headers), 403, message('Require Admin Role!'));
    const admin = await signedIn();
    await grant(admin.where, 'admin');
    await expectSaid(board('mod', admin.headers), 200, 'Moderator Content.');
    await expectSaid(board('admin', admin.headers), 200, 'Admin Content.');
  });

  it('read the cookie alone', async () => {
    const { token, headers } = await signedIn();
    for (const other of [{ 'x-access-token': token }, { authorization: `Bearer ${token}` }]) {
      await expectSaid(board('user', other), 403, noToken);
      await expectSaid(board('user', { ...other, ...cookies.shown('x') }), 401, bad);
    }
    await expectSaid(
      board('user', { ...headers, authorization: 'Bearer x', 'x-access-token': 'x' }),
      200,
      'User Content.',
    );
    await expectSaid(
      board('user', { cookie: `a=b; ${headers['cookie']};c=d` }),
      200,
      'User Content.',
    );
  });

  it.each<[string, string, number, unknown]>([
    ['an empty one', `${COOKIE}=`, 403, noToken],
    ['another', 'theme=dark', 403, noToken],
    ['one whose name ends like it', `x${COOKIE}=ey`, 403, noToken],
    ['one that is no token', `${COOKIE}=x`, 401, bad],
    ['one of two words', `${COOKIE}=a b`, 401, bad],
    ['one with a % that means nothing', `${COOKIE}=%`, 401, bad],
    ['one that is too long', `${COOKIE}=${'e'.repeat(5000)}`, 401, bad],
  ])('refuse a cookie: %s', async (_what, cookie, status, body) => {
    for (const name of ['user', 'mod', 'admin'])
      await expectSaid(board(name, { cookie }), status, body);
  });

  it('say when it expired', async () => {
    const { headers } = await signedIn();
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    await expectSaid(
      board('user', headers),
      401,
      message('Unauthorized! Access Token was expired!'),
    );
  });
});

describe('POST /api/auth/signout', () => {
  const out = message("You've been signed out!");

  it('clears the cookie and ends the session', async () => {
    const { headers } = await signedIn();
    const answer = await expectSaid(say('POST', '/api/auth/signout', { headers }), 200, out);
    expect(cookieOf(answer)).toEqual({
      [COOKIE]: '',
      Path: '/api',
      Expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
      HttpOnly: 'HttpOnly',
      SameSite: 'Strict',
    });
    await expectSaid(board('user', headers), 401, bad);
  });

  it('ends it too when the token has expired', async () => {
    const { headers, where } = await signedIn();
    const user = (await User.findOne({ where, include: ['sessions'] }))!;
    const session = (user as unknown as { sessions: { id: string }[] }).sessions[0]!;
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    await expectSaid(say('POST', '/api/auth/signout', { headers }), 200, out);
    expect((await app.Session.findByPk(session.id))!.endedAt).not.toBeNull();
  });

  it('accepts somebody who is not signed in', async () => {
    await expectSaid(say('POST', '/api/auth/signout', { json: {} }), 200, out);
    await expectSaid(say('POST', '/api/auth/signout', { headers: cookies.shown('x') }), 200, out);
  });
});

it('opens nothing else with its cookie', async () => {
  const { headers, where } = await signedIn();
  await grant(where, 'admin');
  for (const path of ['/me', '/me/sessions', '/admin/users'])
    expect((await ask('GET', path, { headers })).body, path).toMatchObject({
      status: 401,
      code: 'token_missing',
    });
  expect((await ask('PATCH', '/me', { headers, body: { name: 'Eve' } })).status).toBe(401);
  await ask('POST', '/auth/logout', { headers, body: {} });
  await expectSaid(board('user', headers), 200, 'User Content.');
});

describe('POST /api/auth/refreshtoken', () => {
  const refresh = (headers: Record<string, string>, json?: object) =>
    say('POST', '/api/auth/refreshtoken', { headers, ...(json && { json }) });
  /** The cookies that an answer sets, as a browser sends them. */
  const jar = (answer: Answer) => ({
    cookie: answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; '),
  });

  it('sets a new access token by the cookie alone, again and again', async () => {
    const { signedIn: answer } = await signedIn();
    const headers = jar(answer);
    expect(headers.cookie).toMatch(/^bezkoder-session=ey\S+; bezkoder-refresh=rt1\.\S+$/);
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    await expectSaid(
      board('user', headers),
      401,
      message('Unauthorized! Access Token was expired!'),
    );
    for (const json of [undefined, {}]) {
      const refreshed = await expectSaid(
        refresh(headers, json),
        200,
        message('Token is refreshed successfully!'),
      );
      expect(cookieOf(refreshed)).toEqual({
        [COOKIE]: expect.stringMatching(/^ey/),
        Path: '/api',
        HttpOnly: 'HttpOnly',
        SameSite: 'Strict',
      });
      await expectSaid(board('user', jar(refreshed)), 200, 'User Content.');
    }
  });

  it('refuses with 403 and its own words, so that the front end signs out', async () => {
    const { signedIn: answer } = await signedIn();
    const headers = jar(answer);
    const required = message('Refresh Token is required!');
    for (const none of [{}, { cookie: 'bezkoder-refresh=' }, cookies.shown('x')])
      await expectSaid(refresh(none), 403, required);
    // A body is not where this client keeps its token. Two cookies of one name are none.
    await expectSaid(refresh({}, { refreshToken: 'rt1.x' }), 403, required);
    await expectSaid(refresh({ cookie: `${headers.cookie}; ${headers.cookie}` }), 403, required);
    await expectSaid(
      refresh({ cookie: 'bezkoder-refresh=x' }),
      403,
      message('Refresh token is not in database!'),
    );
    await say('POST', '/api/auth/signout', { headers });
    await expectSaid(
      refresh(headers),
      403,
      message('Refresh token was expired. Please make a new signin request'),
    );
  });
});

it('takes a cookie for none that was sent twice, even with one value', async () => {
  const { headers, token } = await signedIn();
  const twice = { cookie: `${headers['cookie']}; ${COOKIE}=${token}` };
  await expectSaid(board('user', twice), 403, noToken);
});

it('guesses nothing of two cookies of one name, and signs both out', async () => {
  const held = [await signedIn(), await signedIn()].map(({ signedIn: answer }) =>
    String(cookieOf(answer)[COOKIE]),
  );
  const both = { cookie: held.map((value) => `${COOKIE}=${value}`).join('; ') };
  await expectSaid(board('user', both), 403, noToken);
  await expectSaid(
    say('POST', '/api/auth/signout', { headers: both }),
    200,
    message("You've been signed out!"),
  );
  for (const value of held)
    await expectSaid(board('user', { cookie: `${COOKIE}=${value}` }), 401, bad);
});
