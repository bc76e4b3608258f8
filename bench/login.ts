import { Agent, request } from 'node:http';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import bcrypt from 'bcrypt';
import { createCpuClock } from '#cpu';
import { onMariaDb, onSqlite, runBench, verdict, type Running } from '#servers';
import { median } from '#statistics';

// Whether a login costs what bcrypt costs. Everything is measured in one run, in turns, and told as ratios.
const COST = 12;
const CLIENTS = 32;
const ROUNDS = 3;
const SECONDS = 12;
const WARM_UP = 3;
/** The least pause of a client that hears 503, in milliseconds: its Retry-After. Up to as much again comes by chance: clients are many people, who do not return in one moment. */
const RETRY_MS = 1000;
const PROBE_EVERY_MS = 10;
const GATE = Math.max(1, Math.min(availableParallelism(), 2)); // as the server has it, with libuv's four threads
/** So many one after the other, of which the processor time is measured. */
const ALONE = 20;
const TARGETS = { processor: 0.95, throughput: 0.95, p99: 3, refusal: 50 };

const password = 'correct horse battery staple';
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

interface Answer {
  status: number;
  ms: number;
  text: string;
}

/** One request from an address of its own: limits count it as they would count a client. */
function ask(url: string, from: string, body?: object, token?: string): Promise<Answer> {
  const begin = performance.now();
  const headers = {
    'x-forwarded-for': from,
    ...(body && { 'content-type': 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method: body ? 'POST' : 'GET', headers }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.on('end', () =>
        resolve({ status: res.statusCode!, ms: performance.now() - begin, text }),
      );
    });
    sent.on('error', reject).end(body && JSON.stringify(body));
  });
}

/** Runs `work` on so many lanes, again and again, and answers how often in a second `done` was called after the warm-up. */
async function rate(lanes: number, work: (lane: number, done: () => void) => Promise<unknown>) {
  const begin = performance.now() + WARM_UP * 1000;
  const end = begin + SECONDS * 1000;
  let count = 0;
  const done = () => void (performance.now() >= begin && performance.now() < end && count++);
  const run = async (lane: number) => {
    while (performance.now() < end) await work(lane, done);
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => run(lane)));
  return count / SECONDS;
}

const hash = await bcrypt.hash(password, COST);
const compare = async (_lane: number, done: () => void) => {
  await bcrypt.compare(password, hash);
  done();
};

interface Contestant {
  name: string;
  url: string;
  token: string;
  pid: number;
}
const address = (i: number) => `198.51.${100 + Math.floor(i / 200)}.${1 + (i % 200)}`;

/** With a user for each client, and one who asks for themselves all the time. */
async function contestant({ name, url, child }: Running): Promise<Contestant> {
  for (let i = 0; i <= CLIENTS; i++) {
    const { status, text } = await ask(`${url}/auth/register`, address(i), {
      username: `person${i}`,
      password,
    });
    if (status !== 201) throw new Error(`${name}: ${status} ${text}`);
    if (i === CLIENTS) {
      const token: string = JSON.parse(text).accessToken;
      return { name, url, token, pid: child.pid! };
    }
  }
  throw new Error('unreachable');
}

const refusals: number[] = [];
const logIn = (url: string) => async (lane: number, done: () => void) => {
  const body = { username: `person${lane}`, password };
  const { status, ms, text } = await ask(`${url}/auth/login`, address(lane), body);
  if (status === 200) return done();
  if (status !== 503) throw new Error(`A login was answered with ${status}: ${text}`);
  refusals.push(ms);
  return sleep(RETRY_MS * (1 + Math.random()));
};

