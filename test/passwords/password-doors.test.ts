import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { register as registerFromCommandLine } from '#src/registration/register';
import { NewUser } from '#src/users/schemas';
import { password, startApp } from '#test/support/app';
import { root, runProcess, settingsFor } from '#test/support/process';

const known = 'marmalade-otter-lantern-5';
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();
const suffix = sha1(known).slice(5);
const padding = Array.from({ length: 20 }, (_, i) => `${sha1(String(i)).slice(5)}:${i % 2}`);
const good: RequestListener = (_req, res) => res.end([...padding, `${suffix}:42`].join('\r\n'));

let answer = good;
const asked: { url: string | undefined; padding: unknown }[] = [];
const breaches = createServer((req, res) => {
  asked.push({ url: req.url, padding: req.headers['add-padding'] });
  answer(req, res);
});
await new Promise<void>((resolve) => {
  breaches.listen(0, '127.0.0.1', resolve);
});
afterAll(() => {
  breaches.closeAllConnections();
  breaches.close();
});
afterEach(() => {
  answer = good;
  asked.length = 0;
});

const app = await startApp({
  DIALECTS: 'bezkoder,zohaib,devckano',
  PASSWORD_MIN_SCORE: '3',
  PASSWORD_BREACH_URL: `http://127.0.0.1:${(breaches.address() as AddressInfo).port}/range/`,
});
const { ctx, ask, register, logIn, unusedName, User } = app;

/** Each tries to make `name` have this password, and answers why not, or nothing. */
const doors: Record<string, (name: string, chosen: string) => Promise<string>> = {
  'POST /auth/register': async (username, chosen) =>
    (await ask('POST', '/auth/register', { body: { username, password: chosen } })).text,
  'PUT /me/password': async (username, chosen) => {
    const user = await register({ username, email: `${username}@example.com` });
    asked.length = 0;
    return (
      await user.ask('PUT', '/me/password', {
        body: { currentPassword: password, newPassword: chosen },
      })
    ).text;
  },
  'register(), as the command line calls it': async (username, chosen) =>
    registerFromCommandLine(ctx, NewUser.parse({ username, password: chosen })).then(
      () => '',
      (error: { members?: unknown }) => JSON.stringify(error.members),
    ),
  bezkoder: (username, chosen) =>
    compat('/api/auth/signup', { username, email: `${username}@example.com`, password: chosen }),
  zohaib: (username, chosen) =>
    compat('/users', {
      first_name: 'Z',
      last_name: 'Y',
      email: `${username}@example.com`,
      password: chosen,
    }),
  devckano: (username, chosen) => compat('/register', { name: username, password: chosen }),
};
const compat = async (path: string, body: object) => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(app.url + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return `${response.status} ${await response.text()}`;
};
const REASONS: [code: string, sentence: string, chosen: (name: string) => string][] = [
  ['too_short', 'Use at least 8 characters', () => 'xq7!k'],
  ['too_common', 'first passwords that are tried', () => 'qwerty123'],
  ['contains_name', 'Without your own names', (name) => `${name}-x7q`],
  ['too_guessable', 'would be guessed soon', () => 'abcdefgh12345'],
  ['breached', 'known from a breach', () => known],
];
const hashes = async () =>
  (await User.findAll({ order: ['id'] })).map(({ id, passwordHash }) => [id, passwordHash]);

describe.each(Object.keys(doors))('%s', (door) => {
  it.each(REASONS)('refuses a password that is %s', async (code, sentence, chosen) => {
    const name = `long${unusedName()}`;
    const before = await hashes();
    const said = await doors[door]!(name, chosen(name));
    expect(said).toMatch(new RegExp(`"${code}"|${sentence}`));
    const after = await hashes();
    if (door !== 'PUT /me/password') expect(after).toEqual(before);
    else expect((await logIn(name)).status).toBe(200);
    expect(asked.map(({ url }) => url)).toEqual(
      code === 'breached' ? [`/range/${sha1(known).slice(0, 5)}`] : [],
    );
  });

  it('takes a good one', async () => {
    const name = `long${unusedName()}`;
    expect(await doors[door]!(name, 'violet harbor tin 94')).not.toMatch(/weak_password|"errors"/);
    expect(asked).toEqual([
      { url: `/range/${sha1('violet harbor tin 94').slice(0, 5)}`, padding: 'true' },
    ]);
  });
});

it('user create, on the command line, refuses what is known from a breach', async () => {
  const { PASSWORD_BREACH_URL, APP_SECRET } = app.env as Record<string, string>;
  const username = unusedName();
  const settings = settingsFor(app.databaseUrl, { APP_SECRET, PASSWORD_BREACH_URL });
  const { code, stderr } = await runProcess('cli', settings, {
    args: ['user', 'create', username],
    input: `${known}\n`,
  });
  expect([code, stderr]).toEqual([
    1,
    'This password is known from a breach elsewhere (password).\n',
  ]);
  expect(await User.count({ where: { username } })).toBe(0);
});

it('has no other door: each place that makes a hash of a new password asks first', () => {
  const files = globSync('{src,strategies}/**/*.ts', { cwd: root }).map(
    (file) => [file, readFileSync(root + file, 'utf8')] as const,
  );
  const making = files.filter(([, source]) => /\bpasswords\.hash\b/.test(source));
  expect(making.length).toBeGreaterThan(3);
  const without = making
    .filter(([, source]) => !/await requireStrong\(/.test(source))
    .map(([file]) => file);
  // Nobody chooses a password there: one is renewed, and those of a tutorial are imported.
  expect(without.sort()).toEqual([
    'src/import-export/import-tutorial.ts',
    'src/passwords/verify-credentials.ts',
  ]);
});

describe('PASSWORD_BREACH_URL', () => {
  const enter = (chosen: string) =>
    ask('POST', '/auth/register', { body: { username: unusedName(), password: chosen } });

  it.each<[string, RequestListener]>([
    ['is broken', (_req, res) => res.writeHead(500).end(`${suffix}:42`)],
    ['answers something else', (_req, res) => res.end('<html>sorry</html>')],
    ['sends elsewhere', (_req, res) => res.writeHead(302, { location: '/other' }).end()],
    ['hangs up', (req) => req.socket.destroy()],
    ['never ends', (_req, res) => void res.write('x'.repeat(600_000))],
    ['says nothing', () => {}],
    ['stops in the middle', (_req, res) => void res.write(`${padding[0]}\r\n`)],
    ['knows it only as padding', (_req, res) => res.end(`${suffix}:0`)],
  ])('refuses nobody when the service %s', async (_what, listener) => {
    answer = listener;
    expect((await enter(known)).status).toBe(201);
    expect(asked).toHaveLength(1);
    answer = good;
    expect((await enter(known)).body.errors).toMatchObject([
      { code: 'breached', pointer: '/password' },
    ]);
  });

  it('takes small letters and lines without a return for what they are, and both forms of é for one', async () => {
    const cafe = 'café-marmalade-otter-9';
    answer = (_req, res) => res.end(`${sha1(cafe).slice(5).toLowerCase()}:1\n`);
    expect((await enter(cafe.normalize('NFD'))).status).toBe(422);
  });
});

it('does not keep others waiting over a password that is hard to score', async () => {
  const slow = (
    await ask('POST', '/auth/register', {
      body: { username: unusedName(), password: '@4a'.repeat(300) },
    })
  ).status;
  expect([201, 422]).toContain(slow);
});
