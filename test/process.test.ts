import { existsSync, readdirSync, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { emptyFolder, rowsOf, runProcess, settingsFor, startProcess, type Running } from '#test/support/process';

const register = async ({ ask }: Pick<Running, 'ask'>, username: string) => {
  const { status, body, text } = await ask('POST', '/auth/register', { body: { username, password } });
  expect(status, text).toBe(201);
  return body.accessToken as string;
};

describe('starting', () => {
  it('says in one line where it is, without the password of its database', async () => {
    const databaseUrl = await emptyDatabase();
    const { banner, heard, ask } = await startProcess(settingsFor(databaseUrl.replace('root@', 'root:@')));
    const { pathname, host } = new URL(databaseUrl);
    const place = engine === 'sqlite' ? databaseUrl : `mysql://${host}${pathname}`;
    expect(banner).toMatch(
      /^Sallyport is at http:\/\/127\.0\.0\.1:\d+ · database \S+ · strategies on: .*\blocal\b.*; off: \S.* · docs http:\S+\/docs$/,
    );
    expect(banner).toContain(`· database ${place} ·`);
    expect(banner).not.toContain('root');
    expect(heard.stderr).toBe(`${banner}\n`);
    expect((await ask('GET', '/readyz')).status).toBe(200);
  });

  it.skipIf(engine === 'mysql')('keeps its secret and its database for its own user alone', async () => {
    const first = await startProcess({ PORT: '0', LOG_LEVEL: 'silent' }, { before: 'umask 0' });
    await register(first, 'ada');
    const data = join(first.cwd, 'data');
    const files = readdirSync(data).sort();
    expect(files).toEqual(['app-secret', 'sallyport.sqlite', 'sallyport.sqlite-shm', 'sallyport.sqlite-wal']);
    for (const file of files) expect((statSync(join(data, file)).mode & 0o777).toString(8), file).toBe('600');
  });

  it.skipIf(engine === 'mysql')('does not open with another secret than the keys were sealed under', async () => {
    const databaseUrl = await emptyDatabase();
    const first = await startProcess(settingsFor(databaseUrl));
    await first.kill('SIGTERM');
    const { code, stderr } = await runProcess('server', settingsFor(databaseUrl));
    expect(stderr).toMatch(/^The signing keys in this database were sealed under another APP_SECRET\. .*\n$/);
    expect(code).toBe(1);
  });

  it('says in a sentence that its port is taken', async () => {
    const env = settingsFor(await emptyDatabase());
    const { url } = await startProcess(env);
    const { code, stderr } = await runProcess('server', { ...env, PORT: new URL(url).port });
    expect(stderr).toMatch(/^[^\n]*EADDRINUSE[^\n]*\n$/);
    expect(code).toBe(1);
  });

  it('lets several processes begin at once on an empty database: one schema, one signing key', async () => {
    const env = engine === 'sqlite' ? settingsFor('sqlite:data/x.sqlite', { APP_SECRET: undefined }) : settingsFor(await emptyDatabase());
    const cwd = emptyFolder();
    const nodes = await Promise.all([1, 2].map(() => startProcess(env, { cwd })));
    const databaseUrl = engine === 'sqlite' ? `sqlite:${cwd}/data/x.sqlite` : env['DATABASE_URL']!;
    const migrated = (await rowsOf(databaseUrl, 'SELECT name FROM migrations')).map(({ name }) => name);
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
    const server = await startProcess(settingsFor(await emptyDatabase()));
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
    await sleep(300);
    const start = performance.now();
    const { code, signal } = await server.kill('SIGTERM');
    const ms = performance.now() - start;
    await Promise.all([...clients, watching]);
    if (process.env['REPORT']) console.info('SIGTERM', ms, outcomes);
    expect(ready.at(-1)).toBe(503);
    expect([...outcomes.keys()]).toEqual([200]);
    expect(outcomes.get(200)).toBeGreaterThan(100);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(ms).toBeLessThan(5000);
  });

  it('goes at once when nobody is there, and asking twice changes nothing', async () => {
    const server = await startProcess(settingsFor(await emptyDatabase()));
    const start = performance.now();
    void server.kill('SIGINT');
    const { code } = await server.kill('SIGTERM');
    expect(code).toBe(0);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('being killed', () => {
  it('loses nobody whom it answered 201, and leaves nobody half made', { timeout: 60_000 }, async () => {
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
          const answer = await ask('POST', '/auth/register', { body: { username, password } }).catch(() => undefined);
          if (answer?.status === 201) acknowledged.push(username);
        }
      });
      await sleep(150 + Math.random() * 250);
      await server.kill();
      over.abort();
      await Promise.all(signUps);
      server = await startProcess(env);
      expect((await server.ask('GET', '/me', { token })).status).toBe(200);
    }
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const identifier of acknowledged)
      expect((await server.ask('POST', '/auth/login', { body: { identifier, password } })).status, identifier).toBe(200);
    const half = 'SELECT u.id FROM users u LEFT JOIN user_roles r ON r.user_id = u.id WHERE r.user_id IS NULL';
    expect(await rowsOf(databaseUrl, half)).toEqual([]);
    const signUps = await rowsOf(databaseUrl, 'SELECT username FROM users');
    if (process.env['REPORT']) console.info(`kill -9: ${acknowledged.length} acknowledged, ${signUps.length} kept, in ${rounds} rounds`);
  });
});

describe('a mistake in the process', () => {
  const seam = `data:text/javascript,${encodeURIComponent(`
    process.on('SIGUSR2', () => void Promise.reject(Object.assign(new Error('nobody listens'), { parameters: ['ca' + 'nary'] })));
    process.on('SIGHUP', () => { throw Object.assign(new Error('nobody catches'), { parameters: ['ca' + 'nary'] }); });`)}`;

  it('that is a rejection ends nothing; that is an exception ends it in order, with 1', async () => {
    const server = await startProcess(settingsFor(await emptyDatabase(), { LOG_LEVEL: 'error' }), { node: ['--import', seam] });
    process.kill(server.pid, 'SIGUSR2');
    await expect.poll(() => server.heard.stdout).toContain('nobody listens');
    expect((await server.ask('GET', '/livez')).status).toBe(200);
    const { code, stdout } = await server.kill('SIGHUP');
    expect(code).toBe(1);
    expect(stdout).toContain('nobody catches');
    expect(stdout).not.toContain('canary');
    for (const line of stdout.trimEnd().split('\n')) JSON.parse(line);
  });

  it.skipIf(engine === 'mysql')('leaves no half-made secret behind', async () => {
    const cwd = emptyFolder();
    await Promise.all([1, 2].map(() => runProcess('cli', { LOG_LEVEL: 'silent', PORT: '0' }, { cwd, args: ['role', 'list'] })));
    expect(existsSync(join(cwd, 'data'))).toBe(true);
    expect(readdirSync(join(cwd, 'data')).filter((file) => file.startsWith('app-secret.'))).toEqual([]);
  });
});
