import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { password } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { runProcess, settingsFor, startProcess } from '#test/support/process';
import { fromPage, heldIn } from '#test/support/refresh-cookie';
import { IN, OUT, worth } from '#test/support/worth';
import { lockFile } from '#test/support/elsewhere';

describe('POST /auth/logout on several nodes', () => {
  it('binds on the other one at once, and after a restart (V-16)', async () => {
    const env = settingsFor(await emptyDatabase());
    const [one, two] = await Promise.all([startProcess(env), startProcess(env)]);
    const { body } = await one.ask('POST', '/auth/register', {
      body: { username: 'ada', password },
    });
    const second = (await two.ask('POST', '/auth/login', { body: { username: 'ada', password } }))
      .body;
    expect(await worth(one.ask, second)).toBe(IN);
    expect(await worth(two.ask, body)).toBe(IN);
    expect((await one.ask('POST', '/auth/logout', { token: body.accessToken })).status).toBe(204);
    expect(await worth(two.ask, body)).toBe(OUT);
    expect(await worth(one.ask, body)).toBe(OUT);
    await one.kill();
    const again = await startProcess(env);
    expect(await worth(again.ask, body)).toBe(OUT);
    expect(await worth(again.ask, second)).toBe(IN);
  });
});

describe('POST /auth/logout while the database is unavailable', () => {
  const breakable = async () => {
    const databaseUrl = await emptyDatabase();
    if (engine === 'sqlite') {
      const server = await startProcess(settingsFor(databaseUrl));
      const other = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
      onTestFinished(() => other.close());
      return {
        server,
        leave: () => lockFile(other),
        comeBack: () => other.exec('ROLLBACK'),
      };
    }
    const proxy = await chaosProxy(Number(new URL(databaseUrl).port));
    onTestFinished(() => proxy.close());
    const server = await startProcess(
      settingsFor(databaseUrl.replace(/:\d+\//, `:${proxy.port}/`)),
    );
    return { server, leave: async () => proxy.set('refuse'), comeBack: () => proxy.set('pass') };
  };

  it('says 503, not that somebody is signed out', async () => {
    const { server, leave, comeBack } = await breakable();
    const { body } = await server.ask('POST', '/auth/register', {
      body: { username: 'ada', password },
    });
    const { accessToken: token, refreshToken } = body;
    await leave();
    const questions = [
      { token },
      { body: { refreshToken } },
      { token, body: { refreshToken, scope: 'all' } },
    ];
    const answers = await Promise.all(
      questions.map((question) => server.ask('POST', '/auth/logout', question)),
    );
    comeBack();
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable', action: 'wait' } });
    await eventually(async () => expect((await server.ask('GET', '/readyz')).status).toBe(200));
    expect(await worth(server.ask, body)).toBe(IN);
    expect((await server.ask('POST', '/auth/logout', { token })).status).toBe(204);
    expect(await worth(server.ask, body)).toBe(OUT);
  });

  it('leaves a browser its cookie', async () => {
    const { server, leave, comeBack } = await breakable();
    const page = fromPage(server.ask, 'http://localhost:0');
    const signedUp = await page('POST', '/auth/register', undefined, {
      body: { username: 'ada', password },
    });
    const token = heldIn(signedUp);
    await leave();
    const answers = await Promise.all([
      page('POST', '/auth/refresh', token),
      page('POST', '/auth/logout', token),
    ]);
    comeBack();
    for (const answer of answers)
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([503, []]);
    await eventually(async () => expect((await server.ask('GET', '/readyz')).status).toBe(200));
    expect((await page('POST', '/auth/refresh', token)).status).toBe(200);
  });

  it.skipIf(engine === 'sqlite')(
    'says so also when it has not heard of the key of the token yet',
    async () => {
      const databaseUrl = await emptyDatabase();
      const env = settingsFor(databaseUrl);
      const proxy = await chaosProxy(Number(new URL(databaseUrl).port));
      onTestFinished(() => proxy.close());
      const server = await startProcess({
        ...env,
        DATABASE_URL: databaseUrl.replace(/:\d+\//, `:${proxy.port}/`),
      });
      expect((await runProcess('cli', env, { args: ['keys', 'rotate', '--now'] })).code).toBe(0);
      const other = await startProcess(env);
      const { body } = await other.ask('POST', '/auth/register', {
        body: { username: 'ada', password },
      });
      proxy.set('refuse');
      const { status } = await server.ask('POST', '/auth/logout', { token: body.accessToken });
      proxy.set('pass');
      expect(await worth(other.ask, body)).toBe(IN);
      expect(status).toBe(503);
    },
  );
});
