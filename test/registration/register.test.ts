import bcrypt from 'bcrypt';
import { expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';

const { ask, url, logIn, unusedName, User, UserRole, Role } = await startApp();
const signUp = (body: object) => ask('POST', '/auth/register', { body });
const named = (more: object) => signUp({ username: unusedName(), password, ...more });

it('makes nobody an admin who came by HTTP, not even the first of all (N-19)', async () => {
  expect(await User.count()).toBe(0);
  const { status, body } = await signUp({ username: 'first', password });
  expect(status).toBe(201);
  expect(body.user.roles).toEqual(['user']);
});

it.each([
  ['role', 'admin'],
  ['roles', ['admin']],
  ['isAdmin', true],
  ['admin', true],
  ['id', '01890000-0000-7000-8000-000000000000'],
  ['emailVerified', true],
  ['emailVerifiedAt', '2026-01-01T00:00:00.000Z'],
  ['disabledAt', null],
  ['createdAt', '2000-01-01T00:00:00.000Z'],
  ['tokenEpoch', 0],
  ['foo', 1],
])('refuses the field %s and makes nobody (Z-01, N-16)', async (field, value) => {
  const before = await User.count();
  const answer = await named({ [field]: value });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect(answer.body.errors).toEqual([
    { pointer: `/${field}`, code: 'unknown_field', message: expect.any(String) },
  ]);
  expect(await User.count()).toBe(before);
});

it.each([
  'passwordHash',
  'password_hash',
  'usernameCanonical',
  'emailCanonical',
  'email_verified_at',
])('refuses the name of a column, %s (Z-01)', async (column) => {
  const before = await User.count();
  // Not through `ask`: the answer names the field that was sent, and the oracle knows these names.
  const { status } = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: unusedName(), password, [column]: 'x' }),
  });
  expect(status).toBe(400);
  expect(await User.count()).toBe(before);
});

it.each([
  [1234567890123456],
  [true],
  [null],
  [[]],
  [{}],
  [['correct horse battery']],
  [{ toString: 'x' }],
])('refuses %j as a password (P-15)', async (value) => {
  const { status, body } = await named({ password: value });
  expect(status).toBe(400);
  expect(body.errors[0]).toMatchObject({ pointer: '/password', code: 'invalid_type' });
});

