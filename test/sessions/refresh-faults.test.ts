import { spawnSync } from 'node:child_process';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { password } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import type { Answer } from '#test/support/client';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { startPrivateServer } from '#test/support/mysql';
import { rowsOf, settingsFor, startProcess, type Running } from '#test/support/process';
import { long, rounds } from '#test/support/rounds';
import { lockFile } from '#test/support/elsewhere';

interface Tokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string };
}
const presentToken = ({ ask }: Running, refreshToken: string) =>
  ask('POST', '/auth/refresh', { body: { refreshToken } });
const signUp = async ({ ask }: Running, username: string): Promise<Tokens> => {
  const { status, body, text } = await ask('POST', '/auth/register', {
    body: { username, password },
  });
  expect(status, text).toBe(201);
  return body;
};
async function refresh(server: Running, token: string): Promise<Tokens> {
  const { status, body, text } = await presentToken(server, token);
  expect(status, text).toBe(200);
  return body;
}
const sessions = (databaseUrl: string) =>
  rowsOf(
    databaseUrl,
    'SELECT id, generation, acknowledged, ended_at, expires_at FROM sessions ORDER BY id',
  );

function expectUnavailable({ status, body, headers }: Answer) {
  expect({ status, code: body.code, action: body.action }).toEqual({
    status: 503,
    code: 'unavailable',
    action: 'wait',
  });
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(body).not.toHaveProperty('reason');
  expect(body).not.toHaveProperty('sessionStatus');
}

let made = 0;
/**
 * Three users: one has just signed in, one has an unused successor, one has spent their first
 * token long ago.
 */
async function threeUsers(server: Running) {
  const [fresh, waiting, spent] = await Promise.all(
    ['fresh', 'waiting', 'spent'].map((name) => signUp(server, `${name}${++made}`)),
  );
  const successor = await refresh(server, waiting!.refreshToken);
  const newest = await refresh(server, (await refresh(server, spent!.refreshToken)).refreshToken);
  return { fresh: fresh!, waiting: waiting!, spent: spent!, successor, newest };
}
type Users = Awaited<ReturnType<typeof threeUsers>>;

/**
 * As if nothing had happened: good tokens work, the lost reply is answered again, and the thief
 * is detected.
 */
async function expectAsBefore(
  server: Running,
  { fresh, waiting, spent, successor, newest }: Users,
) {
  await eventually(async () =>
    expect((await server.ask('GET', '/me', { token: newest.accessToken })).status).toBe(200),
  );
  expect((await presentToken(server, waiting.refreshToken)).body.refreshToken).toBe(
    successor.refreshToken,
  );
  await refresh(server, (await refresh(server, fresh.refreshToken)).refreshToken);
  await refresh(server, newest.refreshToken);
  expect((await presentToken(server, spent.refreshToken)).body).toMatchObject({ reason: 'reused' });
}

