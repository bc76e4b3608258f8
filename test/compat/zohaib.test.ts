import { afterEach, describe, expect, it, vi } from 'vitest';
import { expectSaid, member, startAdapters, frontEnds } from '#test/support/compat';

const zohaib = frontEnds[3]!;
const app = await startAdapters('zohaib');
const { say, ask, register, unusedName, User } = app;
afterEach(() => {
  vi.useRealTimers();
});

const signUp = (json: unknown) => say('POST', '/users', { json });
const me = (authorization?: string) =>
  say('GET', '/users/me', { headers: authorization === undefined ? {} : { authorization } });
const newcomer = (fields: object = {}, name = unusedName()) => ({
  email: '',
  ...zohaib.newcomer(name),
  ...fields,
});
const signedIn = () => member(app, zohaib, unusedName());
const error = (text: string) => ({ error: text });
const stamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('POST /users', () => {
  it('answers with the user, and no more', async () => {
    const { first_name, last_name, email, password } = newcomer({
      first_name: 'Ada',
      last_name: 'Lovelace',
    }) as Record<string, string>;
    const told = {
      id: expect.any(String),
      first_name,
      last_name,
      email,
      createdAt: stamp,
      updatedAt: stamp,
    };
    const { body } = await expectSaid(
      signUp({ first_name, last_name, email, password }),
      201,
      told,
    );
    expect((await User.findOne({ where: { email: email! } }))!.id).toBe(body.id);
  });

  it.each([
    ['Mary Ann', 'van der Berg'],
    ['Ada', 'Lovelace'],
    ['Ana\u00a0Maria', 'de\u00a0la Cruz'],
    ['李', '小龍'],
    ['x'.repeat(50), 'y'.repeat(49)],
  ])('keeps the names %s and %s apart', async (first_name, last_name) => {
    const fields = newcomer({ first_name, last_name });
    const seen = {
      first_name: first_name.replaceAll('\u00a0', ' '),
      last_name: last_name.replaceAll('\u00a0', ' '),
    };
    expect((await signUp(fields)).body).toMatchObject(seen);
    const { body } = await say('POST', '/users/login', { json: fields });
    expect((await me(`jwt ${body.token}`)).body).toMatchObject(seen);
  });

  it.each([
    ['an address that is taken', { email: 'ADA@example.com' }, 'User already exists'],
    ['a short password', { password: 'xq7!' }, 'Password: Use at least 8 characters.'],
    [
      'a common password',
      { password: 'password1' },
      'Password: This is one of the first passwords that are tried.',
    ],
    ['no first name', { first_name: undefined }, 'Please fill in your first name.'],
    ['no last name', { last_name: undefined }, 'Please fill in your last name.'],
    ['no e-mail address', { email: undefined }, 'Please fill in your e-mail address.'],
    ['no password', { password: undefined }, 'Please fill in your password.'],
    [
      'what is no e-mail address',
      { email: 'ada' },
      'E-mail address: This is not an e-mail address.',
    ],
  ])('refuses %s', async (_what, fields, text) => {
    await signUp(newcomer({ email: 'ada@example.com' }));
    const before = await User.count();
    await expectSaid(signUp(newcomer(fields)), 400, error(text));
    expect(await User.count()).toBe(before);
  });
});

it('POST /users/login hands out a token', async () => {
  expect((await signedIn()).signedIn.body).toEqual({ token: expect.stringMatching(/^ey/) });
});

describe('GET /users/me', () => {
  it('tells who you are, whatever the scheme', async () => {
    const { token, fields } = await signedIn();
    const { first_name, last_name, email } = fields;
    const told = {
      id: expect.any(String),
      first_name,
      last_name,
      email,
      createdAt: stamp,
      updatedAt: stamp,
    };
    for (const scheme of ['Bearer', 'bearer', 'JWT', 'jwt', 'Token', 'x'])
      await expectSaid(me(`${scheme} ${token}`), 200, told);
  });

  it('knows users who have one name, or none', async () => {
    const one = await register({ name: 'Ada King Lovelace' });
    const none = await register({ email: 'none@example.com' });
    expect((await me(`Bearer ${one.token}`)).body).toMatchObject({
      first_name: 'Ada King',
      last_name: 'Lovelace',
      email: null,
    });
    expect((await me(`Bearer ${none.token}`)).body).toMatchObject({
      first_name: null,
      last_name: null,
      email: 'none@example.com',
    });
    await one.ask('PATCH', '/me', { body: { name: 'Ada' } });
    expect((await me(`Bearer ${one.token}`)).body).toMatchObject({
      first_name: 'Ada',
      last_name: null,
    });
    expect((await ask('GET', '/me', { token: one.token })).body.name).toBe('Ada');
  });

  const no = { msg: 'Couldnt Authenticate' };
  it.each([
    ['none', () => undefined],
    ['an empty header', () => ''],
    ['a scheme alone', () => 'Bearer'],
    ['a token alone', (token: string) => token],
    ['a token and a word more', (token: string) => `Bearer ${token} x`],
    ['one that is none', () => 'Bearer x'],
    ['a name and a password', () => 'Basic YTpi'],
    ['one that is too long', () => `Bearer ${'e'.repeat(5000)}`],
  ])('refuses a token: %s', async (_what, header) => {
    const { token } = await signedIn();
    await expectSaid(me(header(token)), 401, no);
  });

  it('reads no other header, and refuses a token that expired', async () => {
    const { token } = await signedIn();
    await expectSaid(say('GET', '/users/me', { headers: { 'x-access-token': token } }), 401, no);
    vi.useFakeTimers({ toFake: ['Date'] }).setSystemTime(Date.now() + 86_400_000);
    await expectSaid(me(`Bearer ${token}`), 401, no);
  });
});
