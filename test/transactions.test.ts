import { once } from 'node:events';
import type { Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { QueryTypes } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '#migrations/index';
import { open } from '#models/database';
import { connect, Role, Session, transaction, User } from '#models/index';
import { chaosProxy } from '#test/support/chaos-proxy';
import { emptyDatabase, engine } from '#test/support/database';

const url = await emptyDatabase();
await migrate(url);
const database = connect(url);
afterAll(() => database.close());

const roleNamed = (name: string) => Role.create({ id: uuid(), name });
const isThere = async (name: string) => (await Role.count({ where: { name } })) === 1;
const newUser = () => User.create({ id: uuid(), usernameCanonical: uuid() });
const broken = new Error('on purpose');

it('is all or nothing', async () => {
  await transaction(() => roleNamed('kept'));
  expect(await isThere('kept')).toBe(true);
  const undone = transaction(async () => {
    await roleNamed('undone');
    expect(await isThere('undone')).toBe(true);
    throw broken;
  });
  await expect(undone).rejects.toBe(broken);
  expect(await isThere('undone')).toBe(false);
});

it('joins the one around it, and is undone with it', async () => {
  const outer = transaction(async () => {
    await transaction(async () => {
      await roleNamed('inner');
      await transaction(() => roleNamed('innermost'));
    });
    throw broken;
  });
  await expect(outer).rejects.toBe(broken);
  expect([await isThere('inner'), await isThere('innermost')]).toEqual([false, false]);
});

it('is seen by others when it is done, not before', async () => {
  const { promise: looked, resolve: go } = Promise.withResolvers<void>();
  const { promise: written, resolve: wrote } = Promise.withResolvers<void>();
  const writing = transaction(async () => {
    await roleNamed('secret');
    wrote();
    await looked;
  });
  await written;
  expect(await isThere('secret')).toBe(false);
  go();
  await writing;
  expect(await isThere('secret')).toBe(true);
});

it('counts right when 20 read and write at once', async () => {
  const user = await newUser();
  const { id } = await Session.create({ id: uuid(), userId: user.id, strategy: 'local', expiresAt: new Date() });
  await Promise.all(
    Array.from({ length: 20 }, () =>
      transaction(async () => {
        const session = await Session.findByPk(id, { lock: true, rejectOnEmpty: true });
        await session.update({ generation: session.generation + 1 });
      }),
    ),
  );
  expect(await Session.findByPk(id)).toMatchObject({ generation: 20 });
});

it('leaves the way free after failures in a crowd', async () => {
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      transaction(async () => {
        await roleNamed(`crowd-${i % 10}`);
        if (i % 3 === 0) throw broken;
      }),
    ),
  );
  expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
  await roleNamed('afterwards');
  const there = await Promise.all(Array.from({ length: 10 }, (_, i) => isThere(`crowd-${i}`)));
  expect(there.filter(Boolean)).toHaveLength(outcomes.filter(({ status }) => status === 'fulfilled').length);
});

it.skipIf(engine === 'sqlite')('runs again when the database chose it as the victim of a deadlock', async () => {
  const [one, two] = [await newUser(), await newUser()];
  let attempts = 0;
  const { promise: both, resolve: meet } = Promise.withResolvers<void>();
  let arrived = 0;
  const rename = (first: User, second: User, name: string) =>
    transaction(async () => {
      attempts++;
      await User.update({ name }, { where: { id: first.id } });
      if (++arrived === 2) meet();
      await both;
      await User.update({ name }, { where: { id: second.id } });
    });
  await Promise.all([rename(one, two, 'a'), rename(two, one, 'b')]);
  expect(attempts).toBe(3);
  const names = (await User.findAll({ where: { id: [one.id, two.id] } })).map(({ name }) => name);
  expect(new Set(names).size).toBe(1);
});

it('does not run again what failed for a reason of its own', async () => {
  let attempts = 0;
  const taken = transaction(async () => {
    attempts++;
    await roleNamed('kept');
  });
  await expect(taken).rejects.toThrow('Validation error');
  expect(attempts).toBe(1);
});

it.skipIf(engine === 'mysql')('gives up after two seconds on a file that another process holds, however many wait', async () => {
  const other = new DatabaseSync(url.slice('sqlite:'.length));
  other.exec('BEGIN IMMEDIATE');
  const start = performance.now();
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => transaction(() => roleNamed(`late-${i}`))));
  const ms = performance.now() - start;
  other.exec('ROLLBACK');
  other.close();
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'rejected'));
  expect(ms).toBeLessThan(3900);
  await roleNamed('in-time');
});

it.skipIf(engine === 'sqlite')('takes an answer that was there in time, though this process was too busy to look for it', async () => {
  const blink = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
  const asked = database.query('SELECT SLEEP(0.1) AS slept', { type: QueryTypes.SELECT, logging: () => queueMicrotask(blink) });
  expect(await asked).toEqual([{ slept: 0 }]);
});

describe.skipIf(engine === 'sqlite')('a connection that has been idle for longer than a server may take to answer', () => {
  interface Connection {
    stream: Socket;
    query(sql: string, done: (error: unknown, rows: unknown) => void): void;
  }
  interface Manager {
    getConnection(options: object): Promise<Connection>;
    releaseConnection(connection: Connection): void;
  }
  /** It has been idle for that long at this very moment. */
  async function idle(databaseUrl: string): Promise<(sql: string) => Promise<unknown>> {
    const pool = open(databaseUrl) as unknown as { connectionManager: Manager; close(): Promise<void> };
    const connection = await pool.connectionManager.getConnection({ type: 'write' });
    onTestFinished(() => {
      connection.stream.destroy();
      pool.connectionManager.releaseConnection(connection);
      return pool.close();
    });
    await once(connection.stream, 'timeout');
    return (sql) => new Promise((resolve) => connection.query(sql, (error, rows) => resolve(error ?? rows)));
  }

  it('is asked like any other', async () => {
    const ask = await idle(url);
    expect(await ask('SELECT SLEEP(0.1) AS slept')).toEqual([{ slept: 0 }]);
  });

  it('is given up like any other when the server is frozen', async () => {
    const proxy = await chaosProxy(Number(new URL(url).port));
    onTestFinished(() => proxy.close());
    const ask = await idle(Object.assign(new URL(url), { port: proxy.port }).href);
    proxy.set('hold');
    expect(await ask('SELECT 1')).toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' });
  });
});
