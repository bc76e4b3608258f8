import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Ask } from '#test/faults/account';
import { Ledger } from '#test/faults/ledger';
import { startLoad } from '#test/faults/load';
import { line, machine, workInFolder } from '#test/faults/machine';
import { openEnvironment, type Engine, type Environment } from '#test/faults/environment';
import { startPrivateServer, type PrivateServer } from '#test/support/mysql';
import { root } from '#test/support/process';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    /** Most that V8 may use for old objects, in MB. */
    heap: { type: 'string', default: '128' },
  },
});
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const lastsMs = Number(options.minutes) * MINUTE;

/** How often memory, descriptors and rows are counted. */
const SAMPLE_MS = 5000;
/** The first part is for caches that fill and code that is compiled. */
const WARM_UP = 0.4;
/** At each sample the clock goes on by so much: sessions expire, and are purged, within minutes. */
const JUMP_MS = 2 * DAY;
/** Every 10 s in place of every 10 minutes. */
const PURGE_HURRY = 60;
/** An expired session is kept for 30 days. Then the purge gets a minute, in which the clock goes on. */
const OVERDUE_DAYS = 30 + (MINUTE / SAMPLE_MS) * (JUMP_MS / DAY);
/** Growth of the resident set after the warm-up, in MB a minute: a leak of 100 bytes a request is more. */
const MAX_SLOPE = 2;
const CLIENTS = 8;

interface Sample {
  minute: number;
  rss: number;
  descriptors: number;
  sessions: number;
  limits: number;
  overdue: number;
}

/** Limits count, and stop nobody. Every request comes from another network. */
const COUNTED = Object.fromEntries(
  'REQUESTS_PER_SESSION REFRESHES_PER_SESSION PASSWORD_GUESSES_PER_SESSION'
    .split(' ')
    .map((name) => [`LIMIT_${name}`, '1000000/1m']),
);
const octet = () => Math.floor(Math.random() * 256);
const fromAnywhere =
  (ask: Ask): Ask =>
  (method, path, question) =>
    ask(method, path, {
      ...question,
      headers: { 'x-forwarded-for': `100.${octet()}.${octet()}.${octet()}` },
    });

async function sample({ node, rows }: Environment, start: number, offset: number): Promise<Sample> {
  const proc = `/proc/${node.server.pid}`;
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`${proc}/status`, 'utf8'))![1]) / 1000;
  const overdueAt = new Date(Date.now() + offset - OVERDUE_DAYS * DAY).toISOString();
  const count = async (sql: string) =>
    Number((await rows(`SELECT COUNT(*) AS n FROM ${sql}`))[0]!['n']);
  return {
    minute: (performance.now() - start) / MINUTE,
    rss,
    descriptors: readdirSync(`${proc}/fd`).length,
    sessions: await count('sessions'),
    limits: await count('limits'),
    overdue: await count(
      `sessions WHERE expires_at < '${overdueAt.slice(0, 19).replace('T', ' ')}'`,
    ),
  };
}

/** Of the line that is nearest to the samples (least squares). */
function slopeOf(samples: readonly Sample[], what: 'rss' | 'descriptors'): number {
  const mean = (list: number[]) => list.reduce((sum, each) => sum + each, 0) / list.length;
  const [x, y] = [
    mean(samples.map(({ minute }) => minute)),
    mean(samples.map((each) => each[what])),
  ];
  const spread = samples.reduce((sum, { minute }) => sum + (minute - x) ** 2, 0);
  return samples.reduce((sum, each) => sum + (each.minute - x) * (each[what] - y), 0) / spread;
}

let database: Promise<PrivateServer> | undefined;

async function soak(engine: Engine) {
  const ledger = new Ledger();
  const setup = {
    env: {
      ...COUNTED,
      LIMITS: 'on',
      TRUST_PROXY: '1',
      LOG_LEVEL: 'info',
      CLOCK_HURRY: String(PURGE_HURRY),
    },
    node: [`--max-old-space-size=${options.heap}`, '--import', join(root, 'test/faults/clock.ts')],
  };
  const environment = await openEnvironment(
    engine,
    setup,
    ledger,
    () => (database ??= startPrivateServer()),
  );
  const load = startLoad(ledger, fromAnywhere(environment.ask), CLIENTS, Infinity);
  const samples: Sample[] = [];
  const start = performance.now();
  for (let jumps = 1; performance.now() - start < lastsMs; jumps++) {
    await sleep(SAMPLE_MS);
    samples.push(await sample(environment, start, (jumps - 1) * JUMP_MS));
    environment.node.moveClock(String(jumps * JUMP_MS));
  }
  await load.verify();
  await load.stop();
  await environment.close();
  return { engine, ledger, samples };
}

const mistakesOf = (
  { ledger, samples }: Awaited<ReturnType<typeof soak>>,
  later: readonly Sample[],
) =>
  [
    ...ledger.lost,
    ...ledger.wrong,
    slopeOf(later, 'rss') > MAX_SLOPE && 'its memory grows',
    slopeOf(later, 'descriptors') > 1 && 'its file descriptors grow',
    samples.at(-1)!.overdue > 0 && 'sessions are not purged in time',
  ].filter((mistake) => typeof mistake === 'string');

const removeFolder = workInFolder();
console.log(`${machine()}, ${options.minutes} minutes, --max-old-space-size=${options.heap}\n`);
line([
  'Database',
  'Acknowledged',
  'RSS in MB: after warm-up, at the end, most',
  'Slope in MB a minute',
  'File descriptors: after warm-up, at the end',
  'Sessions: most, at the end',
  'Counters of limits: most, at the end',
]);
line(Array.from({ length: 7 }, () => '---'));
const soaked = await Promise.all([soak('sqlite'), soak('mariadb')]);
const mistakes: string[] = [];
for (const each of soaked) {
  const { engine, ledger, samples } = each;
  const later = samples.slice(Math.floor(samples.length * WARM_UP));
  const [first, last] = [later[0]!, later.at(-1)!];
  const most = (what: keyof Sample) => Math.round(Math.max(...samples.map((each) => each[what])));
  line([
    engine,
    ledger.acknowledged,
    `${Math.round(first.rss)}, ${Math.round(last.rss)}, ${most('rss')}`,
    slopeOf(later, 'rss').toFixed(2),
    `${first.descriptors}, ${last.descriptors}`,
    `${most('sessions')}, ${last.sessions}`,
    `${most('limits')}, ${last.limits}`,
  ]);
  mistakes.push(...mistakesOf(each, later).map((mistake) => `${engine}: ${mistake}`));
}
await (await database)?.stop();
removeFolder();
console.log(
  mistakes.length === 0 ? '\nNothing grew, nothing was lost.' : `\n${mistakes.join('\n')}`,
);
process.exit(mistakes.length === 0 ? 0 : 1);