/** The 99th percentile of guarded requests, one every so many milliseconds, while `during` goes on. */
async function p99While({ url, token }: Contestant, during: Promise<unknown>): Promise<number> {
  const state = { isOver: false };
  const over = () => (state.isOver = true);
  void during.then(over, over);
  const times: number[] = [];
  while (!state.isOver) {
    const { status, ms } = await ask(`${url}/me`, address(CLIENTS), undefined, token);
    if (status !== 200) throw new Error(`GET /me was answered with ${status}`);
    times.push(ms);
    await sleep(PROBE_EVERY_MS);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!;
}

const processorTimeOf = createCpuClock();

/** The processor time of a process for one of `work`, when it does nothing else, in microseconds. */
async function processorTime(pid: number, work: (i: number) => Promise<unknown>): Promise<number> {
  const begin = processorTimeOf(pid);
  for (let i = 0; i < ALONE; i++) await work(i);
  return (processorTimeOf(pid) - begin) / ALONE;
}

/** What a sign-in costs the server beside what bcrypt alone costs this process. It holds on a machine that has other work. */
async function share({ url, pid }: Contestant): Promise<number> {
  const done = () => undefined;
  const alone = await processorTime(process.pid, (lane) => compare(lane, done));
  return alone / (await processorTime(pid, (lane) => logIn(url)(lane, done)));
}

interface Figures {
  shares: number[];
  threads: number[];
  gate: number[];
  logins: number[];
  idle: number[];
  busy: number[];
}

async function round(on: Contestant, figures: Figures): Promise<void> {
  figures.shares.push(await share(on));
  figures.threads.push(await rate(CLIENTS, compare));
  figures.gate.push(await rate(GATE, compare));
  figures.idle.push(await p99While(on, sleep(SECONDS * 1000)));
  const load = rate(CLIENTS, logIn(on.url));
  figures.busy.push(await p99While(on, load));
  figures.logins.push(await load);
}

async function measure(on: Contestant) {
  const figures: Figures = { shares: [], threads: [], gate: [], logins: [], idle: [], busy: [] };
  refusals.length = 0;
  for (let i = 0; i < ROUNDS; i++) await round(on, figures);
  const ratio = (a: readonly number[], b: readonly number[]) => median(a.map((x, i) => x / b[i]!));
  const show = (value: number) => Number(value.toFixed(2));
  const slowest = refusals.toSorted((a, b) => a - b)[Math.floor(refusals.length * 0.99)] ?? 0;
  const [throughput, slower] = [
    ratio(figures.logins, figures.threads),
    ratio(figures.busy, figures.idle),
  ];
  console.table({
    [on.name]: {
      'of its processor time': show(median(figures.shares)),
      'bcrypt/s': show(median(figures.threads)),
      'gated/s': show(median(figures.gate)),
      'logins/s': show(median(figures.logins)),
      'to bcrypt': show(throughput),
      'to gated': show(ratio(figures.logins, figures.gate)),
      'idle p99': show(median(figures.idle)),
      p99: show(median(figures.busy)),
      'to idle': show(slower),
      '503s': refusals.length,
      'median 503 ms': show(refusals.length ? median(refusals) : 0),
      'p99 503 ms': show(slowest),
    },
  });
  const report = (what: string, met: boolean) =>
    console.log(`${on.name}: ${what}: ${verdict(met)}`);
  report(
    `bcrypt at least ${TARGETS.processor} of the processor time of a login`,
    median(figures.shares) >= TARGETS.processor,
  );
  report(`logins at least ${TARGETS.throughput} of bcrypt`, throughput >= TARGETS.throughput);
  report(`guarded p99 at most ${TARGETS.p99} times its idle value`, slower <= TARGETS.p99);
  report(`503 beyond the queue within ${TARGETS.refusal} ms`, slowest <= TARGETS.refusal);
}

/** Limits are on, as with the default settings, but nobody of this program is refused by them. */
const env = {
  BCRYPT_COST: String(COST),
  LIMITS: 'on',
  TRUST_PROXY: '1',
  LIMIT_REQUESTS_PER_NETWORK: '1000000/1m',
  LIMIT_REQUESTS_PER_SESSION: '1000000/1m',
  LIMIT_SIGN_INS_PER_NETWORK: '1000000/1m, 1000000/1h',
  LOG_LEVEL: 'info',
};

await runBench(async () => {
  await measure(await contestant(await onSqlite(env)));
  const mariadb = await onMariaDb(env);
  if (mariadb) await measure(await contestant(mariadb));
  else console.log('MariaDB is not on this machine (mariadbd): not measured.');
});