it.each([
  ['no name at all', {}, '/username', 'required'],
  ['null for names', { username: null, email: null }, '/username', 'invalid_type'],
  ['one letter', { username: 'a' }, '/username', 'length'],
  ['65 letters', { username: 'a'.repeat(65) }, '/username', 'length'],
  ['65 letters in 4 bytes each', { username: '𝐚'.repeat(65) }, '/username', 'length'],
  [
    'a name that unfolds to more than 64 letters',
    { username: '㎒'.repeat(22) },
    '/username',
    'length',
  ],
  ['513 letters', { username: 'a'.repeat(513) }, '/username', 'too_big'],
  ['nothing but spaces', { username: '   ' }, '/username', 'length'],
  ['a space inside', { username: 'ada lovelace' }, '/username', 'characters'],
  ['an address as a username (N-22)', { username: 'ada@example.com' }, '/username', 'characters'],
  ['an address in full width (N-22)', { username: 'ada＠example.com' }, '/username', 'characters'],
  ['NUL after a name (N-12)', { username: 'ada\u0000' }, '/username', 'characters'],
  ['a line end after a name (N-12)', { username: 'ada\n' }, '/username', 'characters'],
  ['a tab after a name (N-12)', { username: 'ada\t' }, '/username', 'characters'],
  ['a soft hyphen', { username: 'a\u00adda' }, '/username', 'characters'],
  ['a zero-width space', { username: 'ada\u200b' }, '/username', 'characters'],
  ['a right-to-left override', { username: 'ada\u202e' }, '/username', 'characters'],
  ['an invisible variation selector', { username: 'ada\ufe0f' }, '/username', 'characters'],
  ['an invisible grapheme joiner', { username: 'a\u034fda' }, '/username', 'characters'],
  ['an invisible Hangul filler', { username: 'ada\u3164' }, '/username', 'characters'],
  ['half a surrogate pair', { username: 'ada\ud800' }, '/username', 'characters'],
  ['markup', { username: '<b>ada' }, '/username', 'characters'],
  ['a Cyrillic а among Latin letters (N-11)', { username: 'аdmin' }, '/username', 'mixed_script'],
  ['a Greek ο among Latin letters (N-11)', { username: 'rοot' }, '/username', 'mixed_script'],
  ['no address', { email: 'nobody' }, '/email', 'email'],
  ['an address with a line end after it (N-12)', { email: 'a@b.example\n' }, '/email', 'email'],
  ['an address with a tab after it (N-12)', { email: 'a@b.example\t' }, '/email', 'email'],
  ['an address with NUL after it (N-12)', { email: 'a@b.example\u0000' }, '/email', 'email'],
  [
    'a header after an address (N-13)',
    { email: 'a@b.example\r\nBcc: x@y.example' },
    '/email',
    'email',
  ],
  ['two addresses (N-13)', { email: 'a@b.example,x@y.example' }, '/email', 'email'],
  ['an address in angle brackets (N-13)', { email: '<a@b.example>' }, '/email', 'email'],
  ['an address with %0a (N-13)', { email: 'a%0aBcc:x@b.example' }, '/email', 'email'],
  [
    'an address of 255 characters (N-15)',
    { email: `a@${'b'.repeat(61)}.${'c'.repeat(61)}.${'d'.repeat(61)}.${'e'.repeat(59)}.example` },
    '/email',
    'email',
  ],
  [
    '65 characters before the @ (N-15)',
    { email: `${'a'.repeat(65)}@b.example` },
    '/email',
    'email',
  ],
  [
    'a letter before the @ that is k only in lower case (N-09)',
    { email: '\u212aate@b.example' },
    '/email',
    'email',
  ],
  ['ı before the @ (N-09)', { email: 'ıda@b.example' }, '/email', 'email'],
  ['an address in quotes', { email: '"a b"@b.example' }, '/email', 'email'],
  ['an address at a number', { email: 'a@[127.0.0.1]' }, '/email', 'email'],
  ['10 kB of name (N-15)', { username: 'ada', name: 'a'.repeat(10_000) }, '/name', 'too_big'],
  ['an empty display name', { username: 'ada', name: '' }, '/name', 'too_small'],
  [
    'a line end in a display name',
    { username: 'ada', name: 'Ada\r\nSubject: x' },
    '/name',
    'custom',
  ],
  ['half a character in a display name', { username: 'ada', name: '\ud800' }, '/name', 'custom'],
])('refuses %s', async (_what, fields, pointer, code) => {
  const answer = await signUp({ password, ...fields });
  expect(answer, answer.text).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  const reasons = answer.body.errors.map((error: { pointer: string; code: string }) => [
    error.pointer,
    error.code,
  ]);
  expect(reasons).toContainEqual([pointer, code === 'custom' ? expect.any(String) : code]);
});

it.each([
  'admin',
  'Admin',
  'ADMIN',
  'ad.min',
  '_admin',
  'a-d-m-i-n',
  'admín',
  'ADMİN',
  'admın',
  'adm1n',
  'ａｄｍｉｎ',
  'administrator',
  'moderator',
  'root',
  'r00t',
  'system',
  'sуѕtеm',
  'ѕуѕтем',
  'null',
  'NULL',
  'undefined',
  'me',
  'sallyport',
])('keeps the name %s from strangers, however it is written (N-11, N-17)', async (username) => {
  const answer = await signUp({ username, password });
  expect(answer.status, answer.text).toBe(400);
  expect(['reserved', 'mixed_script', 'characters']).toContain(answer.body.errors[0].code);
});

