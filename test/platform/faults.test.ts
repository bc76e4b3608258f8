import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
} from 'vitest';
import { password } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { startPrivateServer } from '#test/support/mysql';
import {
  emptyFolder,
  rowsOf,
  runProcess,
  settingsFor,
  startProcess,
  type Running,
} from '#test/support/process';
import { lockFile } from '#test/support/elsewhere';

const member = async ({ ask }: Running, username = 'ada') => {
  const { status, body, text } = await ask('POST', '/auth/register', {
    body: { username, password },
  });
  expect(status, text).toBe(201);
  return body.accessToken as string;
};
const logIn = ({ ask }: Running, identifier = 'ada') =>
  ask('POST', '/auth/login', { body: { identifier, password } });
const timed = async <T>(work: Promise<T>) => {
  const start = performance.now();
  return { answer: await work, ms: performance.now() - start };
};
const report = (...what: unknown[]) => process.env['REPORT'] && console.info(...what);

/** Without a database, all that needs it is answered 503, and never with "your token is bad". */
async function expectAway(server: Running, token: string, what: string) {
  const { ask } = server;
  const asked = [
    ask('GET', '/me', { token }),
    logIn(server),
    ask('GET', '/readyz'),
    ask('GET', '/me', { token }),
  ].map(timed);
  const alive = await ask('GET', '/livez');
  expect(alive.status).toBe(200);
  const answers = await Promise.all(asked);
  report(`${what}: ${answers.map(({ ms }) => Math.round(ms)).join(', ')} ms`);
  for (const { answer } of answers) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable', action: 'wait' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  }
}

async function expectRecovered(server: Running, token: string, what: string) {
  const start = performance.now();
  await eventually(async () =>
    expect((await server.ask('GET', '/me', { token })).status).toBe(200),
  );
  expect((await logIn(server)).status).toBe(200);
  expect((await server.ask('GET', '/readyz')).status).toBe(200);
  report(`${what}: back after ${Math.round(performance.now() - start)} ms`);
}

