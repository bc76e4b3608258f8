import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createCpuClock } from '#cpu';
import { median } from '#statistics';

/** How long a start takes and what an idle process holds, as README.md says. */
const ROUNDS = 7;
const TARGETS = { ms: 700, MB: 100 };
/** An idle process is looked at after so many milliseconds. */
const SETTLE_MS = 1500;
/** Clock ticks a second (sysconf(_SC_CLK_TCK)): 100 on every Linux. */

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
// Not imported by name: Node reads test/ as it stands.
const { freePort } = (await import(
  path('../test/support/mysql.ts')
)) as typeof import('../test/support/mysql.js');

const cpuOf = createCpuClock();
const folder = mkdtempSync(join(tmpdir(), 'sallyport-start-'));
interface Candidate {
  name: string;
  file: string;
  ready: string;
  options?: string[];
  env?: Record<string, string>;
}
interface Start {
  ms: number;
  cpu: number;
  rss: number;
}

const server = {
  file: '../dist/src/cli.js',
  ready: '/readyz',
  env: {
    DATABASE_URL: `sqlite:${join(folder, 'start.sqlite')}`,
    APP_SECRET: randomBytes(32).toString('base64url'),
  },
};
const YOUNG = '--max-semi-space-size=2';
const cached = { ...server.env, NODE_COMPILE_CACHE: join(folder, 'cache') };
const candidates: Candidate[] = [
  { name: 'bare Express', file: 'candidates/bare.ts', ready: '/me' },
  { name: 'Sallyport', ...server },
  { name: `Sallyport, ${YOUNG}`, ...server, options: [YOUNG] },
  { name: `Sallyport, ${YOUNG}, compile cache`, ...server, options: [YOUNG], env: cached },
];

/** Milliseconds and CPU milliseconds until it answers, and the resident set of the idle process in MB. */
async function start({ name, file, ready, options = [], env = {} }: Candidate): Promise<Start> {
  const port = await freePort();
  const begin = performance.now();
  const child = spawn(process.execPath, [...options, path(file)], {
    cwd: folder, // no .env of anybody's
    env: { PATH: process.env['PATH'], PORT: String(port), ...env },
    stdio: 'ignore',
  });
  try {
    while (!(await fetch(`http://127.0.0.1:${port}${ready}`).catch(() => null))?.ok) {
      if (child.exitCode !== null) throw new Error(`${name} does not start`);
      await sleep(5);
    }
    const ms = performance.now() - begin;
    const cpu = cpuOf(child.pid!) / 1000;
    await sleep(SETTLE_MS);
    return { ms, cpu, rss: rssOf(child.pid!) };
  } finally {
    child.kill();
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  }
}

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

const busy = loadavg()[0]! > availableParallelism() / 2;
try {
  const starts = candidates.map((): Start[] => []);
  for (let round = -1; round < ROUNDS; round++)
    for (const [i, candidate] of candidates.entries()) {
      const measured = await start(candidate);
      if (round >= 0) starts[i]!.push(measured); // the first makes the database and the cache
    }
  const rows = candidates.map(({ name }, i) => {
    const of = (key: keyof Start) => Math.round(median(starts[i]!.map((each) => each[key])));
    return [name, { 'ms to ready': of('ms'), 'CPU ms': of('cpu'), 'idle MB': of('rss') }] as const;
  });
  console.table(Object.fromEntries(rows));
  console.log(`Targets: ready in less than ${TARGETS.ms} ms, less than ${TARGETS.MB} MB.`);
  if (busy)
    console.log('This machine was busy before the bench began: compare the rows, not the targets.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
