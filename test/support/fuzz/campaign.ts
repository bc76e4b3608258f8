import * as fc from 'fast-check';
import { HANGS } from '#test/support/client';
import { isIntact, type Cast } from '#test/support/fuzz/cast';
import { wrongOnTheWire, wrongWith } from '#test/support/fuzz/oracle';
import { bytesOf, exchange, rawNear } from '#test/support/fuzz/raw';
import { forgedRequest, someRequest, type FuzzRequest } from '#test/support/fuzz/requests';
import type { readRoutes, Target } from '#test/support/fuzz/target';

type Routes = Awaited<ReturnType<typeof readRoutes>>;

/** What an answer should not have been, with all that is needed to see it again. */
export interface Finding {
  seed: number;
  what: string;
  /** The request in Latin-1. */
  sent: string;
  answer?: string;
}

/** How many cases are tried before it is checked that the people can still do what they should, and the log is read. */
const CASES_BETWEEN_CHECKS = 40;
const MOST_FINDINGS = 10;
/** How long to wait for more of an answer, in milliseconds. */
const QUIET_MS = 200;

/** Tries cases until the time is over. Case `n` depends on `seed + n` alone. */
export class Campaign {
  readonly findings: Finding[] = [];
  /** How often each status was answered, by what kind of case. */
  readonly census = new Map<string, number>();
  readonly asked = new Set<string>();
  cases = 0;
  private cast!: Cast;
  /** What was sent last. */
  private readonly recent: string[] = [];
  private readonly target: Target;
  private readonly routes: Routes;

  constructor(target: Target, routes: Routes) {
    this.target = target;
    this.routes = routes;
  }

  async run(seed: number, seconds: number): Promise<void> {
    this.cast = await this.target.newCast();
    const end = performance.now() + seconds * 1000;
    do {
      await this.tryCase(seed + this.cases);
      this.checkLog(seed + this.cases);
      if (++this.cases % CASES_BETWEEN_CHECKS === 0) await this.check(seed + this.cases - 1);
    } while (performance.now() < end && this.findings.length < MOST_FINDINGS);
    await this.check(seed + this.cases - 1);
  }

  private async tryCase(seed: number): Promise<void> {
    const { operations, components } = this.routes;
    const near = someRequest(operations, components, this.cast);
    const kind = seed % 8;
    if (kind === 0) return this.tryBytes(seed, one(rawNear(near), seed));
    if (kind === 1)
      return this.tryRequests(seed, [one(forgedRequest(operations, this.cast), seed)]);
    if (kind === 2) return this.tryRequests(seed, fc.sample(near, { seed, numRuns: 5 }));
    return this.tryRequests(seed, [one(near, seed)]);
  }

  /** Sends them at once. If all are refused, no table may have more rows or fewer. */
  private async tryRequests(seed: number, requests: FuzzRequest[]): Promise<void> {
    const before = await this.target.countRows();
    const refused = await Promise.all(requests.map((request) => this.trySend(seed, request)));
    if (!refused.every(Boolean)) return;
    const after = await this.target.countRows();
    if (after !== before)
      this.find(
        seed,
        `a refusal changed rows: ${before} → ${after}`,
        requests.map(shown).join('\n'),
      );
  }

  private async trySend(seed: number, request: FuzzRequest): Promise<boolean> {
    const start = performance.now();
    const sent = this.note(shown(request));
    try {
      const answer = await this.target.send(request);
      const { operation } = request;
      this.asked.add(`${operation.method} ${operation.path}`);
      this.count(request.isForged ? 'forged' : 'request', answer.status);
      const wrong = wrongWith(request, answer, performance.now() - start);
      if (wrong) this.find(seed, wrong, sent, `${answer.status} ${answer.text}`);
      return answer.status >= 400;
    } catch (error) {
      this.find(seed, `no answer: ${String(error)}`, sent);
      return false;
    }
  }

  private async tryBytes(seed: number, bytes: Buffer): Promise<void> {
    const sent = this.note(bytes.toString('latin1'));
    const heard = await exchange(this.target.url, bytes, seed % 16 === 0 ? 0 : QUIET_MS);
    for (const { status } of heard.answers) this.count('bytes', status);
    const wrong = wrongOnTheWire(bytes, heard);
    const answer = heard.answers.map(({ status, body }) => `${status} ${body}`).join('\n');
    if (wrong) this.find(seed, wrong, sent, answer);
  }

  /** The server lives, in the same process, answers in time, and has logged nothing that it should not. */
  private async check(seed: number): Promise<void> {
    const { ask, pid } = this.target;
    const start = performance.now();
    const { status } = await ask('GET', '/livez');
    if (status !== 200 || performance.now() - start > HANGS || !isRunning(pid))
      this.find(seed, `the server is not well: ${status}`, 'GET /livez');
    this.checkLog(seed);
    if (!(await isIntact(ask, this.cast))) this.cast = await this.target.newCast();
  }

  /** A line may come a moment after its answer. */
  private checkLog(seed: number): void {
    const wrong = this.target.readLog(this.cast);
    if (wrong) this.find(seed, `in the log of the last cases: ${wrong}`, this.recent.join('\n\n'));
  }

  private note(sent: string): string {
    this.recent.push(sent);
    if (this.recent.length > 6) this.recent.shift();
    return sent;
  }

  private count(kind: string, status: number): void {
    const name = `${kind} ${status}`;
    this.census.set(name, (this.census.get(name) ?? 0) + 1);
  }

  private find(seed: number, what: string, sent: string, answer?: string): void {
    const short = (text: string) => (text.length > 6000 ? `${text.slice(0, 6000)}…` : text);
    this.findings.push({ seed, what, sent: short(sent), ...(answer && { answer: short(answer) }) });
  }
}

const one = <T>(arbitrary: fc.Arbitrary<T>, seed: number): T =>
  fc.sample(arbitrary, { seed, numRuns: 1 })[0]!;

const shown = (request: FuzzRequest) => bytesOf(request).toString('latin1');

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