const withPort = (databaseUrl: string, port: number) => databaseUrl.replace(/:\d+\//, `:${port}/`);

describe.skipIf(engine === 'sqlite')('a database server', () => {
  // The tests share one server. Each leaves it working.
  let databaseUrl: string,
    proxy: Awaited<ReturnType<typeof chaosProxy>>,
    server: Running,
    token: string;
  beforeAll(async () => {
    databaseUrl = await emptyDatabase();
    proxy = await chaosProxy(Number(new URL(databaseUrl).port));
    server = await startProcess(settingsFor(withPort(databaseUrl, proxy.port)));
    token = await member(server);
  });
  beforeEach(() => proxy.set('pass'));
  afterAll(async () => {
    await server?.kill();
    proxy?.close();
  });

  it.each([
    ['refuses (X-01)', 'refuse'],
    ['swallows everything (X-03)', 'hold'],
    ['takes far too long (X-04)', 4000],
  ] as const)('that %s', async (what, mode) => {
    proxy.set(mode);
    await expectAway(server, token, what);
    proxy.set('pass');
    await expectRecovered(server, token, what);
  });

  it('that is slow is still good for an answer', async () => {
    proxy.set(100);
    expect([200, 503]).toContain((await server.ask('GET', '/me', { token })).status);
    await eventually(async () =>
      expect((await server.ask('GET', '/me', { token })).status).toBe(200),
    );
    proxy.set('pass');
    await expectRecovered(server, token, 'slow');
  });

  it('that resets its connections in the middle', async () => {
    for (let round = 0; round < 5; round++) {
      const asked = Array.from({ length: 10 }, () => server.ask('GET', '/me', { token }));
      await sleep(round);
      proxy.reset();
      for (const { status } of await Promise.all(asked)) expect([200, 503]).toContain(status);
    }
    await expectRecovered(server, token, 'reset');
  });

  it('where somebody else holds the row (X-07)', async () => {
    const other = await createConnection(databaseUrl);
    await other.query('BEGIN');
    await other.query('SELECT * FROM users FOR UPDATE');
    const [changed, ...others] = await Promise.all([
      server.ask('PATCH', '/me', { token, body: { name: 'Ada' } }),
      ...Array.from({ length: 5 }, () => server.ask('GET', '/me', { token })),
    ]);
    expect(changed).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    for (const { status } of others) expect(status).toBe(200);
    await other.query('ROLLBACK');
    await other.end();
    expect((await server.ask('PATCH', '/me', { token, body: { name: 'Ada' } })).status).toBe(200);
  });

  it('that is away when we begin ends it in a sentence', async () => {
    const dead = await chaosProxy(Number(new URL(inject('mysqlUrl')).port));
    onTestFinished(() => dead.close());
    dead.set('refuse');
    const { code, stderr } = await runProcess(
      'server',
      settingsFor(`mysql://root:canary@127.0.0.1:${dead.port}/x`),
    );
    expect(stderr).toMatch(
      /^The database at \S+ does not answer \(\w+\)\. Is it running, .*is DATABASE_URL right\?\n$/,
    );
    expect(code).toBe(1);
  });

  it.skipIf(spawnSync('which', ['mariadbd']).status !== 0)(
    'that freezes (X-03), has no connection left (X-08), and is killed (X-02)',
    async () => {
      const database = await startPrivateServer();
      onTestFinished(() => database.stop());
      const root = await createConnection(database.url);
      await root.query('CREATE DATABASE x');
      const server = await startProcess(settingsFor(`${database.url}/x`));
      const token = await member(server);

      process.kill(database.pid, 'SIGSTOP');
      await expectAway(server, token, 'frozen');
      process.kill(database.pid, 'SIGCONT');
      await expectRecovered(server, token, 'frozen');

      await root.query('SET GLOBAL max_connections = 10');
      const idle = [];
      for (;;) {
        const connection = await createConnection(database.url).catch(() => undefined);
        if (!connection) break;
        idle.push(connection);
      }
      const crowd = await Promise.all(
        Array.from({ length: 20 }, () => server.ask('GET', '/me', { token })),
      );
      for (const { status } of crowd) expect([200, 503]).toContain(status);
      for (const connection of idle) connection.destroy();
      await expectRecovered(server, token, 'crowded');

      const acknowledged: string[] = [];
      const over = new AbortController();
      const signUps = Array.from({ length: 8 }, async (_, client) => {
        for (let i = 0; !over.signal.aborted; i++) {
          const username = `u${client}-${i}`;
          const { status, text } = await server.ask('POST', '/auth/register', {
            body: { username, password },
          });
          expect([201, 503], text).toContain(status);
          if (status === 201) acknowledged.push(username);
          else await sleep(20);
        }
      });
      await sleep(500);
      root.on('error', () => {});
      await database.kill();
      await expectAway(server, token, 'killed');
      await database.start();
      await expectRecovered(server, token, 'killed');
      over.abort();
      await Promise.all(signUps);
      report(`killed: ${acknowledged.length} acknowledged`);
      const kept = new Set(
        (await rowsOf(`${database.url}/x`, 'SELECT username FROM users')).map(
          ({ username }) => username,
        ),
      );
      expect(acknowledged.filter((username) => !kept.has(username))).toEqual([]);
      expect(await rowsOf(`${database.url}/x`, HALF)).toEqual([]);

      // A frozen database server closes no connection. The process ends all the same.
      process.kill(database.pid, 'SIGSTOP');
      const gone = await server.kill('SIGTERM');
      process.kill(database.pid, 'SIGCONT');
      expect(gone.code).toBe(0);
    },
  );
});

const HALF =
  'SELECT u.id FROM users u LEFT JOIN user_roles r ON r.user_id = u.id WHERE r.user_id IS NULL';
const mounts =
  process.getuid?.() === 0 &&
  process.platform === 'linux' &&
  spawnSync('which', ['mount']).status === 0;

describe.skipIf(engine === 'mysql')('a database in a file', () => {
  const onFile = async () => {
    const databaseUrl = await emptyDatabase();
    const server = await startProcess(settingsFor(databaseUrl));
    return {
      server,
      databaseUrl,
      file: databaseUrl.slice('sqlite:'.length),
      token: await member(server),
    };
  };
  const signUp = ({ ask }: Running, username: string) =>
    timed(ask('POST', '/auth/register', { body: { username, password } }));

  it('that another process has locked: writers wait a moment, then hear no, and readers notice nothing (X-11)', async () => {
    const { server, file, token } = await onFile();
    const other = new DatabaseSync(file);
    await lockFile(other);
    const start = performance.now();
    const writes = ['a1', 'b1', 'c1', 'd1', 'e1', 'f1'].map((username) => signUp(server, username));
    const slowest = { livez: 0, me: 0 };
    const over = new AbortController();
    const watch = (async () => {
      while (!over.signal.aborted) {
        for (const path of ['livez', 'me'] as const) {
          const { answer, ms } = await timed(server.ask('GET', `/${path}`, { token }));
          expect(answer.status).toBe(200);
          slowest[path] = Math.max(slowest[path], ms);
        }
        await sleep(10);
      }
    })();
    const outcomes = await Promise.all(writes);
    over.abort();
    await watch;
    report('locked', outcomes.map(({ ms }) => Math.round(ms)).join(', '), slowest);
    for (const { answer } of outcomes)
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(Math.max(slowest.livez, slowest.me)).toBeLessThan(1800); // writers wait 2000
    await sleep(Math.max(0, 2500 - (performance.now() - start)));
    other.exec('ROLLBACK');
    other.close();
    expect((await signUp(server, 'a1')).answer.status).toBe(201);

    const again = new DatabaseSync(file);
    await lockFile(again);
    const patient = ['a2', 'b2', 'c2'].map((username) => signUp(server, username));
    await sleep(500);
    again.exec('ROLLBACK');
    again.close();
    for (const { answer } of await Promise.all(patient)) expect(answer.status).toBe(201);
    expect(await rowsOf(`sqlite:${file}`, HALF)).toEqual([]);
  });

  const expectFull = async (server: Running, token: string) => {
    let status = 201;
    for (let i = 0; status === 201 && i < 500; i++)
      ({ status } = (await signUp(server, `full${i}`)).answer);
    expect(status).toBe(503);
    expect((await signUp(server, 'one-more')).answer.status).toBe(503);
    for (const path of ['/me', '/livez', '/readyz'])
      expect((await server.ask('GET', path, { token })).status).toBe(200);
  };

  it('that may not grow', async () => {
    const databaseUrl = await emptyDatabase();
    const server = await startProcess(settingsFor(databaseUrl), { before: 'ulimit -S -f 1400' });
    const token = await member(server);
    await expectFull(server, token);
    expect(await rowsOf(databaseUrl, 'PRAGMA integrity_check')).toMatchObject([
      { integrity_check: 'ok' },
    ]);
    expect(await rowsOf(databaseUrl, HALF)).toEqual([]);
  });

  it.skipIf(!mounts)('on a disk that is full, and then is not (X-10)', async () => {
    const disk = emptyFolder();
    const mounted = (options: string) =>
      spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status === 0;
    if (!mounted('size=1400k')) return;
    onTestFinished(() => void spawnSync('umount', ['-l', disk]));
    const server = await startProcess(settingsFor(`sqlite:${disk}/x.sqlite`));
    const token = await member(server);
    await expectFull(server, token);
    expect(mounted('remount,size=8m')).toBe(true);
    expect((await signUp(server, 'grace')).answer.status).toBe(201);
    expect(await rowsOf(`sqlite:${disk}/x.sqlite`, 'PRAGMA integrity_check')).toMatchObject([
      { integrity_check: 'ok' },
    ]);
    expect(await rowsOf(`sqlite:${disk}/x.sqlite`, HALF)).toEqual([]);
  });

  it('that becomes something else while we run', async () => {
    const { server, file, token } = await onFile();
    // Not the index of the log (-shm): SQLite maps it into memory, and who shortens it ends the process (SIGBUS).
    for (const each of [file, `${file}-wal`]) {
      const { size } = statSync(each);
      writeFileSync(each, Buffer.alloc(size, 'no database '));
    }
    const { answer } = await signUp(server, 'grace');
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect([200, 503]).toContain((await server.ask('GET', '/me', { token })).status);
    expect([200, 503]).toContain((await logIn(server)).status);
    expect((await server.ask('GET', '/livez')).status).toBe(200);
  });

  it('that is gone is not replaced by an empty one', async () => {
    const { server, file, token } = await onFile();
    for (const end of ['', '-wal', '-shm']) rmSync(file + end);
    const { answer } = await signUp(server, 'grace');
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect([200, 503]).toContain((await server.ask('GET', '/me', { token })).status);
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  it('that is none, or is out of reach, when we begin ends it in a sentence', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'garbage'), 'no database '.repeat(1000));
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'file'), '');
    const ends = await Promise.all(
      ['garbage', 'folder'].map((name) =>
        runProcess('server', settingsFor(`sqlite:${join(folder, name)}`)),
      ),
    );
    for (const { code, stderr } of ends) {
      expect(stderr).toMatch(/^\S+ is (no SQLite database|a folder): [^\n]*DATABASE_URL[^\n]*\n$/);
      expect(code).toBe(1);
    }
    const { code, stderr } = await runProcess(
      'server',
      settingsFor(`sqlite:${join(folder, 'file/x.sqlite')}`),
    );
    expect(stderr).toMatch(/^\S+ is no folder, [^\n]*DATABASE_URL[^\n]*\n$/);
    expect(code).toBe(1);
  });
});
