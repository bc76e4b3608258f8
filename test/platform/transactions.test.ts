import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { QueryTypes, Sequelize, type Options } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { User } from '#models/index';
import { openContext } from '#src/open-context';
import { openSequelize } from '#src/platform/database/open';
import { sqliteModule } from '#src/platform/database/sqlite';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { resetPasswordMail } from '#src/passwords/mails';
import { password, startApp, testEnv } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { HANGS } from '#test/support/client';
import { emptyDatabase, engine } from '#test/support/database';
import { rowsOf } from '#test/support/process';
import { lockFile } from '#test/support/elsewhere';
import { eventually } from '#test/support/eventually';

/** An instance on a database of its own, without a server: nothing else asks that database. */
async function instance() {
  const databaseUrl = await emptyDatabase();
  const ctx = await openContext(parseSettings(settingsFrom(testEnv(databaseUrl))));
  afterAll(() => ctx.close());
  const { Role } = ctx.db;
  return {
    ctx,
    databaseUrl,
    roleNamed: (name: string) => Role.create({ id: uuid(), name }),
    isThere: async (name: string) => (await Role.count({ where: { name } })) === 1,
    /** Whether it is committed: another connection sees it. */
    isStored: async (name: string) =>
      (await rowsOf(databaseUrl, `SELECT 1 FROM roles WHERE name = '${name}'`)).length === 1,
  };
}

const { ctx, databaseUrl: url, roleNamed, isThere, isStored } = await instance();
const other = await instance();
const { auth, databaseUrl: embedded } = await startApp();
const { sequelize: database, Session, User: Users } = ctx.db;
const transaction = <T>(fn: () => Promise<T>) => ctx.db.transaction(fn);
const afterCommit = (work: () => void) => ctx.db.afterCommit(work);
const newUser = () => Users.create({ id: uuid(), usernameCanonical: uuid() });
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

it('joins the one around it in queries that it sends itself, and in helpers of Sequelize', async () => {
  const id = uuid();
  const undone = transaction(async () => {
    const created = new Date().toISOString().replace('T', ' ').replace('Z', '');
    await database.query('INSERT INTO roles (id, name, created_at) VALUES ($1, $2, $3)', {
      bind: [id, 'by hand', created],
    });
    expect(await isThere('by hand')).toBe(true);
    const sql = 'SELECT name FROM roles WHERE id = $1';
    expect(await database.query(sql, { type: QueryTypes.SELECT, bind: [id] })).toEqual([
      { name: 'by hand' },
    ]);
    expect(await isStored('by hand')).toBe(false);
    await Users.findOrCreate({ where: { usernameCanonical: 'sought' }, defaults: { id } });
    await Users.bulkCreate([{ id: uuid(), usernameCanonical: 'in bulk' }]);
    throw broken;
  });
  await expect(undone).rejects.toBe(broken);
  expect(await isThere('by hand')).toBe(false);
  expect(await Users.count({ where: { usernameCanonical: ['sought', 'in bulk'] } })).toBe(0);
});

it.skipIf(engine === 'mysql')(
  'of the app that waits for a write outside it fails, and the queue goes on',
  async () => {
    const never = await database.transaction();
    await expect(roleNamed('outside')).rejects.toThrow('SQLITE_BUSY');
    const behind = roleNamed('behind');
    await never.rollback();
    await behind;
    expect(await isStored('behind')).toBe(true);
  },
  20_000,
);

