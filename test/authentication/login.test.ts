import bcrypt from 'bcrypt';
import { expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import type { Answer } from '#test/support/client';
import { rawRequest, jsonRequest } from '#test/support/raw-socket';

const { ask, auth, url, register, logIn, User, Session } = await startApp();

const ada = await register({ username: 'Ada', email: 'Ada.Lovelace@Example.com' });
const gone = await register({ username: 'gone' });
await auth.users.disable(gone.id);
const invited = await register({ username: 'invited' });
await User.update({ passwordHash: null }, { where: { id: invited.id } });
const imported = await register({ username: 'imported' });
await User.update({ passwordHash: '{SSHA}of another system' }, { where: { id: imported.id } });

/** What a stranger can compare: everything but what names this one request. */
const comparable = ({ status, headers, text, body }: Answer) => {
  const { 'x-request-id': _id, date: _date, ...rest } = Object.fromEntries(headers);
  return { status, headers: rest, text: text.replace(body.requestId, '') };
};
const refused = comparable(await logIn('ada', 'not her password'));

it.each([
  ['an unknown name', 'nobody', password],
  ['an unknown address', 'nobody@example.com', password],
  ['the right password of a disabled user', 'gone', password],
  ['the wrong password of a disabled user', 'gone', 'not the password'],
  ['a user without a password', 'invited', password],
  ['a hash that nobody here understands', 'imported', password],
  ['a name that can be nobody’s', '<script>', password],
  ['an address that can be nobody’s', 'a@b@c@', password],
  ['an id in place of a name', ada.id, password],
  ['a password that is longer by a space', 'ada', `${password} `],
  ['a password in another case', 'ada', password.toUpperCase()],
  ['half a character', 'ada', '\ud800'],
  ['NUL after the password', 'ada', `${password}\u0000`],
  ['a name with NUL after it', 'ada\u0000', password],
  ['a name with a line end after it', 'ada\n', password],
])(
  'answers the same bytes for %s as for a wrong password (L-01)',
  async (_what, identifier, secret) => {
    expect(comparable(await logIn(identifier, secret))).toEqual(refused);
    expect(refused).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="sallyport"' },
    });
    expect(refused.text).toContain('"code":"invalid_credentials"');
  },
);

it.each([
  ['a wrong password', 'ada'],
  ['an unknown name', 'nobody'],
  ['a name that can be nobody’s', '<script>'],
  ['a disabled user', 'gone'],
  ['a user without a password', 'invited'],
  ['a hash that nobody here understands', 'imported'],
])('compares one hash of today’s cost for %s (L-02)', async (_what, identifier) => {
  const compare = vi.spyOn(bcrypt, 'compare');
  await logIn(identifier, 'not the password');
  expect(compare).toHaveBeenCalledTimes(1);
  expect(compare.mock.lastCall![1]).toMatch(/^\$2b\$04\$/);
  compare.mockRestore();
});

it.each([
  ['in the URL and nowhere else', `?identifier=ada&password=${password}`, undefined],
  ['in the URL beside a body', `?identifier=ada&password=${password}`, {}],
  ['half in the URL', `?password=${password}`, { identifier: 'ada' }],
  ['in both, rightly', `?identifier=ada&password=${password}`, { identifier: 'ada', password }],
])('does not read credentials %s (L-14)', async (_where, query, body) => {
  expect(await ask('POST', `/auth/login${query}`, { body })).toMatchObject({
    status: 400,
    body: { code: 'invalid_request' },
  });
});

it.each([
  ['application/x-www-form-urlencoded', `identifier=ada&password=${password}`],
  [
    'multipart/form-data; boundary=x',
    `--x\r\nContent-Disposition: form-data; name="identifier"\r\n\r\nada\r\n--x--`,
  ],
  ['text/plain', JSON.stringify({ identifier: 'ada', password })],
])('does not read %s (L-15)', async (type, raw) => {
  expect(
    await ask('POST', '/auth/login', { raw, headers: { 'content-type': type } }),
  ).toMatchObject({
    status: 415,
    body: { code: 'unsupported_media_type' },
  });
});

it('refuses a password of 5 000 characters, or of a megabyte, before any hashing (L-17)', async () => {
  const compare = vi.spyOn(bcrypt, 'compare');
  expect(await logIn('ada', 'x'.repeat(5000))).toMatchObject({ status: 400 });
  const megabyte = JSON.stringify({ identifier: 'ada', password: 'x'.repeat(1_000_000) });
  const { answers, closed } = await rawRequest(url, jsonRequest('POST', '/auth/login', megabyte));
  expect(answers.map(({ status }) => status)).toEqual([413]);
  expect(closed).toBe(true);
  expect(compare).not.toHaveBeenCalled();
  compare.mockRestore();
});