it.each([
  ['7 characters', 'wxq7zkv', 'too_short'],
  ['7 characters of two UTF-16 units each', '𝔵𝔮𝔷𝔨𝔳𝔧𝔴', 'too_short'],
  ['a common one (P-04)', 'password1', 'too_common'],
  ['a common one in capitals (P-04)', 'QWERTYUIOP', 'too_common'],
  ['a common one in full width (P-04)', 'ｐａｓｓｗｏｒｄ', 'too_common'],
  ['the username (P-05)', 'grace.hopper', 'contains_name'],
  ['the username and a year (P-05)', 'Grace.Hopper1906', 'contains_name'],
  ['the address (P-05, P-17)', 'rear.admiral@navy.example', 'contains_name'],
  ['the local part and a few more (P-05)', 'rear.admiral!!', 'contains_name'],
  ['the display name (P-05)', 'Amazing2026', 'contains_name'],
  ['this server (P-05)', 'sallyport1', 'contains_name'],
  ['a role (P-05)', 'moderator!', 'contains_name'],
])('refuses as a password %s', async (_what, secret, code) => {
  const answer = await signUp({
    username: 'grace.hopper',
    email: 'rear.admiral@navy.example',
    name: 'Amazing Grace',
    password: secret,
  });
  expect(answer).toMatchObject({ status: 422, body: { code: 'weak_password' } });
  expect(answer.body.errors.map((error: { code: string }) => error.code)).toContain(code);
  expect(answer.body.errors[0].pointer).toBe('/password');
  expect(answer.text).not.toContain(secret);
});

it.each([
  ['64 characters (P-02)', 'the quick brown fox jumps over the lazy dog and is not tired yet'],
  ['small letters and spaces (P-03)', 'only small letters here'],
  ['16 random digits (P-03)', '8305719264410357'],
  ['letters of other writing systems', 'пароль длинный'],
  ['emoji', '🦊🐙🦉🐝🦔🦀🐢🐳'],
  ['spaces around it', '  spaced out  '],
  ['1024 characters', 'marmalade otter '.repeat(64)],
])('takes as a password %s', async (_what, secret) => {
  const { status, body } = await named({ password: secret });
  expect(status).toBe(201);
  expect((await logIn(body.user.username, secret)).status).toBe(200);
  expect((await logIn(body.user.username, `${secret} `)).status).toBe(
    secret.length === 1024 ? 400 : 401,
  );
});

it.each([
  ['username', 'Grete', ['grete', 'GRETE', ' grete ', 'ｇｒｅｔｅ']],
  [
    'email',
    'Grete@Example.com',
    [
      'grete@example.com',
      'GRETE@EXAMPLE.COM',
      ' grete@example.com',
      'grete@example.com ',
      'grete@ｅxample.com',
    ],
  ],
] as const)(
  'knows a taken %s again however it is written, and tells nothing of the database (N-01, N-02, N-03, G-03)',
  async (field, first, others) => {
    expect((await signUp({ [field]: first, password })).status).toBe(201);
    for (const other of others) {
      const answer = await signUp({ [field]: other, password });
      expect(answer, other).toMatchObject({
        status: 409,
        body: { code: `${field}_taken`, action: 'fix_request' },
      });
      expect(Object.keys(answer.body).sort()).toEqual([
        'action',
        'code',
        'requestId',
        'status',
        'title',
        'type',
      ]);
      expect(answer.text.toLowerCase()).not.toMatch(/unique|constraint|index|grete/);
    }
  },
);

it.each([
  ['a dot', 'a.bee@example.com', 'abee@example.com'],
  ['a tag', 'cee+1@example.com', 'cee@example.com'],
  ['a subdomain', 'dee@example.com', 'dee@mail.example.com'],
])('takes addresses that differ by %s for two people (N-21)', async (_what, one, other) => {
  expect((await signUp({ email: one, password })).status).toBe(201);
  expect((await signUp({ email: other, password })).status).toBe(201);
});

