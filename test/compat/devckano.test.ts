import { afterEach, describe, expect, it, vi } from 'vitest';
import { enter, expectSaid, member, startAdapters, frontEnds } from '#test/support/compat';

const devckano = frontEnds[4]!;
const app = await startAdapters('devckano');
const { say, grant, unusedName, User } = app;
afterEach(() => {
  vi.useRealTimers();
});

const signUp = (json: unknown) => say('POST', '/register', { json });
const open = (path: string, authorization?: string) =>
  say('GET', path, { headers: authorization === undefined ? {} : { authorization } });
const newcomer = (fields: object = {}, name = unusedName()) => ({
  ...devckano.newcomer(name),
  ...fields,
});
const signedIn = () => member(app, devckano, unusedName());
const msg = (text: string) => ({ msg: text });
const stamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const person = (name: unknown) => ({
  id: expect.any(String),
  name,
  createdAt: stamp,
  updatedAt: stamp,
});

describe('POST /register', () => {
  it('answers with the user, and no more', async () => {
    const fields = newcomer({}, 'Grace');
    const { body } = await expectSaid(signUp(fields), 200, {
      user: person('Grace'),
      msg: 'account created successfully',
    });
    expect((await User.findByPk(body.user.id))!.username).toBe('Grace');
  });

  it.each([
    ['a name that is taken', { name: 'ADA' }, 'name is already taken'],
    ['a short password', { password: 'xq7!' }, 'Password: Use at least 8 characters.'],
    [
      'a common password',
      { password: 'password1' },
      'Password: This is one of the first passwords that are tried.',
    ],
    ['no name', { name: undefined }, 'Please fill in your name.'],
    ['no password', { password: undefined }, 'Please fill in your password.'],
    ['a reserved name', { name: 'root' }, 'Name: This name is reserved.'],
  ])('refuses %s', async (_what, fields, text) => {
    await signUp(newcomer({}, 'ada'));
    const before = await User.count();
    await expectSaid(signUp(newcomer(fields)), 400, msg(text));
    expect(await User.count()).toBe(before);
  });
});

it('POST /login hands out a token', async () => {
  expect((await signedIn()).signedIn.body).toEqual({
    msg: 'ok',
    token: expect.stringMatching(/^ey/),
  });
});

describe('GET /protected', () => {
  it('lets members in, the scheme in any case', async () => {
    const { token } = await signedIn();
    const told = msg('Congrats! You are seeing this because you are authorized');
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer '])
      await expectSaid(open('/protected', `${scheme} ${token}`), 200, told);
  });

  it.each([
    ['none', () => undefined],
    ['an empty header', () => ''],
    ['a scheme alone', () => 'Bearer'],
    ['a token alone', (token: string) => token],
    ['another scheme', (token: string) => `JWT ${token}`],
    ['one that is none', () => 'Bearer x'],
    ['a token and a word more', (token: string) => `Bearer ${token} x`],
    ['one that is too long', () => `Bearer ${'e'.repeat(5000)}`],
  ])('refuses a token: %s', async (_what, header) => {
    const { token } = await signedIn();
    await expectSaid(open('/protected', header(token)), 401, 'Unauthorized');
    await expectSaid(open('/users', header(token)), 401, 'Unauthorized');
  });

  it('reads no other header, and refuses a token that expired', async () => {
    const { token } = await signedIn();
    await expectSaid(
      say('GET', '/protected', { headers: { 'x-access-token': token } }),
      401,
      'Unauthorized',
    );
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    await expectSaid(open('/protected', `Bearer ${token}`), 401, 'Unauthorized');
  });
});

describe('GET /users', () => {
  it('is for administrators', async () => {
    const { token, where } = await signedIn();
    await expectSaid(
      open('/users', `Bearer ${token}`),
      403,
      msg('You are not allowed to do this.'),
    );
    await grant(where, 'moderator');
    await expectSaid(
      open('/users', `Bearer ${token}`),
      403,
      msg('You are not allowed to do this.'),
    );
  });

  it('tells them everybody, and nobody’s password', async () => {
    await app.register({ email: 'nameless@example.com' });
    const { where } = await signedIn();
    await grant(where, 'admin');
    const { token } = await enter(app, devckano, (where as { username: string }).username);
    const everybody = await User.findAll({ order: ['id'] });
    const { text } = await expectSaid(
      open('/users', `Bearer ${token}`),
      200,
      everybody.map(({ id, username }) => ({ ...person(username), id })),
    );
    for (const { passwordHash } of everybody) expect(text).not.toContain(passwordHash);
  });
});
