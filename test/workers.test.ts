import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSallyport } from '#src/index';
import { password } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import {
  emptyFolder,
  rowsOf,
  runProcess,
  settingsFor,
  startProcess,
  type Running,
} from '#test/support/process';

const WORKERS = 2;
/** A connection that was on its way to a worker that is killed gets no answer, so clients give up in the end. */
const PATIENCE_MS = 20_000;

interface Answer {
  status: number;
  body: { accessToken?: string; code?: string };
}
/** Asks over connections of this agent: without one, over a new connection, which goes to the next worker. */
async function ask(
  url: string,
  question: { token?: string | undefined; body?: object; agent?: Agent } = {},
): Promise<Answer> {
  const { token, body, agent = new Agent() } = question;
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    const req = request(url, { method: body ? 'POST' : 'GET', agent, headers })
      .on('response', resolve)
      .on('error', reject)
      .setTimeout(PATIENCE_MS, () => req.destroy(new Error('no answer')));
    req.end(body && JSON.stringify(body));
  });
  const said = await text(res);
  return { status: res.statusCode!, body: said ? (JSON.parse(said) as Answer['body']) : {} };
}

const register = (url: string, username: string) =>
  ask(`${url}/auth/register`, { body: { username, password } });

/** Processes that have not ended. One that nobody has waited for counts as ended. */
const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => statOf(each)?.parent === pid && lives(each));
function statOf(pid: number) {
  try {
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
const lives = (pid: number) => !['Z', 'X', undefined].includes(statOf(pid)?.state);

const start = async (env: Record<string, string> = {}, databaseUrl?: string) =>
  startProcess(
    settingsFor(databaseUrl ?? (await emptyDatabase()), { WORKERS: String(WORKERS), ...env }),
  );
/** The lines of the log so far. */
const linesOf = ({ heard }: Running) =>
  heard.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
/** Which workers have answered: new connections go to them in turn. */
async function answering(running: Running): Promise<Set<unknown>> {
  const before = linesOf(running).length;
  for (let i = 0; i < 2 * WORKERS; i++) await ask(`${running.url}/livez`);
  return eventually(() => {
    const asked = linesOf(running).slice(before);
    const requests = asked.filter(({ path }) => path === '/livez');
    expect(requests.length).toBe(2 * WORKERS);
    return new Set(requests.map(({ pid }) => pid));
  });
}

describe('with WORKERS=2', () => {
  it('starts once, says so once, and every worker answers; one of them purges', async () => {
    const running = await start({ LOG_LEVEL: 'debug' });
    const { pid, banner, heard, kill } = running;
    expect(heard.stderr).toBe(`${banner}\n`);
    expect(await answering(running)).toEqual(new Set(childrenOf(pid)));
    const purging = () => linesOf(running).filter(({ msg }) => msg === 'this worker purges');
    expect(purging().length).toBe(1);
    process.kill(Number(purging()[0]!['pid']), 'SIGKILL');
    await eventually(() => expect(purging().length).toBe(2));
    const { code } = await kill('SIGTERM');
    expect(code).toBe(0);
    expect(childrenOf(pid)).toEqual([]);
  });

  it('counts limits in total, and a sign-out at one worker binds at the other', async () => {
    const running = await start({
      LIMITS: 'on',
      LOG_LEVEL: 'info',
      LIMIT_SIGN_INS_PER_NETWORK: '6/1h',
    });
    const { url } = running;
    const guess = { identifier: 'nobody', password: 'a guess' };
    const guesses = [];
    for (let i = 0; i < 10; i++) guesses.push(await ask(`${url}/auth/login`, { body: guess }));
    const passed = guesses.filter(({ status }) => status === 401).length;
    expect([passed, guesses.length - passed]).toEqual([6, 4]);

    const { body } = await register(url, 'ada');
    const token = body.accessToken;
    const me = async () => {
      const answers = [];
      for (let i = 0; i < 2 * WORKERS; i++) answers.push(await ask(`${url}/me`, { token }));
      return new Set(answers.map(({ status }) => status));
    };
    expect((await answering(running)).size).toBe(WORKERS);
    expect(await me()).toEqual(new Set([200]));
    expect((await ask(`${url}/auth/logout`, { token, body: {} })).status).toBe(204);
    expect(await me()).toEqual(new Set([401]));
  });

  it('replaces a worker that is killed under load, and what was acknowledged is there', async () => {
    const databaseUrl = await emptyDatabase();
    const { pid, url } = await start({}, databaseUrl);
    const before = childrenOf(pid);
    const acknowledged: string[] = [];
    const over = new AbortController();
    const load = Array.from({ length: 6 }, async (_, i) => {
      for (let n = 0; !over.signal.aborted; n++) {
        const name = `user${i}x${n}`;
        const status = await register(url, name).then(
          (answer) => answer.status,
          () => 0, // its connection broke
        );
        expect([0, 201, 503]).toContain(status);
        if (status === 201) acknowledged.push(name);
      }
    });
    await eventually(() => expect(acknowledged.length).toBeGreaterThan(10));
    process.kill(before[0]!, 'SIGKILL');
    const killedAt = acknowledged.length;
    await eventually(() => {
      const now = childrenOf(pid);
      expect(now.length).toBe(WORKERS);
      expect(now).not.toContain(before[0]);
      expect(acknowledged.length).toBeGreaterThan(killedAt + 10);
    });
    over.abort();
    await Promise.all(load);
    const rows = await rowsOf(databaseUrl, 'SELECT username FROM users');
    const stored = new Set(rows.map(({ username }) => username));
    expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
  });

  it('restarts its workers one by one at SIGUSR2, and no request fails', async () => {
    const { pid, url, heard, kill } = await start({ LOG_LEVEL: 'info' });
    const before = childrenOf(pid);
    const token = (await register(url, 'ada')).body.accessToken;
    const statuses: number[] = [];
    const over = new AbortController();
    const load = Array.from({ length: 4 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 }); // follows `Connection: close`
      for (; !over.signal.aborted; await sleep(10))
        statuses.push((await ask(`${url}/me`, { token, agent })).status);
      agent.destroy();
    });
    process.kill(pid, 'SIGUSR2');
    for (const old of before) await eventually(() => expect(lives(old)).toBe(false)); // each takes a start
    await eventually(() => expect(heard.stdout.includes('every worker was restarted')).toBe(true));
    const asked = statuses.length;
    await eventually(() => expect(statuses.length).toBeGreaterThan(asked + 20));
    over.abort();
    await Promise.all(load);
    expect(new Set(statuses)).toEqual(new Set([200]));
    const now = childrenOf(pid);
    expect(now.length).toBe(WORKERS);
    expect(now.filter((each) => before.includes(each))).toEqual([]);
    expect((await kill('SIGTERM')).code).toBe(0);
  });

  it('answers what is under way at SIGTERM, and ends with 0', async () => {
    const { pid, url, kill } = await start({ BCRYPT_COST: '10' });
    const asked = Array.from({ length: WORKERS }, (_, i) => register(url, `user${i}`));
    const workers = childrenOf(pid);
    await eventually(async () => expect((await ask(`${url}/readyz`)).status).toBe(200));
    const ended = kill('SIGTERM');
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(asked.map(() => 201));
    expect((await ended).code).toBe(0);
    expect(workers.filter(lives)).toEqual([]);
  });

  it('leaves no worker behind when the process that supervises them is killed', async () => {
    const { pid, kill } = await start();
    const workers = childrenOf(pid);
    expect(workers.length).toBe(WORKERS);
    await kill('SIGKILL');
    await eventually(() => expect(workers.filter(lives)).toEqual([]));
  });

  it('tries again while a worker does not start, goes on with the others, and ends when none is left', async () => {
    const folder = emptyFolder();
    const broken = join(folder, 'broken.mjs');
    const running = await start({ STRATEGIES_DIR: folder, LOG_LEVEL: 'info' });
    const { pid, url, ended, heard } = running;
    writeFileSync(broken, 'export default {};');
    const failures = () => linesOf(running).filter(({ msg }) => msg === 'a worker did not start');
    process.kill(pid, 'SIGUSR2');
    await eventually(() => expect(heard.stdout).toContain('the restart ends'));
    const [first, second] = childrenOf(pid);
    process.kill(first!, 'SIGKILL');
    await eventually(() => expect(failures().length).toBeGreaterThan(1));
    expect((await ask(`${url}/readyz`)).status).toBe(200);
    process.kill(second!, 'SIGKILL');
    const { code, stderr } = await ended;
    expect(code).toBe(78);
    expect(stderr).toMatch(/broken\.mjs must default-export a strategy named "broken"\n$/);
  });
});

describe('what is wrong is said once:', () => {
  it('a port that is taken', async () => {
    const first = await start();
    const { port } = new URL(first.url);
    const env = settingsFor(await emptyDatabase(), { WORKERS: '2', PORT: port });
    const { code, stderr } = await runProcess('server', env);
    expect(stderr).toMatch(/^[^\n]*EADDRINUSE[^\n]*\n$/);
    expect(code).toBe(1);
  });

  it.each(['0', '-1', '1.5', 'two', '1000'])('WORKERS=%s', async (WORKERS) => {
    const { code, stderr } = await runProcess('server', settingsFor('sqlite:x', { WORKERS }));
    expect(stderr).toBe(
      'WORKERS must be `auto`, for one process for each core, or a whole number from 1 to 128\n',
    );
    expect(code).toBe(78);
  });

  it('WORKERS of an app that embeds the server', async () => {
    const options = { databaseUrl: 'sqlite:x', workers: 2 };
    await expect(createSallyport(options)).rejects.toThrow(
      /^workers is for the program `sallyport`: an app that embeds the server starts its processes itself$/m,
    );
  });
});