it.each([
  ['username', { username: 'Racer' }],
  ['email', { email: 'Racer@example.com' }],
])(
  'lets one of 50 win who want one %s at once, and refuses 49 with 409 (N-04)',
  async (field, names) => {
    const users = await User.count();
    // The gate would say `busy` to most of 50 honest hashes: this is about the database, so hashing takes no time here.
    const hash = await bcrypt.hash(password, 4);
    const instant = vi
      .spyOn(bcrypt, 'hash')
      .mockImplementation(() => Promise.resolve(hash) as never);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => signUp({ ...names, password })),
    );
    instant.mockRestore();
    const of = (status: number) => answers.filter((answer) => answer.status === status).length;
    expect({ won: of(201), busy: of(503), taken: of(409) }).toEqual({
      won: 1,
      busy: of(503),
      taken: 49 - of(503),
    });
    expect(of(409)).toBeGreaterThanOrEqual(9); // of ten in line, on one processor
    expect(await User.count()).toBe(users + 1);
    expect(
      answers
        .filter(({ status }) => status === 409)
        .every(({ body }) => body.code === `${field}_taken`),
    ).toBe(true);
    expect((await logIn(Object.values(names)[0]!)).status).toBe(200);
  },
);

it('says which of two names is taken, and keeps neither', async () => {
  await signUp({ username: 'taken.name', email: 'taken@example.com', password });
  expect(
    (await signUp({ username: 'taken.name', email: 'free@example.com', password })).body.code,
  ).toBe('username_taken');
  expect(
    (await signUp({ username: 'free.name', email: 'taken@example.com', password })).body.code,
  ).toBe('email_taken');
  expect(
    (await signUp({ username: 'free.name', email: 'free@example.com', password })).status,
  ).toBe(201);
});

it('answers exactly the documented members, and the new user has one role (N-23)', async () => {
  const { status, body } = await signUp({
    username: 'Exact',
    email: 'Exact@Example.com',
    name: 'Exact',
    password,
  });
  expect(status).toBe(201);
  expect(body.user).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    username: 'Exact',
    email: 'Exact@Example.com',
    emailVerified: false,
    name: 'Exact',
    roles: ['user'],
  });
  expect(Object.keys(body.session).sort()).toEqual([
    'acr',
    'amr',
    'authTime',
    'createdAt',
    'expiresAt',
    'id',
    'strategy',
  ]);
  const roles = await UserRole.findAll({ where: { userId: body.user.id } });
  expect(roles).toHaveLength(1);
  expect((await Role.findByPk(roles[0]!.roleId))!.name).toBe('user');
});

it.each([
  'O’Brien "Bob" \\ \' ` ; --',
  '𝕏 🦊 👩‍👩‍👧‍👦',
  'שלום עליכם',
  'ʻOkina',
  'e\u0301 and \u00e9',
  '%s %d ${7*7} {{7*7}}',
  '  kept  ',
])('keeps the display name %j to the byte (I-14, I-18)', async (name) => {
  const { status, body } = await named({ name });
  expect(status).toBe(201);
  const me = await ask('GET', '/me', { token: body.accessToken });
  expect(Buffer.from(me.body.name)).toEqual(Buffer.from(name));
});

it('looks for a taken name before it spends a hash, and again after', async () => {
  const [username, email] = [unusedName(), `${unusedName()}@example.com`];
  expect((await named({ username, email })).status).toBe(201);
  const hash = vi.spyOn(bcrypt, 'hash');
  expect((await named({ username })).body.code).toBe('username_taken');
  expect((await named({ username: unusedName(), email })).body.code).toBe('email_taken');
  expect(hash).not.toHaveBeenCalled();
  const same = unusedName();
  const answers = await Promise.all([1, 2, 3].map(() => named({ username: same })));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
  hash.mockRestore();
});
