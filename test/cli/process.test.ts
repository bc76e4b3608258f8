import { readdirSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

const register = async ({ ask }: Pick<Running, 'ask'>, username: string) => {
  const { status, body, text } = await ask('POST', '/auth/register', {
    body: { username, password },
  });
  expect(status, text).toBe(201);
  return body.accessToken as string;
};

/** Options of Node under which whatever the server waits for of its own accord takes so many times as long. */
const slower = (times: number) => {
  const seam = `import timers from 'node:timers/promises'; import { syncBuiltinESMExports } from 'node:module';
    const { setTimeout } = timers; timers.setTimeout = (ms, ...rest) => setTimeout(ms * ${times}, ...rest); syncBuiltinESMExports();`;
  return { node: ['--import', `data:text/javascript,${encodeURIComponent(seam)}`] };
};

/** Asks a server to end, twice, which changes nothing, and answers how long it took. */
async function endOf(server: Awaited<ReturnType<typeof startProcess>>): Promise<number> {
  const start = performance.now();
  void server.kill('SIGINT');
  const { code } = await server.kill('SIGTERM');
  expect(code).toBe(0);
  return performance.now() - start;
}

// A start is dear, so what one process can show in the order of its life stands in one test.
describe('a process', () => {
  it('says in one line where it is, without the password of its database, and nothing more when it is told to be silent', async () => {
    const databaseUrl = await emptyDatabase();
    const server = await startProcess(settingsFor(databaseUrl.replace('root@', 'root:@')));
    const { banner, heard, ask } = server;
    const { pathname, host } = new URL(databaseUrl);
    const place = engine === 'sqlite' ? databaseUrl : `mysql://${host}${pathname}`;
    expect(banner).toMatch(
      /^Sallyport is at http:\/\/127\.0\.0\.1:\d+ · listening on http:\/\/127\.0\.0\.1:\d+ · database \S+ · strategies on: .*\blocal\b.*; off: \S.* · docs http:\S+\/docs$/,
    );
    expect(banner).toContain(`· database ${place} ·`);
    expect(banner).not.toContain('root');
    expect(heard.stderr).toBe(`${banner}\n`);
    expect((await ask('GET', '/readyz')).status).toBe(200);
    expect((await ask('GET', '/nowhere')).status).toBe(404);
    const { stdout, stderr } = await server.kill('SIGTERM');
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: `${banner}\n` });
  });

  it('holds its port against a second one, goes at once when nobody is there, and does not open with another secret', async () => {
    const databaseUrl = await emptyDatabase();
    const env = settingsFor(databaseUrl);
    const server = await startProcess(env, slower(20));
    const second = await runProcess('server', { ...env, PORT: new URL(server.url).port });
    expect(second.stderr).toMatch(/^[^\n]*EADDRINUSE[^\n]*\n$/);
    expect(second.code).toBe(1);

    const took: number[] = [await endOf(server)];
    // A client of another test may knock at a port that its server had before. Then notice is given, for 20 s.
    while (took.at(-1)! > 15_000 && took.length < 3)
      took.push(await endOf(await startProcess(env, slower(20))));
    expect(took.at(-1)).toBeLessThan(15_000);

    if (engine === 'mysql') return;
    const stranger = await runProcess('server', settingsFor(databaseUrl));
    expect(stranger.stderr).toMatch(
      /^The signing keys in this database were sealed under another APP_SECRET\. .*\n$/,
    );
    expect(stranger.code).toBe(1);
  });

  it('may begin at once with others on an empty database: one schema, one signing key, one secret', async () => {
    const made = engine === 'sqlite';
    // Without a DATABASE_URL and an APP_SECRET, both are made: for their own user alone, whatever the umask allows.
    const env = made
      ? { PORT: '0', LOG_LEVEL: 'silent', BCRYPT_COST: '4' }
      : settingsFor(await emptyDatabase());
    const cwd = emptyFolder();
    const nodes = await Promise.all(
      [1, 2].map(() => startProcess(env, { cwd, before: 'umask 0' })),
    );
    const data = join(cwd, 'data');
    const databaseUrl =
      'DATABASE_URL' in env ? env.DATABASE_URL! : `sqlite:${data}/sallyport.sqlite`;
    const migrated = (await rowsOf(databaseUrl, 'SELECT name FROM migrations')).map(
      ({ name }) => name,
    );
    expect(migrated.length).toBeGreaterThan(0);
    expect(new Set(migrated).size).toBe(migrated.length);
    expect(await rowsOf(databaseUrl, 'SELECT name FROM roles ORDER BY name')).toMatchObject([
      { name: 'admin' },
      { name: 'moderator' },
      { name: 'user' },
    ]);
    expect(await rowsOf(databaseUrl, 'SELECT kid FROM signing_keys')).toHaveLength(1);
    const token = await register(nodes[0]!, 'ada');
    for (const { ask } of nodes) expect((await ask('GET', '/me', { token })).status).toBe(200);
    if (!made) return;
    const files = readdirSync(data).sort(); // and no half-made secret among them
    expect(files).toEqual([
      'app-secret',
      'sallyport.sqlite',
      'sallyport.sqlite-shm',
      'sallyport.sqlite-wal',
    ]);
    for (const file of files)
      expect((statSync(join(data, file)).mode & 0o777).toString(8), file).toBe('600');
  });
});

