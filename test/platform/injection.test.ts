import { beforeEach, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';

const { ask, register, User, Role, Session } = await startApp();
const ada = await register({ username: 'ada', email: 'ada@example.com' });
const admin = await register({ username: 'chief' }, 'admin');
const json = { 'content-type': 'application/json' };

let rows: number[];
const counted = () => Promise.all([User.count(), Role.count(), Session.count()]);
beforeEach(async () => {
  rows = await counted();
});
const expectNothingHappened = async () => {
  expect(await counted()).toEqual(rows);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
};

const sql = [
  "' OR 1=1-- ",
  "' OR '1'='1",
  '" OR ""="',
  "\\' OR 1=1 -- ",
  "');DROP TABLE users;--",
  ');--',
  "ada'--",
  "ada' /*",
  "ada'; SELECT(SLEEP(5)); --",
  "' UNION SELECT(1) -- ",
  '`',
  ':id',
  '$1',
  '?',
  '\u00bf\u0027 OR 1=1',
  "'||(SELECT(1))||'",
];

it.each(sql)('takes %j for text wherever it stands (I-01)', async (text) => {
  for (const field of ['identifier', 'username', 'email'])
    expect((await ask('POST', '/auth/login', { body: { [field]: text, password } })).status).toBe(
      401,
    );
  expect(
    (await ask('POST', '/auth/login', { body: { identifier: 'ada', password: text } })).status,
  ).toBe(401);
  expect((await ask('POST', '/auth/register', { body: { username: text, password } })).status).toBe(
    400,
  );
  expect(
    (
      await ask('POST', '/auth/register', {
        body: { email: `${text}@b.example`, password: 'short' },
      })
    ).status,
  ).toBeGreaterThanOrEqual(400);
  expect((await ada.ask('PATCH', '/me', { body: { username: text } })).status).toBe(400);
  expect((await ada.ask('DELETE', '/me', { body: { password: text } })).status).toBe(401);
  for (const name of ['cursor', 'role', 'limit'])
    expect(
      (await admin.ask('GET', `/admin/users?${name}=${encodeURIComponent(text)}`)).status,
    ).toBe(400);
  expect((await admin.ask('GET', `/admin/users?q=${encodeURIComponent(text)}`)).body).toEqual({
    data: [],
    nextCursor: null,
  });
  await expectNothingHappened();
  const { status, body } = await ada.ask('PATCH', '/me', { body: { name: text } });
  expect(status).toBe(200);
  expect(body.name).toBe(text);
});

const notText: [what: string, value: unknown][] = [
  ['an operator, $gt (I-02)', { $gt: '' }],
  ['an operator, $ne (I-02)', { $ne: null }],
  ['an operator, gt (I-02)', { gt: '' }],
  ['an operator, or (I-02)', { or: [] }],
  ['a literal (I-02)', { val: '1=1' }],
  ['a list (I-04)', ['ada', 'chief']],
  ['a list of one (I-04)', ['ada']],
  ['zero (I-06)', 0],
  ['true (I-06)', true],
  ['null (I-07)', null],
  ['something with a toString', { toString: 'ada', length: 5 }],
  ['something with a length', { length: 5 }],
];

it.each(notText)('refuses %s in every field that is text', async (_what, value) => {
  const asked = [
    ...['identifier', 'username', 'email'].map((field) =>
      ask('POST', '/auth/login', { body: { [field]: value, password } }),
    ),
    ask('POST', '/auth/login', { body: { identifier: 'ada', password: value } }),
    ask('POST', '/auth/login', { body: { identifier: value, password: value } }),
    ask('POST', '/auth/login', { body: { identifier: 'ada', password, device: { name: value } } }),
    ask('POST', '/auth/login', { body: { identifier: 'ada', password, device: { kind: value } } }),
    ...['username', 'email', 'password', 'name'].map((field) =>
      ask('POST', '/auth/register', { body: { username: 'eve', password, [field]: value } }),
    ),
    ada.ask('PATCH', '/me', { body: { username: value } }),
    ...(value === null ? [] : [ada.ask('PATCH', '/me', { body: { name: value } })]),
    ada.ask('DELETE', '/me', { body: { password: value } }),
  ];
  for (const { status, body } of await Promise.all(asked))
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  await expectNothingHappened();
});

it.each([
  '{"__proto__":{"isAdmin":true}}',
  '{"__proto__":{"roles":["admin"],"password":"x"}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"prototype":{"isAdmin":true}}',
  '{"toString":"x"}',
  '{"hasOwnProperty":"x"}',
  '{"__defineGetter__":"x"}',
  '{"__proto__":null}',
])('refuses %s in every body, and no object changes by it (I-10)', async (extra) => {
  const merged = (body: object) => `{${extra.slice(1, -1)},${JSON.stringify(body).slice(1)}`;
  const cases: [method: string, path: string, body: object][] = [
    ['POST', '/auth/login', { identifier: 'ada', password }],
    ['POST', '/auth/register', { username: 'eve', password }],
    ['PATCH', '/me', { name: 'Eve' }],
    ['DELETE', '/me', { password }],
  ];
  for (const [method, path, body] of cases) {
    const answer = await ada.ask(method, path, { raw: merged(body), headers: json });
    expect([method, path, answer.status]).toEqual([method, path, 400]);
  }
  const device = `{"identifier":"ada","password":"${password}","device":${extra}}`;
  expect((await ask('POST', '/auth/login', { raw: device, headers: json })).status).toBe(400);
  await expectNothingHappened();
});

it('does not read a missing field from the prototype of what was sent (I-10)', async () => {
  const raw = `{"__proto__":{"password":"${password}"},"identifier":"ada"}`;
  expect((await ask('POST', '/auth/login', { raw, headers: json })).status).toBe(400);
});

it.each([
  'foo=1',
  'a[__proto__][x]=1',
  '__proto__[isAdmin]=1',
  '__proto__=1',
  'constructor[prototype][isAdmin]=1',
  'page=1&page=2',
  'token=x',
  'access_token=x',
  'callback=alert',
  '_method=DELETE',
  'limit=1',
])('refuses ?%s where no query is documented (I-12, C-14)', async (query) => {
  for (const [method, path] of [
    ['GET', '/livez'],
    ['GET', '/readyz'],
    ['GET', '/me'],
  ] as const)
    expect((await ada.ask(method, `${path}?${query}`)).status).toBe(400);
  for (const path of ['/auth/login', '/auth/register'])
    expect(
      (
        await ask('POST', `${path}?${query}`, {
          body: { identifier: 'ada', username: undefined, password },
        })
      ).status,
    ).toBe(400);
  await expectNothingHappened();
});

it('repeats no value and no strange key of what was refused', async () => {
  const answer = await ask('POST', '/auth/register', {
    body: {
      username: 'canary-value!',
      email: 'canary-value',
      password: 'canary-value',
      '<b>canary-key</b>': 1,
      'canary key': 1,
    },
  });
  expect(answer.status).toBe(400);
  expect(answer.text).not.toContain('canary');
});

it('lets nobody in by a method or a token in another place', async () => {
  for (const headers of [{ 'x-http-method-override': 'DELETE' }, { 'x-method-override': 'PATCH' }])
    expect((await ada.ask('GET', '/me', { headers })).status).toBe(200);
  expect(
    (
      await ask('GET', '/me', {
        headers: { cookie: `token=${ada.token}; access_token=${ada.token}` },
      })
    ).status,
  ).toBe(401);
  expect((await ask('GET', '/me', { headers: { 'x-access-token': ada.token } })).status).toBe(401);
  await expectNothingHappened();
});
