import { createConnection } from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSequelize } from '#src/platform/database/open';
import { serversOf } from '#src/platform/database/hosts';
import { isDatabase } from '#src/platform/settings/types';
import { password, startApp } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { startPrivateServer } from '#test/support/mysql';
import { runProcess, settingsFor } from '#test/support/process';

describe('DATABASE_URL with several hosts', () => {
  it('names each with its own port, and shares user, password and database', () => {
    const url = 'mysql://sal%40ly:p%2Cw@one:3307,two,[::1]:3308/app?tls=system';
    expect(serversOf(url).map(({ href }) => href)).toEqual([
      'mysql://sal%40ly:p%2Cw@one:3307/app?tls=system',
      'mysql://sal%40ly:p%2Cw@two/app?tls=system',
      'mysql://sal%40ly:p%2Cw@[::1]:3308/app?tls=system',
    ]);
  });

  it.each([
    ['mysql://u:p@one,two/x', true],
    ['mysql://u:p,q@one/x', true],
    ['mysql://u:p@one,/x', false],
    ['mysql://u:p@,two/x', false],
    ['mysql://u:p@one:99999,two/x', false],
    ['mysql://u:p@one,two:y/x', false],
    ['mysql://u:p@one,two', false],
  ])('%s: %s', (url, isRight) => {
    expect(isDatabase(url)).toBe(isRight);
  });

  it('needs a password as soon as one of them is another machine', async () => {
    const env = settingsFor('mysql://root@127.0.0.1:1,db.example:1/x');
    const { code, stderr } = await runProcess('server', env);
    expect([code, stderr]).toEqual([78, expect.stringContaining('has no password')]);
  });
});

describe.runIf(engine === 'mysql')('a server with several hosts', () => {
  const withHosts = (url: string, ports: (number | string)[]) =>
    url.replace(/@[^/]*/, `@${ports.map((port) => `127.0.0.1:${port}`).join()}`);

  it('goes to the next one when the first is dead, and back when it lives again', async () => {
    const url = await emptyDatabase();
    const { port } = new URL(url);
    const [first, second] = [await chaosProxy(Number(port)), await chaosProxy(Number(port))];
    onTestFinished(() => [first, second].forEach((proxy) => proxy.close()));
    const app = await startApp({ DATABASE_URL: withHosts(url, [first.port, second.port]) });
    const { ask } = app;
    expect(second.opened(), 'nothing goes to the second while the first works').toBe(0);

    first.set('refuse');
    await eventually(async () => expect((await ask('GET', '/readyz')).status).toBe(200));
    const body = { username: 'ada', password };
    expect((await ask('POST', '/auth/register', { body })).status).toBe(201);
    await eventually(async () => {
      second.reset();
      const [refused, opened] = [first.refused(), second.opened()];
      await Promise.all(
        Array.from({ length: 5 }, () => app.ctx.db.sequelize.query('SELECT SLEEP(0.05)')),
      );
      expect(second.opened()).toBeGreaterThan(opened);
      expect(first.refused(), 'a host that failed is left alone for a while').toBe(refused);
    }, 300); // connections that are being opened while the second is cut off would ask the first

    second.set('refuse');
    expect((await ask('GET', '/readyz')).status, 'both are dead').toBe(503);
    first.set('pass');
    await eventually(async () => expect((await ask('GET', '/readyz')).status).toBe(200));
  });

  it('leaves no connection on a host that is no good', async () => {
    const database = await startPrivateServer();
    onTestFinished(() => database.stop());
    const root = await createConnection(database.url);
    await root.query('CREATE DATABASE x');
    await root.query('SET GLOBAL read_only = ON');
    const connections = async () => {
      const [rows] = await root.query(
        "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db = 'x'",
      );
      return Number((rows as { n: unknown }[])[0]!.n);
    };
    const sequelize = openSequelize(withHosts(`${database.url}/x`, [database.port, database.port]));
    onTestFinished(() => sequelize.close());
    for (let i = 0; i < 3; i++)
      await expect(sequelize.query('SELECT 1')).rejects.toThrow('read-only');
    await eventually(async () => expect(await connections()).toBe(0));
    await root.end();
  });
});
