import { createConnection } from 'mysql2/promise';
import { afterAll, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { startPrivateServer } from '#test/support/mysql';
import { preparedBy } from '#test/support/prepared';
import { rounds } from '#test/support/rounds';
import { appWrites, serverWrites } from '#test/support/writes';

// A server of its own: on the others, other tests prepare statements, too.
const server = await startPrivateServer([
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
]);
const root = await createConnection(server.url);
await root.query('CREATE DATABASE app');
afterAll(async () => {
  await root.end();
  await server.stop();
});
const { ask, ctx, register } = await startApp({ DATABASE_URL: `${server.url}/app` });
const own = await serverWrites(ctx);
const { writes: app } = await appWrites(ctx);
const prepared = preparedBy(ctx, server.url);

/** Far more than connections may keep; in the long run of each kind more than a server allows to all of its clients. */
const TIMES = rounds(1000, 20_000);
const CONNECTIONS = 10;
const MOST_OF_A_CONNECTION = 64;

describe('X-11 a server that writes for a long time prepares no more than its connections may keep', () => {
  const repeat = async (times: number, write: (i: number) => Promise<unknown>) => {
    for (let i = 0; i < times; i++) await write(i);
  };
  const expectFew = async () => {
    expect(prepared.inDriver()).toBeLessThanOrEqual(MOST_OF_A_CONNECTION);
    expect(await prepared.onServer()).toBeLessThanOrEqual(CONNECTIONS * MOST_OF_A_CONNECTION);
  };

  it('by every kind of write of its own', { timeout: 1_200_000 }, async () => {
    await Promise.all(Object.values(own).map((write) => repeat(TIMES, write)));
    await expectFew();
  });

  it('by writes of the app that embeds it', { timeout: 1_200_000 }, async () => {
    for (const write of Object.values(app)) await repeat(TIMES / 20, write);
    await expectFew();
  });
});

it('X-11 a database that prepares no more statements is unavailable, until it does again', async () => {
  const { username } = await register();
  const logIn = () =>
    ask('POST', '/auth/login', {
      body: { identifier: username, password: 'correct horse battery' },
    });
  await root.query('SET GLOBAL max_prepared_stmt_count = 0');
  // The connections that are open keep what they have prepared.
  for (const { id } of await others()) await root.query(`KILL ${id}`).catch(() => {});
  const refused = await logIn();
  expect([refused.status, refused.body.code]).toEqual([503, 'unavailable']);
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  await root.query('SET GLOBAL max_prepared_stmt_count = 16382');
  expect((await logIn()).status).toBe(200);
});

async function others(): Promise<{ id: number }[]> {
  const [rows] = await root.query(
    'SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()',
  );
  return rows as { id: number }[];
}
