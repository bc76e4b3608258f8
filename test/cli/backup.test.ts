import { execSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import {
  emptyFolder,
  rowsOf,
  runProcess,
  settingsFor,
  startProcess,
  type Running,
} from '#test/support/process';

/** A server that makes its own secret beside its database. */
const ownSecret = () => ({ PORT: '0', LOG_LEVEL: 'silent', BCRYPT_COST: '4', LIMITS: 'off' });
const says = async (cwd: string, line: string, env: object = ownSecret()) => {
  const { code, stdout, stderr } = await runProcess(
    'cli',
    { ...env },
    { args: line.split(' '), cwd },
  );
  return { code, stdout, stderr };
};
const logIn = ({ ask }: Pick<Running, 'ask'>, identifier: string) =>
  ask('POST', '/auth/login', { body: { identifier, password } });
const register = async ({ ask }: Pick<Running, 'ask'>, username: string) =>
  (await ask('POST', '/auth/register', { body: { username, password } })).status;
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
const usersIn = (folder: string) =>
  rowsOf(`sqlite:${folder}/data/sallyport.sqlite`, 'SELECT username FROM users');

describe.runIf(engine === 'sqlite')('backup and restore', () => {
  it('bring back, elsewhere, all that a busy server had acknowledged, and its secret', async () => {
    const server = await startProcess(ownSecret());
    const acknowledged: string[] = [];
    const over = new AbortController();
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; !over.signal.aborted; i++) {
        const name = `w${writer}-${i}`;
        if ((await register(server, name)) === 201) acknowledged.push(name);
      }
    });
    await eventually(() => expect(acknowledged.length).toBeGreaterThan(20));
    const { accessToken: token } = (await logIn(server, acknowledged[0]!)).body;
    const before = [...acknowledged];
    const made = await says(server.cwd, 'backup all.backup');
    expect(made).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^all\.backup is written, \d+ bytes\. It holds the secret/),
    });
    over.abort();
    await Promise.all(writers);
    expect(modeOf(join(server.cwd, 'all.backup'))).toBe('600');
    expect(readdirSync(server.cwd).sort()).toEqual(['all.backup', 'data']); // nothing half made
    await server.kill();

    const cwd = emptyFolder();
    copyFileSync(join(server.cwd, 'all.backup'), join(cwd, 'all.backup'));
    const restored = await says(cwd, 'restore all.backup');
    expect(restored).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^data\/sallyport\.sqlite is as it was at .*alive again/),
    });
    const data = join(cwd, 'data');
    expect(readdirSync(data).sort()).toEqual(['app-secret', 'sallyport.sqlite']);
    for (const file of readdirSync(data)) expect(modeOf(join(data, file))).toBe('600');
    const again = await startProcess(ownSecret(), { cwd });
    const kept = (await usersIn(cwd)).map(({ username }) => username);
    expect(kept).toEqual(expect.arrayContaining(before));
    for (const name of before.slice(-3)) expect((await logIn(again, name)).status).toBe(200);
    expect((await again.ask('GET', '/me', { token })).status).toBe(200); // the same signing keys
  });

  it('restore --end-sessions ends what a restore brings back to life', async () => {
    const server = await startProcess(ownSecret());
    await register(server, 'ada');
    const { accessToken: token } = (await logIn(server, 'ada')).body;
    await says(server.cwd, 'backup one.backup');
    await server.kill();
    renameSync(join(server.cwd, 'data'), join(server.cwd, 'old'));
    const line = 'restore one.backup --end-sessions --json';
    const { stdout } = await says(server.cwd, line);
    expect(JSON.parse(stdout)).toMatchObject({ endedSessions: 2, version: expect.any(String) });
    const again = await startProcess(ownSecret(), { cwd: server.cwd });
    expect((await again.ask('GET', '/me', { token })).body.code).toBe('session_ended');
    expect((await logIn(again, 'ada')).status).toBe(200);
  });

  it('overwrite nothing: no database, no secret, no archive, and not under a running server', async () => {
    const server = await startProcess(ownSecret());
    const { cwd } = server;
    const refuses = async (line: string, sentence: RegExp, env?: object) => {
      const { code, stdout, stderr } = await says(cwd, line, env);
      expect([code, stdout], line).toEqual([1, '']);
      expect(stderr, line).toMatch(sentence);
      expect(stderr, line).not.toMatch(/^\s+at /m);
    };
    await register(server, 'ada');
    await says(cwd, 'backup one.backup');
    await refuses('backup one.backup', /^one\.backup exists: give the name of a new file\.\n$/);
    await refuses('restore one.backup', /^A server is running on data\/sallyport\.sqlite\. Stop/);
    await server.kill();
    await refuses('restore one.backup', /is in the way|are in the way/);
    expect(await usersIn(cwd)).toHaveLength(1);

    renameSync(join(cwd, 'data'), join(cwd, 'old'));
    mkdirSync(join(cwd, 'data'));
    await refuses('restore none.backup', /^There is no file none\.backup\.\n$/);
    const whole = readFileSync(join(cwd, 'one.backup'));
    const damaged: [string, Buffer | string][] = [
      ['empty', ''],
      ['other', 'not an archive, but long enough to look like something'.repeat(100)],
      ['short', whole.subarray(0, whole.length - 2000)],
      ['flipped', Buffer.from(whole.map((byte, i) => (i === whole.length >> 1 ? byte ^ 1 : byte)))],
    ];
    for (const [name, bytes] of damaged) {
      writeFileSync(join(cwd, name), bytes);
      await refuses(`restore ${name}`, /is no backup of Sallyport, or it is damaged/);
    }
    const secret = { ...ownSecret(), APP_SECRET: settingsFor('')['APP_SECRET'] };
    await refuses('restore one.backup', /^APP_SECRET is not the one/, secret);
    const another = 'x'.repeat(43);
    writeFileSync(join(cwd, 'data/app-secret'), another, { mode: 0o600 });
    await refuses('restore one.backup', /^data\/app-secret is another secret/);
    expect(readdirSync(join(cwd, 'data'))).toEqual(['app-secret']);
    rmSync(join(cwd, 'data/app-secret'));
    expect((await says(cwd, 'restore one.backup')).code).toBe(0);

    // A migration that a newer server made.
    const database = `sqlite:${cwd}/data/sallyport.sqlite`;
    await rowsOf(database, "INSERT INTO migrations (name) VALUES ('9999-tomorrow')");
    await says(cwd, 'backup newer.backup');
    renameSync(join(cwd, 'data'), join(cwd, 'newer'));
    await refuses(
      'restore newer.backup',
      /^A newer version of the server made this backup .*9999-tomorrow/,
    );
    expect(existsSync(join(cwd, 'data/sallyport.sqlite'))).toBe(false);
    await refuses('backup again.backup', /^There is no database at data\/sallyport\.sqlite\./);
  });

  it('work before the first start, too', async () => {
    const cwd = emptyFolder();
    const make = { args: ['user', 'create', 'ada'], input: password, cwd };
    expect((await runProcess('cli', ownSecret(), make)).code).toBe(0);
    expect((await says(cwd, 'backup one.backup')).stderr).toBe('');
    renameSync(join(cwd, 'data'), join(cwd, 'old'));
    expect((await says(cwd, 'restore one.backup')).code).toBe(0);
    expect((await logIn(await startProcess(ownSecret(), { cwd }), 'ada')).status).toBe(200);
  });

  it('leave a secret that is a setting out, and say so', async () => {
    const env = { ...ownSecret(), APP_SECRET: settingsFor('')['APP_SECRET']! };
    const server = await startProcess(env);
    await register(server, 'ada');
    const { stdout } = await says(server.cwd, 'backup one.backup', env);
    expect(stdout).toMatch(/It does not hold APP_SECRET: keep that elsewhere/);
    expect(stdout).not.toContain(env.APP_SECRET);
    await server.kill();
    const cwd = emptyFolder();
    copyFileSync(join(server.cwd, 'one.backup'), join(cwd, 'one.backup'));
    expect((await says(cwd, 'restore one.backup')).stderr).toMatch(/^APP_SECRET is not the one/);
    expect((await says(cwd, 'restore one.backup', env)).code).toBe(0);
    const again = await startProcess(env, { cwd });
    expect((await logIn(again, 'ada')).status).toBe(200);
  });

  it('are needed: a copy of the file of a running server lacks what is in its WAL', async () => {
    const server = await startProcess(ownSecret());
    await register(server, 'ada');
    const copy = join(server.cwd, 'copy.sqlite');
    copyFileSync(join(server.cwd, 'data/sallyport.sqlite'), copy);
    const users = rowsOf(`sqlite:${copy}`, 'SELECT username FROM users');
    expect(await users.catch(() => [])).toEqual([]);
  });
});

it.runIf(engine === 'mysql')(
  'name the dump of a database server, which brings all back',
  async () => {
    const databaseUrl = await emptyDatabase();
    const env = settingsFor(databaseUrl);
    const server = await startProcess(env);
    await register(server, 'ada');
    const { code, stdout, stderr } = await says(server.cwd, 'backup all.backup', env);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/keep APP_SECRET with it/);
    expect(stderr).not.toContain(env['APP_SECRET']);
    const [dump, load] = [...stderr.matchAll(/^ {2}(mysql.*)$/gm)].map(([, line]) =>
      line!
        .replace('mysqldump', 'mariadb-dump')
        .replace(/^mysql /, 'mariadb ')
        .replace(' --password', ''),
    );
    execSync(dump!, { cwd: server.cwd });
    const other = await emptyDatabase();
    const name = (url: string) => new URL(url).pathname.slice(1);
    execSync(load!.replace(name(databaseUrl), name(other)), { cwd: server.cwd });
    const again = await startProcess({ ...env, DATABASE_URL: other });
    expect((await logIn(again, 'ada')).status).toBe(200);
    expect((await says(server.cwd, 'restore all.backup', env)).stderr).toMatch(
      /session end --everybody/,
    );
  },
);
