import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, describe, it } from 'vitest';
import { greeting } from '#src/greeting';
import { readableLine } from '#src/platform/log-line';
import { password, startApp } from '#test/support/app';
import { commandLine } from '#test/support/command';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { settingsFor, startProcess } from '#test/support/process';

const app = await startApp({ PORT: String(await freePort()), API_KEYS: 'on', DIALECTS: 'zohaib' });
const { publicUrl } = app.ctx.settings;

describe('to a terminal', () => {
  const text = greeting(app, true);
  const lines = text.trimEnd().split('\n');
  const command = lines.map((line) => line.trim()).find((line) => line.startsWith('curl '))!;

  it('says in a few short lines where it is, what it uses and which ways in are on', () => {
    expect(lines.length).toBeLessThanOrEqual(20);
    for (const line of lines.filter((line) => !line.includes(command)))
      expect(line.length, line).toBeLessThanOrEqual(120);
    expect(text.endsWith('\n\n')).toBe(true);
    expect(text).toContain(`ready at ${publicUrl}\n`);
    expect(text).toMatch(/^ +Sign-in +api-key, jwt, local, passkey$/m);
    expect(text).toMatch(
      / off until .*:\n +apple-native, apple, basic, email-code, github, google-native, google, header, ldap, oidc, saml$/m,
    );
    expect(text).toMatch(/^ +Tutorials +zohaib \(DIALECTS=none /m);
    expect(text).toMatch(engine === 'sqlite' ? /Database +sqlite:\S+$/m : /Database +mysql:\S+$/m);
  });

  it('says an address that works, with the API page below it', async () => {
    const docs = /API docs +(\S+)$/m.exec(text)![1]!;
    expect(docs).toBe(`${publicUrl}/docs`);
    expect((await fetch(docs)).status).toBe(200);
  });

  it('says two things to try, which work as they stand there', async () => {
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command} -s --noproxy '*'`]);
    const { user, accessToken } = JSON.parse(stdout);
    expect(user).toMatchObject({ username: 'ada', roles: ['user'] });
    const [, second] = /npm run cli -- (.*)$/m.exec(text)!;
    expect(await commandLine(app.env)(second!)).toMatchObject({
      code: 0,
      stdout: 'ada now has the role admin.\n',
    });
    expect((await app.ask('GET', '/admin/users', { token: accessToken })).status).toBe(200);
  });

  it('says where it listens when the system chose the port', async () => {
    const other = await startApp();
    expect(greeting(other, true)).toContain(`ready at ${other.url}\n`);
  });
});

it('is one line elsewhere, with what is off and why', () => {
  const line = greeting(app, false);
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(line).toMatch(
    /^Sallyport is at http:\S+ · listening on http:\S+ · database \S+ · strategies on: api-key, jwt, local, passkey; off: /,
  );
  expect(line).toContain('github (GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET)');
  expect(line).toContain(` · docs ${publicUrl}/docs\n`);
});

it.each([true, false])(
  'never shows user and password of the database (terminal: %s)',
  (isTerminal) => {
    const databaseUrl = 'mysql://canary:canary2@db.example:3306/sallyport';
    const settings = { ...app.ctx.settings, databaseUrl };
    const text = greeting({ ...app, ctx: { ...app.ctx, settings } }, isTerminal);
    expect(text).toContain('mysql://db.example:3306/sallyport');
    expect(text).not.toContain('canary');
  },
);

describe('a line of the log', () => {
  const line = (fields: object) =>
    readableLine(JSON.stringify({ level: 'info', time: '2026-11-20T14:03:59.120Z', ...fields }));
  const told = (fields: object) => line(fields).replace(/^\d\d:\d\d:\d\d /, '');

  it('begins with the time of day', () => {
    expect(line({ msg: 'x' })).toMatch(/^\d\d:03:59 x\n$/);
  });

  it.each<[object, string]>([
    [
      {
        requestId: 'r',
        method: 'GET',
        path: '/me',
        status: 200,
        ms: 3.4,
        ip: '::1',
        msg: 'request',
      },
      'GET /me 200 3.4 ms requestId=r ip=::1\n',
    ],
    [
      { level: 'warn', method: 'GET', path: '/me', ms: 3, msg: 'client went away' },
      'warn GET /me 3 ms client went away\n',
    ],
    [
      { event: 'session.started', userId: 'u', strategy: 'local', msg: 'event' },
      'session.started userId=u strategy=local\n',
    ],
    [
      { why: '', rows: [1, null], at: { x: 'y' }, msg: 'a' },
      'a why="" rows=[1,null] at={"x":"y"}\n',
    ],
    [{ name: 'x status=200', msg: 'a' }, 'a name="x status=200"\n'],
  ])('%j', (fields, said) => {
    expect(told(fields)).toBe(said);
  });

  it('has the stack of an error below it', () => {
    const cause = { type: 'Error', message: 'deep', stack: 'hidden' };
    const err = { type: 'TypeError', message: 'no', stack: 'TypeError: no\n    at x', cause };
    expect(told({ level: 'error', err, msg: 'failed' })).toBe(
      `error failed err={"type":"TypeError","message":"no","cause":{"type":"Error","message":"deep"}}\n    TypeError: no\n    at x\n`,
    );
    expect(told({ level: 'fatal', stack: 'a\nb', msg: 'failed' })).toBe(
      'fatal failed\n    a\n    b\n',
    );
  });

  it('lets nobody write to the terminal', () => {
    const hostile =
      '\u001b]0;title\u0007\u001b[2J\r\n09:00:00 forged\u009b1m\u202e\u2066\u2028\u0000\u007f';
    const places = [
      { name: hostile, msg: 'x' },
      { [hostile]: 1, msg: 'x' },
      { msg: hostile },
      { event: hostile, msg: 'event' },
      { method: 'GET', path: hostile, status: 200, ms: 1, msg: 'request' },
      { level: hostile, msg: 'x' },
      { deep: { list: [hostile] }, msg: 'x' },
      { err: { message: hostile, stack: `${hostile}\n    at x` }, msg: 'x' },
    ];
    for (const fields of places) {
      const said = line(fields);
      expect(said.replaceAll('\n', ''), said).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
      expect(said).toMatch(/\\+u001b/);
      for (const each of said.trimEnd().split('\n').slice(1)) expect(each).toMatch(/^ {4}/);
    }
  });
});

const hasScript = spawnSync('script', ['--version']).status === 0;

// What a terminal sees does not depend on the database.
describe.runIf(hasScript && engine === 'sqlite')('on a real terminal', () => {
  const env = async () => settingsFor(await emptyDatabase(), { LOG_LEVEL: 'info' });

  it('greets, logs requests in words, and says goodbye at Ctrl-C', async () => {
    const server = await startProcess(await env(), { terminal: true });
    expect(server.banner.trim()).toBe(`Sallyport is ready at ${server.url}`);
    const { status } = await server.ask('POST', '/auth/register', {
      body: { username: 'ada', password, name: 'Ada \u2067' },
    });
    expect(status).toBe(400);
    await eventually(() =>
      expect(server.heard.stdout).toMatch(
        /^\d\d:\d\d:\d\d POST \/auth\/register 400 [\d.]+ ms requestId=[\w-]{36} ip=127\.0\.0\.1\r$/m,
      ),
    );
    server.type('\u0003');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/\r\nGoodbye\.\r\n$/);
    expect(stdout).not.toMatch(/^\{/m);
  });

  it('answers a second Ctrl-C at once', async () => {
    const server = await startProcess(await env(), { terminal: true });
    server.type('\u0003\u0003');
    expect((await server.ended).stdout).toContain('Goodbye.');
  });
});

it('logs JSON where there is no terminal', async () => {
  const server = await startProcess(settingsFor(await emptyDatabase(), { LOG_LEVEL: 'info' }));
  await server.ask('GET', '/livez');
  const { stdout } = await server.kill('SIGTERM');
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ method: 'GET', path: '/livez', status: 200, msg: 'request' }),
  );
});