describe.skipIf(engine === 'sqlite')('a database server', () => {
  let databaseUrl: string;
  let proxy: Awaited<ReturnType<typeof chaosProxy>>;
  let server: Running;
  beforeAll(async () => {
    databaseUrl = await emptyDatabase();
    proxy = await chaosProxy(Number(new URL(databaseUrl).port));
    server = await startProcess(settingsFor(databaseUrl.replace(/:\d+\//, `:${proxy.port}/`)));
  });
  afterAll(async () => {
    await server.kill();
    proxy.close();
  });

  it('that refuses or swallows everything: 503, and nothing has changed', async () => {
    const users = await threeUsers(server);
    const before = await sessions(databaseUrl);
    for (const mode of ['refuse', 'hold'] as const) {
      proxy.set(mode);
      const tokens = [users.fresh, users.waiting, users.spent, users.newest];
      const answers = await Promise.all(
        tokens.map(({ refreshToken }) => presentToken(server, refreshToken)),
      );
      answers.forEach(expectUnavailable);
      const { body } = await presentToken(server, `${users.fresh.refreshToken}A`);
      expect(body).toMatchObject({ reason: 'unknown' });
      proxy.set('pass');
      expect(await sessions(databaseUrl)).toEqual(before);
    }
    await expectAsBefore(server, users);
  });

  it('that cuts its connections while we refresh: a client without an answer asks again', async () => {
    const users = await Promise.all(
      Array.from({ length: 4 }, (_, i) => signUp(server, `user${i}`)),
    );
    const start = performance.now();
    await Promise.all(
      users.map(async (user, i) => (users[i] = await refresh(server, user.refreshToken))),
    );
    // Connections are cut before, during and after a refresh, on any machine.
    const usually = performance.now() - start;
    const outcomes = new Set<number>();
    for (let round = 0; round < rounds(30, 1000) || outcomes.size < 2; round++) {
      const asked = users.map(async (user, i) => {
        const answer = await presentToken(server, user.refreshToken);
        outcomes.add(answer.status);
        if (answer.status === 200) users[i] = answer.body;
        else expectUnavailable(answer);
      });
      const over = Promise.all(asked);
      await new Promise((resolve) => {
        setTimeout(resolve, Math.random() * 2 * usually);
      });
      proxy.reset();
      await over;
    }
    expect(outcomes).toEqual(new Set([200, 503]));
    for (const user of users)
      await eventually(async () =>
        expect((await presentToken(server, user.refreshToken)).status).toBe(200),
      );
  });

  it('where somebody else holds the row: 503, also for a thief, and nothing has changed', async () => {
    const users = await threeUsers(server);
    const before = await sessions(databaseUrl);
    const other = await createConnection(databaseUrl);
    await other.query('BEGIN');
    await other.query('SELECT id FROM sessions FOR UPDATE');
    const writing = [users.fresh, users.spent, users.newest].map(({ refreshToken }) =>
      presentToken(server, refreshToken),
    );
    expect((await presentToken(server, users.waiting.refreshToken)).body.refreshToken).toBe(
      users.successor.refreshToken,
    );
    (await Promise.all(writing)).forEach(expectUnavailable);
    await other.end();
    expect(await sessions(databaseUrl)).toEqual(before);
    await expectAsBefore(server, users);
  });

  it.skipIf(!long || spawnSync('which', ['mariadbd']).status !== 0)(
    'that freezes, and is killed',
    async () => {
      const database = await startPrivateServer();
      onTestFinished(() => database.stop());
      const root = await createConnection(database.url);
      await root.query('CREATE DATABASE x');
      await root.end();
      const databaseUrl = `${database.url}/x`;
      const server = await startProcess(settingsFor(databaseUrl));
      const users = await threeUsers(server);
      const before = await sessions(databaseUrl);
      const all = [users.fresh, users.waiting, users.spent, users.newest];
      process.kill(database.pid, 'SIGSTOP');
      (
        await Promise.all(all.map(({ refreshToken }) => presentToken(server, refreshToken)))
      ).forEach(expectUnavailable);
      process.kill(database.pid, 'SIGCONT');
      await eventually(async () => expect((await server.ask('GET', '/readyz')).status).toBe(200));
      expect(await sessions(databaseUrl)).toEqual(before);
      for (let round = 0; round < 10; round++) {
        const crowd = Promise.all(
          Array.from({ length: 20 }, async () => {
            const answer = await presentToken(server, users.fresh.refreshToken);
            if (answer.status !== 200) expectUnavailable(answer);
            return answer;
          }),
        );
        await new Promise((resolve) => {
          setTimeout(resolve, Math.random() * 20);
        });
        await database.kill();
        await crowd;
        expectUnavailable(await presentToken(server, users.fresh.refreshToken));
        await database.start();
        const again = () => presentToken(server, users.fresh.refreshToken);
        await eventually(async () => expect((await again()).status).toBe(200));
        const heard = new Set(
          (await crowd).filter(({ status }) => status === 200).map(({ body }) => body.refreshToken),
        );
        users.fresh = (await again()).body;
        for (const refreshToken of heard) expect(refreshToken).toBe(users.fresh.refreshToken);
      }
      await expectAsBefore(server, users);
    },
  );
});

describe.skipIf(engine === 'mysql')('a database in a file', () => {
  let databaseUrl: string;
  let server: Running;
  beforeAll(async () => {
    databaseUrl = await emptyDatabase();
    server = await startProcess(settingsFor(databaseUrl));
  });
  afterAll(async () => void (await server.kill()));

  it('that another process has locked: 503, also for a thief, and nothing has changed', async () => {
    const users = await threeUsers(server);
    const before = await sessions(databaseUrl);
    const other = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
    await lockFile(other);
    const writing = [users.fresh, users.spent, users.newest].map(({ refreshToken }) =>
      presentToken(server, refreshToken),
    );
    expect((await presentToken(server, users.waiting.refreshToken)).body.refreshToken).toBe(
      users.successor.refreshToken,
    );
    (await Promise.all(writing)).forEach(expectUnavailable);
    other.close();
    expect(await sessions(databaseUrl)).toEqual(before);
    await expectAsBefore(server, users);
  });
});