describe('transaction(callback) of Sequelize', () => {
  it('is undone by itself when it fails and that is caught', async () => {
    const events: string[] = [];
    await database.transaction(async () => {
      await roleNamed('kept around');
      const failed = database.transaction(async () => {
        await roleNamed('undone within');
        afterCommit(() => events.push('undone'));
        throw broken;
      });
      await expect(failed).rejects.toBe(broken);
      await database.transaction(async () => {
        await roleNamed('kept within');
        afterCommit(() => events.push('kept'));
      });
      expect(events).toEqual([]);
    });
    expect(events).toEqual(['kept']);
    for (const name of ['kept around', 'kept within']) expect(await isStored(name)).toBe(true);
    expect(await isThere('undone within')).toBe(false);
  });

  it('joins the one around it, and is undone with it', async () => {
    const undone = transaction(async () => {
      await roleNamed('around');
      await database.transaction(async (given) => {
        await roleNamed('within');
        const { Role } = ctx.db;
        expect(await Role.count({ where: { name: 'around' }, transaction: given })).toBe(1);
      });
      await roleNamed('after within');
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    for (const name of ['around', 'within', 'after within'])
      expect(await isStored(name), name).toBe(false);
  });

  it('is all or nothing by itself: queries inside join it', async () => {
    const events: string[] = [];
    await database.transaction(async () => {
      await roleNamed('by callback');
      afterCommit(() => events.push('committed'));
      expect(await isStored('by callback')).toBe(false);
    });
    expect(await isStored('by callback')).toBe(true);
    const undone = database.transaction({}, async () => {
      await roleNamed('by callback, undone');
      afterCommit(() => events.push('undone'));
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect(await isStored('by callback, undone')).toBe(false);
    expect(events).toEqual(['committed']);
  });

  it('what is left running when it is over starts one of its own', async () => {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    let late: Promise<unknown> = Promise.resolve();
    const events: string[] = [];
    await transaction(async () => {
      await roleNamed('early');
      late = over.then(() =>
        transaction(async () => {
          await roleNamed('late');
          afterCommit(() => events.push('late'));
        }),
      );
    });
    end();
    await late;
    expect([await isStored('early'), await isStored('late'), events]).toEqual([
      true,
      true,
      ['late'],
    ]);
  });
});

it('is left alone by a query that names another transaction, or none', async () => {
  const undone = transaction(async () => {
    expect(await ctx.db.Role.count({ where: { name: 'kept' }, transaction: null })).toBe(1);
    await roleNamed('ours alone');
    expect(await ctx.db.Role.count({ where: { name: 'ours alone' }, transaction: null })).toBe(0);
    throw broken;
  });
  await expect(undone).rejects.toBe(broken);
});

it('is over for what comes after it: that joins nothing', async () => {
  await transaction(() => roleNamed('before'));
  await roleNamed('after');
  expect(await isStored('after')).toBe(true);
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
  const { id } = await Session.create({
    id: uuid(),
    userId: user.id,
    strategy: 'local',
    expiresAt: new Date(),
  });
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
  expect(there.filter(Boolean)).toHaveLength(
    outcomes.filter(({ status }) => status === 'fulfilled').length,
  );
});

it.skipIf(engine === 'sqlite')(
  'runs again when the database chose it as the victim of a deadlock',
  async () => {
    const [one, two] = [await newUser(), await newUser()];
    let attempts = 0;
    const { promise: both, resolve: meet } = Promise.withResolvers<void>();
    let arrived = 0;
    const rename = (first: User, second: User, name: string) =>
      transaction(async () => {
        attempts++;
        await Users.update({ name }, { where: { id: first.id } });
        if (++arrived === 2) meet();
        await both;
        await Users.update({ name }, { where: { id: second.id } });
      });
    await Promise.all([rename(one, two, 'a'), rename(two, one, 'b')]);
    expect(attempts).toBe(3);
    const names = (await Users.findAll({ where: { id: [one.id, two.id] } })).map(
      ({ name }) => name,
    );
    expect(new Set(names).size).toBe(1);
  },
);

it('does not run again what failed for a reason of its own', async () => {
  let attempts = 0;
  const taken = transaction(async () => {
    attempts++;
    await roleNamed('kept');
  });
  await expect(taken).rejects.toThrow('Validation error');
  expect(attempts).toBe(1);
});

it.skipIf(engine === 'mysql')(
  'gives up after two seconds on a file that another process holds, however many wait',
  async () => {
    const other = new DatabaseSync(url.slice('sqlite:'.length));
    await lockFile(other);
    const start = performance.now();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => transaction(() => roleNamed(`late-${i}`))),
    );
    const ms = performance.now() - start;
    other.exec('ROLLBACK');
    other.close();
    expect(outcomes.map(({ status }) => status)).toEqual(
      Array.from({ length: 10 }, () => 'rejected'),
    );
    expect(ms).toBeLessThan(HANGS); // ten times two seconds, if one waited after the other
    await roleNamed('in-time');
  },
);

describe('work for after the commit', () => {
  it('waits for the commit, and is done in its order', async () => {
    const done: string[] = [];
    await transaction(async () => {
      await roleNamed('with work');
      afterCommit(() => done.push('first'));
      await transaction(async () => afterCommit(() => done.push('second')));
      expect(done).toEqual([]);
      expect(await isStored('with work')).toBe(false);
      afterCommit(() => done.push('third'));
    });
    expect(done).toEqual(['first', 'second', 'third']);
    expect(await isStored('with work')).toBe(true);
  });

  it('is done at once without a transaction', () => {
    let done = false;
    afterCommit(() => (done = true));
    expect(done).toBe(true);
  });

  it('finds what was committed, and is in no transaction itself', async () => {
    const { promise: seen, resolve: see } = Promise.withResolvers<boolean>();
    await transaction(async () => {
      await roleNamed('seen by work');
      afterCommit(() => void isStored('seen by work').then(see));
      afterCommit(() => void roleNamed('made by work'));
    });
    expect(await seen).toBe(true);
    await eventually(async () => expect(await isStored('made by work')).toBe(true));
  });

  it('is never done when the transaction is undone, at whatever depth it was asked for', async () => {
    let done = 0;
    const undone = transaction(async () => {
      afterCommit(() => done++);
      await transaction(async () => {
        await roleNamed('undone with work');
        afterCommit(() => done++);
      });
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    await transaction(() => roleNamed('next'));
    expect(done).toBe(0);
  });

  it.skipIf(engine === 'sqlite')('is done once when the transaction ran again', async () => {
    const [one, two] = [await newUser(), await newUser()];
    const done: string[] = [];
    let attempts = 0;
    let arrived = 0;
    const { promise: both, resolve: meet } = Promise.withResolvers<void>();
    const rename = (first: User, second: User, name: string) =>
      transaction(async () => {
        attempts++;
        afterCommit(() => done.push(name));
        await Users.update({ name }, { where: { id: first.id } });
        if (++arrived === 2) meet();
        await both;
        await Users.update({ name }, { where: { id: second.id } });
      });
    await Promise.all([rename(one, two, 'a'), rename(two, one, 'b')]);
    expect(attempts).toBe(3);
    expect(done.sort()).toEqual(['a', 'b']);
  });
});

describe('an event', () => {
  const heard: string[] = [];
  beforeEach(() => {
    heard.length = 0;
    return ctx.events.on('role.created', ({ role }) => void heard.push(role));
  });
  const emit = (role: string) => ctx.events.emit('role.created', { role });

  it('without a transaction is a mistake, unless it has no cause in the database', async () => {
    expect(() => emit('alone')).toThrow('belongs into a transaction');
    expect(heard).toEqual([]);
    await ctx.events.record(['role.created', { role: 'recorded' }]);
    expect(heard).toEqual(['recorded']);
  });

  it('is delivered after the commit, to listeners who then find what it tells of', async () => {
    const { promise: found, resolve: find } = Promise.withResolvers<boolean>();
    const stop = ctx.events.onAny(() => void isStored('told').then(find));
    onTestFinished(stop);
    await transaction(async () => {
      await roleNamed('told');
      await transaction(async () => emit('told'));
      expect(heard).toEqual([]);
    });
    expect(heard).toEqual(['told']);
    expect(await found).toBe(true);
  });

  it('whose transaction was undone is never delivered', async () => {
    const undone = transaction(async () => {
      emit('outer');
      await transaction(async () => {
        await roleNamed('never told');
        emit('never told');
      });
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    const refused = transaction(async () => {
      emit('kept');
      await roleNamed('kept');
    });
    await expect(refused).rejects.toThrow('Validation error');
    await transaction(async () => emit('next'));
    expect(heard).toEqual(['next']);
  });

  it('of one instance is not heard by another', async () => {
    const elsewhere: string[] = [];
    other.ctx.events.onAny((name) => elsewhere.push(name));
    await transaction(async () => {
      emit('here');
      await other.ctx.events.record(['role.created', { role: 'there' }]);
      // What happens on another instance does not wait for our commit.
      expect([heard, elsewhere]).toEqual([[], ['role.created']]);
    });
    expect([heard, elsewhere]).toEqual([['here'], ['role.created']]);
  });
});

describe('a mail worker', () => {
  const mail = resetPasswordMail({ name: null, link: linkTo(ctx.settings, '/') });
  const queue = () => queueMail(ctx, 'ada@example.com', mail);
  /** How many mails another connection sees. */
  const stored = async () => (await rowsOf(url, 'SELECT id FROM outgoing_mails')).length;
  /** What it saw each time it was woken. */
  let woken: Promise<number>[];
  beforeEach(async () => {
    await ctx.db.OutgoingMail.destroy({ where: {} });
    woken = [];
    ctx.outbox.onWake(() => void woken.push(stored()));
    return () => ctx.outbox.onWake(undefined);
  });

  it('is woken after the commit only, and then finds the mails', async () => {
    await transaction(async () => {
      await queue();
      await transaction(queue);
      expect([woken, await stored()]).toEqual([[], 0]);
    });
    expect(woken.length).toBeGreaterThan(0);
    expect(new Set(await Promise.all(woken))).toEqual(new Set([2]));
  });

  it('is woken for a mail of no transaction when it is stored', async () => {
    await queue();
    expect(await Promise.all(woken)).toEqual([1]);
  });

  it('is not woken when the transaction was undone', async () => {
    const undone = transaction(async () => {
      await queue();
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect([woken, await stored()]).toEqual([[], 0]);
  });
});

describe('two instances on two databases', () => {
  it('do not join each other’s transaction', async () => {
    const undone = transaction(async () => {
      await roleNamed('ours');
      await other.roleNamed('theirs at once');
      expect(await other.isStored('theirs at once')).toBe(true);
      let done = false;
      other.ctx.db.afterCommit(() => (done = true));
      expect(done).toBe(true);

      await other.ctx.db.transaction(async () => {
        await other.roleNamed('theirs');
        await roleNamed('ours, within theirs');
        expect(await other.isStored('theirs')).toBe(false);
        other.ctx.db.afterCommit(() => (done = false));
        expect(done).toBe(true);
      });
      expect(await other.isStored('theirs')).toBe(true);
      expect(done).toBe(false);
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect([await isThere('ours'), await isThere('ours, within theirs')]).toEqual([false, false]);
    expect([await other.isThere('theirs at once'), await other.isThere('theirs')]).toEqual([
      true,
      true,
    ]);
  });

  it('are undone apart: what fails in the inner one leaves the outer one whole', async () => {
    await transaction(async () => {
      await roleNamed('outer stays');
      const inner = other.ctx.db.transaction(async () => {
        await other.roleNamed('inner goes');
        await roleNamed('outer stays, too');
        throw broken;
      });
      await expect(inner).rejects.toBe(broken);
    });
    expect([await isStored('outer stays'), await isStored('outer stays, too')]).toEqual([
      true,
      true,
    ]);
    expect(await other.isStored('inner goes')).toBe(false);
  });
});

describe('a host app that called Sequelize.useCLS', () => {
  /** A namespace as `cls-hooked` makes one, and all that was asked of it. */
  const values = new AsyncLocalStorage<Map<string, unknown>>();
  const asked: string[] = [];
  const namespace = {
    bind: <F>(fn: F) => fn,
    run: <T>(fn: () => T) => values.run(new Map(values.getStore()), fn),
    get: (key: string) => values.getStore()?.get(key),
    set: (key: string, value: unknown) => {
      asked.push(key);
      values.getStore()?.set(key, value);
    },
  };
  const home = Sequelize as unknown as { _cls?: unknown; useCLS(namespace: object): void };
  /** A plain Sequelize over a database of its own. */
  async function openHost(): Promise<Sequelize> {
    const databaseUrl = await emptyDatabase();
    if (engine === 'mysql') return new Sequelize(databaseUrl, { dialect: 'mysql', logging: false });
    const sqlite3 = sqliteModule(() => {});
    const options: Options = {
      dialect: 'sqlite',
      dialectModule: sqlite3,
      dialectOptions: { mode: sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE },
      storage: databaseUrl.slice('sqlite:'.length),
      logging: false,
    };
    return new Sequelize(options);
  }
  let before: unknown;
  let host: Sequelize;
  beforeEach(async () => {
    before = home._cls;
    home.useCLS(namespace);
    host = await openHost();
    await host.query('CREATE TABLE things (name VARCHAR(40))');
    asked.length = 0;
  });
  afterEach(async () => {
    await host.close();
    if (before === undefined) delete home._cls;
    else home._cls = before;
  });
  const things = async () =>
    (await host.query('SELECT name FROM things', { type: QueryTypes.SELECT, transaction: null }))
      .length;

  it('does not disturb our transactions: they are whole, and what joins them still does', async () => {
    const undone = transaction(async () => {
      await roleNamed('beside a host');
      await database.query('SELECT 1');
      await Users.findOrCreate({
        where: { usernameCanonical: 'beside a host' },
        defaults: { id: uuid() },
      });
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect(await isThere('beside a host')).toBe(false);
    expect(await Users.count({ where: { usernameCanonical: 'beside a host' } })).toBe(0);
    await transaction(() => roleNamed('with a host'));
    expect(await isStored('with a host')).toBe(true);
    expect(asked).toEqual([]);
  });

  it('keeps its own transactions to itself, and we ours', async () => {
    const undone = host.transaction(async () => {
      await host.query("INSERT INTO things VALUES ('of the host')");
      expect(await isThere('kept')).toBe(true);
      await roleNamed('within the host');
      await transaction(() => roleNamed('also within the host'));
      await host.query("INSERT INTO things VALUES ('of the host, too')");
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect(await things()).toBe(0);
    expect([await isStored('within the host'), await isStored('also within the host')]).toEqual([
      true,
      true,
    ]);
  });

  it('writes within our transaction without joining it', async () => {
    const undone = transaction(async () => {
      await roleNamed('around the host');
      await host.query("INSERT INTO things VALUES ('kept')");
      await host.transaction(() => host.query("INSERT INTO things VALUES ('kept, too')"));
      await roleNamed('around the host, still');
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect(await things()).toBe(2);
    expect([await isThere('around the host'), await isThere('around the host, still')]).toEqual([
      false,
      false,
    ]);
  });
});

describe('an app that embeds the server', () => {
  const { models, sequelize } = auth;
  const count = async (name: string) =>
    (await rowsOf(embedded, `SELECT id FROM users WHERE username_canonical = '${name}'`)).length;
  const insert = (name: string) =>
    sequelize.query(
      'INSERT INTO users (id, username, username_canonical, created_at, updated_at) VALUES ($1, $2, $2, $3, $3)',
      { bind: [uuid(), name, '2026-11-20 00:00:00.000'] },
    );
  const findOrCreate = (name: string) =>
    models.User.findOrCreate({
      where: { usernameCanonical: name },
      defaults: { id: uuid(), username: name },
    });

  const create = (username: string) => auth.users.create({ username, password });
  it.each([
    ['auth.sequelize.query', 'one', insert],
    ['models.User.findOrCreate', 'two', findOrCreate],
    ['auth.users.create', 'three', create],
  ])('joins the transaction by %s', async (_way, name, write) => {
    const undone = auth.transaction(async () => {
      await write(name);
      expect(await models.User.count({ where: { usernameCanonical: name } })).toBe(1);
      expect(await count(name)).toBe(0);
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    expect(await count(name)).toBe(0);
    await auth.transaction<unknown>(() => write(name));
    expect(await count(name)).toBe(1);
  });

  it('hears of what it did in a transaction after the commit, and never when it was undone', async () => {
    const heard: string[] = [];
    onTestFinished(auth.on('role.created', ({ role }) => void heard.push(role)));
    const undone = auth.transaction(async () => {
      await auth.roles.create('undone');
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    await auth.transaction(async () => {
      await auth.roles.create('done');
      expect(heard).toEqual([]);
    });
    expect(heard).toEqual(['done']);
    expect(await auth.roles.list()).not.toContain('undone');
  });
});

it.skipIf(engine === 'sqlite')(
  'takes an answer that was there in time, though this process was too busy to look for it',
  async () => {
    const blink = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500);
    const asked = database.query('SELECT SLEEP(0.1) AS slept', {
      type: QueryTypes.SELECT,
      logging: () => queueMicrotask(blink),
    });
    expect(await asked).toEqual([{ slept: 0 }]);
  },
);

describe.skipIf(engine === 'sqlite')(
  'a connection that has been idle for longer than a server may take to answer',
  () => {
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
      const pool = openSequelize(databaseUrl) as unknown as {
        connectionManager: Manager;
        close(): Promise<void>;
      };
      const connection = await pool.connectionManager.getConnection({ type: 'write' });
      onTestFinished(() => {
        connection.stream.destroy();
        pool.connectionManager.releaseConnection(connection);
        return pool.close();
      });
      await once(connection.stream, 'timeout');
      return (sql) =>
        new Promise((resolve) => connection.query(sql, (error, rows) => resolve(error ?? rows)));
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
  },
);
