import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { runProcess, settingsFor, startProcess } from '#test/support/process';

const WORKERS = 2;

async function start(env: Record<string, string> = {}) {
  const port = await freePort();
  const settings = { WORKERS: String(WORKERS), METRICS_PORT: String(port), LOG_LEVEL: 'info' };
  const running = await startProcess(settingsFor(await emptyDatabase(), { ...settings, ...env }));
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const livez = async () => {
    const line = /^sallyport_http_requests_total\{.*route="\/livez",status="200"\} (\d+)$/m;
    return Number(line.exec(await scrape())?.[1] ?? 0);
  };
  /** Asks over new connections, which go to the workers in turn. */
  const ask = async (times: number) => {
    for (let i = 0; i < times; i++)
      await new Promise<void>((resolve, reject) => {
        request(`${running.url}/livez`, { agent: new Agent() }, (res) => {
          res.resume().once('end', () => resolve());
        })
          .on('error', reject)
          .end();
      });
  };
  const workers = () => {
    const lines = running.heard.stdout.split('\n').slice(0, -1);
    const said = lines.map((line) => JSON.parse(line) as { path?: string; pid?: number });
    return new Set(said.filter(({ path }) => path === '/livez').map(({ pid }) => pid!));
  };
  return { ...running, port, scrape, livez, ask, workers };
}

describe('with WORKERS', () => {
  it('tells the sum of what all workers counted, and of a worker that has ended', async () => {
    const { ask, livez, workers } = await start();
    await ask(6);
    await eventually(async () => expect(await livez()).toBe(6));
    const pids = await eventually(() => {
      expect(workers().size).toBe(WORKERS);
      return [...workers()];
    });
    process.kill(pids[0]!, 'SIGKILL');
    // It never goes back, neither while one is missing nor with its successor.
    for (let i = 0; i < 20; i++) expect(await livez()).toBe(6);
    await eventually(async () => {
      await ask(2);
      expect(workers().size).toBe(WORKERS + 1);
    }, 100);
    expect(await livez()).toBeGreaterThanOrEqual(8);
  });

  it('goes on counting over a restart of every worker', async () => {
    const { ask, livez, pid, heard } = await start();
    await ask(4);
    await eventually(async () => expect(await livez()).toBe(4));
    process.kill(pid, 'SIGUSR2');
    await eventually(async () => {
      expect(await livez()).toBe(4);
      expect(heard.stdout).toContain('every worker was restarted');
    }, 100);
    await ask(2);
    await eventually(async () => expect(await livez()).toBe(6));
  });

  it('answers while a worker hangs, with what that said before', async () => {
    const { ask, livez, workers } = await start();
    await ask(6);
    await eventually(async () => expect(await livez()).toBe(6));
    const [hung] = await eventually(() => {
      expect(workers().size).toBe(WORKERS);
      return [...workers()];
    });
    process.kill(hung!, 'SIGSTOP');
    expect(await livez()).toBe(6);
    process.kill(hung!, 'SIGCONT');
  });

  it('ends in good order', async () => {
    const { kill, ask, port } = await start();
    await ask(2);
    expect((await kill('SIGTERM')).code).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow(/fetch failed/);
  });
});

describe('a METRICS_PORT that is taken', () => {
  it.each(['1', '2'])('stops the start of %s process(es), with a sentence', async (workers) => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const env = settingsFor(await emptyDatabase(), {
      WORKERS: workers,
      METRICS_PORT: String(port),
    });
    const { code, stderr } = await runProcess('server', env);
    expect(stderr).toMatch(
      new RegExp(
        `^Port ${port} of 127.0.0.1 is taken by another program \\(EADDRINUSE\\): stop it, or set another METRICS_PORT$`,
        'm',
      ),
    );
    expect(code).toBe(1);
  });
});