it.each([
  ['no name', { password }, '/identifier', 'required'],
  ['two names', { identifier: 'ada', username: 'ada', password }, '/identifier', 'required'],
  [
    'a name and an address',
    { username: 'ada', email: 'ada.lovelace@example.com', password },
    '/identifier',
    'required',
  ],
  ['no password', { identifier: 'ada' }, '/password', 'required'],
  ['an empty name', { identifier: '', password }, '/identifier', 'too_small'],
  ['an endless name', { identifier: 'a'.repeat(513), password }, '/identifier', 'too_big'],
  ['an empty password', { identifier: 'ada', password: '' }, '/password', 'too_small'],
  ['an unknown field', { identifier: 'ada', password, admin: true }, '/admin', 'unknown_field'],
  [
    'an unknown field of the device',
    { identifier: 'ada', password, device: { id: '1' } },
    '/device/id',
    'unknown_field',
  ],
  [
    'a device that is a list',
    { identifier: 'ada', password, device: [] },
    '/device',
    'invalid_type',
  ],
  ['a list', [], '', 'invalid_type'],
])('refuses %s, and says which field it was (N-16)', async (_what, body, pointer, code) => {
  const answer = await ask('POST', '/auth/login', { body });
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', action: 'fix_request' },
  });
  expect(answer.body.errors).toContainEqual({ pointer, code, message: expect.any(String) });
  expect(answer.text).not.toContain(password);
});

it.each([
  ['identifier', 'Ada'],
  ['identifier', 'ADA'],
  ['identifier', '  ada '],
  ['identifier', 'ada.lovelace@example.com'],
  ['identifier', ' ADA.LOVELACE@EXAMPLE.COM '],
  ['username', 'ada'],
  ['email', 'Ada.Lovelace@Example.com'],
])('lets somebody in by %s %j', async (field, name) => {
  const { status, body } = await ask('POST', '/auth/login', { body: { [field]: name, password } });
  expect(status).toBe(200);
  expect(body.user).toEqual(ada.tokens.user);
});

it('never takes somebody’s address for somebody else’s name (N-22)', async () => {
  const bob = await register({ username: 'bob.example', email: 'bob@example.com' });
  expect((await logIn('bob@example.com')).body.user.id).toBe(bob.id);
  expect(
    await ask('POST', '/auth/register', { body: { username: 'bob@example.com', password } }),
  ).toMatchObject({ status: 400 });
});

it.each<[string, object, object]>([
  ['an unknown kind', { kind: 'fridge' }, { kind: null }],
  ['an endless name', { name: 'x'.repeat(5000) }, { name: 'x'.repeat(64) }],
  [
    'a name whose cut would halve a sign',
    { name: `${'x'.repeat(63)}😀` },
    { name: 'x'.repeat(63) },
  ],
  ['a name that nobody sees', { name: '\u0000\n' }, { name: null }],
  ['an empty name', { name: '' }, { name: null }],
  ['an endless platform', { platform: 'y'.repeat(500) }, { platform: 'y'.repeat(32) }],
])('lets in a device with %s', async (_what, device, shown) => {
  const { status, body } = await ask('POST', '/auth/login', {
    body: { identifier: 'ada', password, device },
  });
  expect(status).toBe(200);
  const sessions = await ask('GET', '/me/sessions', { token: body.accessToken });
  expect(sessions.body.data[0].device).toMatchObject(shown);
});

it('answers exactly the documented members, sets no cookie and may not be stored (L-22)', async () => {
  const { status, headers, body } = await ask('POST', '/auth/login', {
    body: { identifier: 'ada', password, device: { kind: 'mobile', name: 'Ada’s ☎' } },
  });
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('set-cookie')).toBeNull();
  expect(Object.keys(body)).toEqual(
    expect.arrayContaining(['tokenType', 'accessToken', 'expiresIn', 'session', 'user']),
  );
  const documented = [
    'accessToken',
    'expiresIn',
    'refreshExpiresIn',
    'refreshToken',
    'session',
    'tokenType',
    'user',
  ];
  expect(Object.keys(body).filter((key) => !documented.includes(key))).toEqual([]);
  expect(Object.keys(body.session).sort()).toEqual([
    'acr',
    'amr',
    'authTime',
    'createdAt',
    'expiresAt',
    'id',
    'strategy',
  ]);
  expect(Object.keys(body.user).sort()).toEqual([
    'email',
    'emailVerified',
    'id',
    'name',
    'roles',
    'username',
  ]);
  const stored = await Session.findByPk(body.session.id);
  expect(stored).toMatchObject({
    strategy: 'local',
    deviceKind: 'mobile',
    deviceName: 'Ada’s ☎',
    userId: ada.id,
  });
});

it('lets a user in again who was switched on again', async () => {
  await auth.users.enable(gone.id);
  expect((await logIn('gone')).status).toBe(200);
  await auth.users.disable(gone.id);
  expect((await logIn('gone')).status).toBe(401);
});
