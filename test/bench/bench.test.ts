import { afterAll, describe, expect, it } from 'vitest';
import { BARE, candidates, SALLYPORT, TUTORIAL, type Candidate } from '#bench/candidates';
import { askOnce, bytesOf, load, readAnswer } from '#bench/client';
import { createCpuClock, ticksIn } from '#bench/cpu';
import { crowdAt, enter, measure, type Round } from '#bench/entrant';
import { person, profileOf, somebody } from '#bench/people';
import { figuresOf, timesAsCheap, type Section } from '#bench/report';
import { endAll } from '#bench/servers';
import { median } from '#bench/statistics';
import { targetsTable } from '#bench/targets';
import { works } from '#bench/works';
import { startApp } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';

const { url, register } = await startApp();
const noTools = { cpu: createCpuClock(), mysql: undefined };
afterAll(endAll);

const named = (name: string): Candidate => candidates.find((each) => each.name === name)!;
const sallyport = named(SALLYPORT.sqlite).api;
const me = async (at: string, token: string) =>
  (await askOnce(at, { method: 'GET', path: '/me', token })).body;
const withoutId = (json: string) => json.replace(/"id":"[^"]{36}"/, '"id":"…"');

describe('the figures', () => {
  it('are medians', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([10, 1, 2, 4])).toBe(3);
  });

  it('read the processor time of a process whose name looks like more fields', () => {
    const rest = 'S 1 2 3 4 5 6 7 8 9 10 700 55 3 2 20 0 11 0 12345 1 2 3';
    expect(ticksIn(`42 (a) S 1 (b c) ${rest}`)).toBe(755);
  });

  it('count what a process has used of the processor', () => {
    const cpu = createCpuClock();
    const outer = process.cpuUsage();
    const before = cpu(process.pid);
    const inner = process.cpuUsage();
    while (process.cpuUsage(inner).user < 100_000);
    const least = process.cpuUsage(inner);
    const used = cpu(process.pid) - before;
    const most = process.cpuUsage(outer);
    const twoTicks = 20_000;
    expect(used).toBeGreaterThan(least.user + least.system - twoTicks);
    expect(used).toBeLessThan(most.user + most.system + twoTicks);
  });

  it('compare each round with what the reference did right before it', () => {
    const did = (cpu: number) => ({ cpu, speed: 1e6 / cpu });
    const rounds = (...pairs: [reference: number, mine: number][]): { rounds: Round[] } => ({
      rounds: pairs.map(([reference, mine]) => ({ ...did(mine), reference: did(reference) })),
    });
    const section: Section = {
      work: works[0]!,
      rows: [
        { candidate: BARE, outcome: rounds([50, 50], [100, 100], [200, 200]) },
        { candidate: SALLYPORT.sqlite, outcome: rounds([50, 100], [100, 100], [200, 250]) },
        { candidate: SALLYPORT.mysql, outcome: rounds([50, 200], [100, 200], [200, 400]) },
        { candidate: TUTORIAL, outcome: { lacks: 'no MariaDB here' } },
      ],
    };
    expect(timesAsCheap(section, SALLYPORT.sqlite, BARE)).toBe(0.8);
    expect(timesAsCheap(section, SALLYPORT.sqlite, SALLYPORT.mysql)).toBe(1.6);
    expect(timesAsCheap(section, SALLYPORT.sqlite, TUTORIAL)).toBeUndefined();
    expect(figuresOf(section, section.rows[1]!)).toMatchObject({ cpu: 100, cpuRatio: 0.8 });
    expect(figuresOf(section, section.rows[3]!)).toBeUndefined();
    expect(targetsTable([section])).toMatch(/bare Express +\| >= 0.85 +\| +0.80 \| missed/);
    const better = {
      ...section,
      rows: [section.rows[0]!, { ...section.rows[0]!, candidate: SALLYPORT.sqlite }],
    };
    expect(targetsTable([better])).toMatch(/1.00 \| reached/);
    expect(targetsTable([])).toBe('');
  });
});

describe('the load generator', () => {
  const pieces = (text: string) =>
    Array.from({ length: text.length }, (_, i) => readAnswer(Buffer.from(text.slice(0, i))));

  it.each([
    ['of a known length', 'Content-Length: 4\r\n\r\nbody'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n'],
  ])('reads an answer %s, however it is cut', (_, text) => {
    const whole = `HTTP/1.1 201 Created\r\nX: 1\r\n${text}`;
    expect(pieces(whole).every((each) => each === undefined)).toBe(true);
    const { answer, rest } = readAnswer(Buffer.from(`${whole}HTTP`))!;
    expect(answer).toMatchObject({ status: 201, body: 'body' });
    expect(rest.toString()).toBe('HTTP');
  });

  it('asks as often as it is told, and takes no answer but a 2xx', async () => {
    let [asked, answered] = [0, 0];
    const ask = (path: string) => () => {
      asked++;
      return bytesOf({ method: 'GET', path });
    };
    const all = { url, connections: 7, requests: 30, answered: () => answered++ };
    await load({ ...all, ask: ask('/livez') });
    expect([asked, answered]).toEqual([30, 30]);
    await expect(load({ ...all, ask: ask('/me') })).rejects.toThrow(/answered 401/);
  });
});

it('asks the server what it can answer, and each session with its newest refresh token', async () => {
  const crowd = await crowdAt(url, sallyport, 4);
  const refreshed = new Set(crowd.sessions.map(({ refresh }) => refresh));
  for (const work of works.filter(({ name }) => name !== 'role')) {
    const questions = work.questions({ ...crowd, newcomer: crowd.newcomer });
    await load({ url, connections: 4, requests: work.name === 'mix' ? 105 : 12, ...questions });
    if (work.name === 'refresh')
      expect(crowd.sessions.every(({ refresh }) => !refreshed.has(refresh))).toBe(true);
  }
  expect(JSON.parse(await me(url, crowd.sessions[3]!.access))).toMatchObject({
    username: 'person3',
  });
});

describe('GET /me', () => {
  it('is answered by bare Express to the byte as by the server, but for the id', async () => {
    const { token } = await register({ ...person(99) });
    const bare = await enter(named(BARE), named(BARE).file, 1, noTools);
    const answer = await me(bare.running.url, 'none');
    expect(withoutId(answer)).toBe(withoutId(await me(url, token)));
    expect(JSON.parse(answer)).toEqual(somebody);
  });

  it.runIf(engine === 'mysql')(
    'is so by the tutorial-shaped server, which can do all works',
    async () => {
      const candidate = named(TUTORIAL);
      const mysql = { pid: process.pid, create: emptyDatabase, statements: async () => 0 };
      const tools = { ...noTools, mysql };
      const tutorial = await enter(candidate, candidate.file, 4, tools);
      const { access } = tutorial.sessions[3]!;
      const answer = await me(tutorial.running.url, access);
      expect(withoutId(answer)).toBe(
        withoutId(JSON.stringify(profileOf(somebody.id, person(3), ['user']))),
      );
      for (const work of works) {
        const { cpu, speed } = await measure(tutorial, { ...work, connections: 4 }, 12, tools);
        expect(cpu).toBeGreaterThan(0);
        expect(speed).toBeGreaterThan(0);
      }
    },
  );
});
