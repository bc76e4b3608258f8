import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { commandLine } from '#test/support/command';
import { emptyDatabase, engine } from '#test/support/database';
import { rowsOf, runProcess, settingsFor, startProcess } from '#test/support/process';

type Shell = (
  line: string,
  input?: string,
) => Promise<{ code: number | null; stdout: string; stderr: string }>;

/** A command in a process of its own, as an operator runs it: slow, so only where the process is what is asked about. */
const processOn =
  (env: Record<string, string | undefined>): Shell =>
  async (line, input) => {
    const { code, stdout, stderr } = await runProcess('cli', env, {
      args: line.split(' '),
      ...(input !== undefined && { input }),
    });
    return { code, stdout, stderr };
  };

const speaking = (cli: Shell) => {
  const does = async (line: string, input?: string) => {
    const { code, stdout, stderr } = await cli(line, input);
    expect(stderr, line).toBe('');
    expect(code, line).toBe(0);
    return stdout;
  };
  const refuses = async (line: string, sentence: RegExp, input?: string) => {
    const { code, stdout, stderr } = await cli(line, input);
    expect(stderr, line).toMatch(sentence);
    expect(stderr, line).not.toMatch(/^\s+at |sequelize|SQLITE_|ER_|correct horse/im);
    expect(stderr.trimEnd().split('\n').length, stderr).toBeLessThan(3);
    expect(stdout, line).toBe('');
    expect(code, line).toBe(1);
  };
  return { does, refuses };
};

describe('while the server runs', () => {
  it('every command binds on the next request with the same token', async () => {
    const env = settingsFor(await emptyDatabase());
    const server = await startProcess(env);
    const shell = speaking(processOn(env));
    const { does, refuses } = speaking(commandLine(env));

    const made = await shell.does(
      'user create ada --email Ada@Example.com --name Ada',
      `${password}\n`,
    );
    const id = /^ada is made, with the id ([0-9a-f-]{36})\.\n$/.exec(made)![1]!;
    const { status, body } = await server.ask('POST', '/auth/login', {
      body: { email: 'ada@example.com', password },
    });
    expect(status).toBe(200);
    expect(body.user).toMatchObject({
      id,
      username: 'ada',
      email: 'Ada@Example.com',
      name: 'Ada',
      roles: ['user'],
    });
    const asks = (path: string) => server.ask('GET', path, { token: body.accessToken });

    expect((await asks('/admin/users')).status).toBe(403);
    expect(await does('role grant ADA admin')).toBe('ada now has the role admin.\n');
    expect((await asks('/admin/users')).status).toBe(200);
    expect(await does(`role create press`)).toBe('There is now a role press.\n');
    expect(await does(`role grant ${id.toUpperCase()} press`)).toBe(
      'ada now has the role press.\n',
    );
    expect((await asks('/me')).body.roles).toEqual(['admin', 'press', 'user']);
    expect(await does('role revoke ada@EXAMPLE.com press')).toBe(
      'ada no longer has the role press.\n',
    );
    expect((await asks('/me')).body.roles).toEqual(['admin', 'user']);

    await shell.refuses('role revoke ada admin', /admin.*\.\n$/i);
    await refuses('user disable ada', /admin.*\.\n$/i);
    expect((await asks('/admin/users')).status).toBe(200);

    await does('user create bob', password);
    expect(await does('role grant bob admin')).toBe('bob now has the role admin.\n');
    expect(await does(`user disable ${id}`)).toBe('ada is disabled.\n');
    expect((await asks('/me')).body).toMatchObject({ code: 'user_disabled' });
    expect(await does('user list')).toMatch(
      new RegExp(
        `^ID +USERNAME +EMAIL +VERIFIED +ROLES +STATE +CREATED\n${id} +ada +Ada@Example\\.com +no +admin,user +disabled +\\S+Z\n[0-9a-f-]{36} +bob +- +no +admin,user +active +\\S+Z\n$`,
      ),
    );
    expect(await does('user enable ada@example.com')).toBe('ada is enabled.\n');
    expect((await asks('/me')).body.code).toBe('session_ended');
  });
});

describe('alone', () => {
  it('says in a sentence what is wrong, and does nothing', async () => {
    const databaseUrl = await emptyDatabase();
    const env = settingsFor(databaseUrl);
    const { does, refuses } = speaking(commandLine(env));
    expect(await does('migrate')).toMatch(/^Migrated: 0001-foundation.*\n$/);
    expect(await does('migrate')).toBe('The schema is up to date.\n');
    await does('user create ada', `${password}\r\n`);

    const nobody = /^There is no such user\..*\n$/;
    const wrongs: [string, RegExp, string?][] = [
      ['user disable nobody', nobody],
      ['user create ADA', /taken\.\n$/, password],
      ['role grant ada nothing', /^There is no such role\..*\n$/],
      ['role create Admin', /^A role is named with small letters.*\n$/],
      ['user create grace', /^[A-Z].*\.\n$/, 'short'],
      ['user create grace --email none', /^[A-Z].*\.\n$/, password],
      ['user create grace hunter2-hunter2', /^error: too many arguments/],
      ['user create grace --password hunter2-hunter2', /^error: unknown option '--password'/],
    ];
    for (const wrong of wrongs) await refuses(...wrong);
    expect(await rowsOf(databaseUrl, 'SELECT username FROM users')).toMatchObject([
      { username: 'ada' },
    ]);

    expect(await does('role list')).toMatch(
      /^ROLE +PERMISSIONS +DESCRIPTION +CREATED\nadmin +\* +- +\S+Z\nmoderator +- +- +\S+Z\nuser +- +- +\S+Z\n$/,
    );
    expect(await does('role create admin')).toBe('There is a role admin already.\n');
    expect(await does('role grant ada user')).toBe('ada has the role user already.\n');
    expect(await does('role revoke ada moderator')).toBe('ada does not have the role moderator.\n');
  });

  it.skipIf(engine === 'mysql')('does not run on wrong settings', async () => {
    const { code, stderr } = await runProcess(
      'cli',
      { PORT: 'canary', JWT_SECRET: 'canary' },
      { args: ['user', 'list'] },
    );
    expect(code).toBe(78);
    expect(stderr).not.toContain('canary');
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });
});
