import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { signIn } from '#src/authentication/sign-in';
import { createSecrets } from '#src/platform/crypto/secrets';
import { isDatabaseUnavailable } from '#src/platform/database/errors';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { password, startApp, testEnv } from '#test/support/app';
import { engine } from '#test/support/database';
import { emptyFolder, runProcess } from '#test/support/process';
import { jsonRequest, rawRequest } from '#test/support/raw-socket';
import { rounds } from '#test/support/rounds';

const { ctx, auth, ask, register, logIn, url, databaseUrl, sequelize, User } = await startApp({
  TRUST_PROXY: '1',
});

const node = (code: string) =>
  execFileSync(process.execPath, ['--no-warnings', '--eval', code], { encoding: 'utf8' });

it.runIf(engine === 'sqlite')(
  'keeps hold of its database when another program reads the file and leaves',
  async () => {
    const file = databaseUrl.slice('sqlite:'.length);
    const before = statSync(`${file}-wal`).ino;
    const ada = await register();
    node(
      `const db = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(file)}); db.prepare('SELECT COUNT(*) FROM users').get(); db.close()`,
    );
    expect(statSync(`${file}-wal`).ino).toBe(before);
    node(
      `const db = new (require('node:sqlite').DatabaseSync)(${JSON.stringify(file)}); db.prepare('UPDATE users SET disabled_at = CURRENT_TIMESTAMP WHERE id = ?').run('${ada.id}'); db.close()`,
    );
    expect((await ada.ask('GET', '/me')).body.code).toBe('user_disabled');
  },
);

it.runIf(engine === 'sqlite').each([
  ['empty', '', 0o600],
  ['a letter', 'a\n', 0o600],
  ['for everybody to read', `${'x1y2z3w4'.repeat(6).slice(0, 43)}\n`, 0o644],
])('does not start on an app-secret that is %s', async (what, text, mode) => {
  const cwd = emptyFolder();
  mkdirSync(`${cwd}/data`);
  writeFileSync(`${cwd}/data/app-secret`, text, { mode });
  if (what === 'for everybody to read') {
    const { code, stderr } = await runProcess('server', { PORT: '0' }, { cwd });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^\S*app-secret .*\n$/);
    return;
  }
  // Every SettingsError ends the process like that one.
  const env = testEnv(`sqlite:${cwd}/data/sallyport.sqlite`, { APP_SECRET: '' });
  const secrets = createSecrets(parseSettings(settingsFrom(env)));
  expect(() => secrets.seal('test', 'x')).toThrow(
    expect.objectContaining({
      name: 'SettingsError',
      mistakes: [expect.stringMatching(/^\S*app-secret .*$/)],
    }),
  );
});

it.each([
  'Range: bytes=99999999-',
  'If-Match: "x"',
  'If-Unmodified-Since: Mon, 01 Jan 1990 00:00:00 GMT',
])('answers the files of the API page whole, whatever the conditions: %s', async (header) => {
  const [name, value] = header.split(/: (.*)/s) as [string, string];
  expect((await fetch(`${url}/docs/swagger-ui.css`, { headers: { [name]: value } })).status).toBe(
    200,
  );
});

it('lets nobody in who is deleted or disabled while their password is compared', async () => {
  const withRoles = async (id: string) => (await User.findByPk(id, { include: ['roles'] }))!;
  const enter = (user: InstanceType<typeof User>) =>
    signIn(ctx, { user }, {}, { strategy: 'local' });
  const gone = await register();
  const model = await withRoles(gone.id);
  expect((await gone.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
  await expect(enter(model)).rejects.toMatchObject({ code: 'invalid_credentials' });

  const off = await register();
  const stale = await withRoles(off.id);
  await auth.users.disable(off.id);
  await expect(enter(stale)).rejects.toMatchObject({ code: 'invalid_credentials' });
  await auth.users.enable(off.id);
  expect((await off.ask('GET', '/me')).body.code).toBe('session_ended');
  expect((await logIn(off.username)).status).toBe(200);
});

it('answers deleting oneself and signing in at once without a 500', async () => {
  for (let round = 0; round < rounds(5, 50); round++) {
    const someone = await register();
    const [deleted, signedIn] = await Promise.all([
      someone.ask('DELETE', '/me', { body: { password } }),
      logIn(someone.username),
    ]);
    expect(deleted.status).toBe(204);
    expect([200, 401]).toContain(signedIn.status);
    if (signedIn.status === 200)
      expect((await ask('GET', '/me', { token: signedIn.body.accessToken })).status).toBe(401);
  }
});

it('answers a whole request before what is broken behind it', async () => {
  const request = jsonRequest(
    'POST',
    '/auth/login',
    JSON.stringify({ identifier: 'nobody', password }),
  );
  const { answers, closed } = await rawRequest(
    url,
    Buffer.concat([request, Buffer.from('garbage\r\n\r\n')]),
    2,
  );
  expect(answers.map(({ status }) => status)).toEqual([401]);
  expect(closed).toBe(true);
});

it.each(['ali̇', 'bob́', 'r٥٥t', 'bǀll', 'ɑda', 'ᴀda', '01a1fb44-0000-7000-8000-000000000000'])(
  'refuses the username %j, a twin of another or of an id',
  async (username) => {
    expect((await ask('POST', '/auth/register', { body: { username, password } })).status).toBe(
      400,
    );
  },
);

it.each(['adrnin', 'ađmin', 'аdmin', 'adm1n'])(
  'reserves what reads like a name that people trust: %j',
  async (username) => {
    expect((await ask('POST', '/auth/register', { body: { username, password } })).status).toBe(
      400,
    );
  },
);

it.each(['\u202Eadmin\u202C', '\u200B', ' '])(
  'refuses the display name %j, which shows something else or nothing',
  async (name) => {
    const someone = await register();
    expect((await someone.ask('PATCH', '/me', { body: { name } })).status).toBe(400);
  },
);

it('takes no invisible letter in the domain of an address', async () => {
  expect(
    (await ask('POST', '/auth/register', { body: { email: 'x@exa\u200Bmple.com', password } }))
      .status,
  ).toBe(400);
});

it('does not keep an address with a zone of any length', async () => {
  const body = { username: 'zoned', password };
  const { status } = await ask('POST', '/auth/register', {
    body,
    headers: { 'x-forwarded-for': `fe80::1%${'a'.repeat(300)}` },
  });
  expect(status).toBe(201);
});

it.runIf(engine === 'mysql')(
  'counts a statement that MariaDB ended as an unavailable database',
  async () => {
    const [[server]] = (await sequelize.query('SELECT VERSION() AS version')) as unknown as [
      { version: string }[],
    ];
    if (!/mariadb/i.test(server!.version)) return;
    const error = await sequelize
      .query('SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(1)')
      .catch((reason: unknown) => reason);
    expect(isDatabaseUnavailable(error)).toBe(true);
  },
);