/** One GET over a kept connection; the code of the error if there is no answer. */
const getOver = (agent: Agent, url: string, token: string) =>
  new Promise<number | string>((resolve) => {
    request(url, { agent, headers: { authorization: `Bearer ${token}` } }, (res) => {
      res.resume().once('end', () => resolve(res.statusCode!));
    })
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });

describe('stopping', () => {
  it('answers what 20 clients asked, says that it is leaving, and resets nobody', async () => {
    const server = await startProcess(settingsFor(await emptyDatabase()), slower(4));
    const token = await register(server, 'ada');
    const outcomes = new Map<number | string, number>();
    const ready: (number | string)[] = [];
    const over = new AbortController();
    const client = async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (!over.signal.aborted) {
        const outcome = await getOver(agent, `${server.url}/me`, token);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      agent.destroy();
    };
    // As a load balancer does: it asks now and then, and sends nothing more once the answer is no.
    const balancer = async () => {
      const agent = new Agent({ keepAlive: true });
      while (!over.signal.aborted) {
        const outcome = await getOver(agent, `${server.url}/readyz`, token);
        ready.push(outcome);
        if (outcome !== 200) over.abort();
        await sleep(50);
      }
      agent.destroy();
    };
    const clients = Array.from({ length: 20 }, client);
    const watching = balancer();
    await eventually(() => expect(outcomes.get(200)).toBeGreaterThan(100));
    const start = performance.now();
    const { code, signal } = await server.kill('SIGTERM');
    const ms = performance.now() - start;
    await Promise.all([...clients, watching]);
    if (process.env['REPORT']) console.info('SIGTERM', ms, outcomes);
    expect(ready.at(-1)).toBe(503);
    expect([...outcomes.keys()]).toEqual([200]);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(ms).toBeLessThan(12_000); // four seconds' notice; eight more, and connections are cut
  });
});

describe('being killed', () => {
  it('loses nobody whom it answered 201, and leaves nobody half made', async () => {
    const databaseUrl = await emptyDatabase();
    const env = settingsFor(databaseUrl);
    const acknowledged: string[] = [];
    const rounds = Number(process.env['ROUNDS'] ?? 2);
    let server = await startProcess(env);
    const token = await register(server, 'first');
    for (let round = 0; round < rounds; round++) {
      const over = new AbortController();
      const { ask } = server;
      const signUps = Array.from({ length: 8 }, async (_, client) => {
        for (let i = 0; !over.signal.aborted; i++) {
          const username = `u${round}-${client}-${i}`;
          const answer = await ask('POST', '/auth/register', {
            body: { username, password },
          }).catch(() => undefined);
          if (answer?.status === 201) acknowledged.push(username);
        }
      });
      const enough = acknowledged.length + 1 + Math.random() * 40;
      await eventually(() => expect(acknowledged.length).toBeGreaterThanOrEqual(enough));
      await sleep(Math.random() * 5);
      await server.kill();
      over.abort();
      await Promise.all(signUps);
      server = await startProcess(env);
      expect((await server.ask('GET', '/me', { token })).status).toBe(200);
    }
    for (const identifier of acknowledged)
      expect(
        (await server.ask('POST', '/auth/login', { body: { identifier, password } })).status,
        identifier,
      ).toBe(200);
    const half =
      'SELECT u.id FROM users u LEFT JOIN user_roles r ON r.user_id = u.id WHERE r.user_id IS NULL';
    expect(await rowsOf(databaseUrl, half)).toEqual([]);
    const signUps = await rowsOf(databaseUrl, 'SELECT username FROM users');
    if (process.env['REPORT'])
      console.info(
        `kill -9: ${acknowledged.length} acknowledged, ${signUps.length} kept, in ${rounds} rounds`,
      );
  });
});

// What Node does with a mistake has nothing to do with the database: once is enough.
describe.runIf(engine === 'sqlite')('a mistake in the process', () => {
  const seam = `data:text/javascript,${encodeURIComponent(`
    process.on('SIGUSR2', () => void Promise.reject(Object.assign(new Error('nobody listens'), { parameters: ['ca' + 'nary'] })));
    process.on('SIGHUP', () => { throw Object.assign(new Error('nobody catches'), { parameters: ['ca' + 'nary'] }); });`)}`;

  it('that is a rejection ends nothing; that is an exception ends it in order, with 1', async () => {
    const server = await startProcess(settingsFor(await emptyDatabase(), { LOG_LEVEL: 'error' }), {
      node: ['--import', seam],
    });
    process.kill(server.pid, 'SIGUSR2');
    await eventually(() => expect(server.heard.stdout).toContain('nobody listens'));
    expect((await server.ask('GET', '/livez')).status).toBe(200);
    const { code, stdout } = await server.kill('SIGHUP');
    expect(code).toBe(1);
    expect(stdout).toContain('nobody catches');
    expect(stdout).not.toContain('canary');
    for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
  });
});
