import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Request, RequestHandler } from 'express';
import { Problem } from '#src/platform/http/problem';
import type { Options, Sample } from '#src/strategy-kit/conformance/options';
import { contextFor } from '#src/strategy-kit/conformance/strategy-context';
import {
  listen,
  sendRequest,
  takeId,
  type Receiver,
} from '#src/strategy-kit/conformance/test-server';
import {
  watchUnhandledErrors,
  type Answer,
  type Trial,
} from '#src/strategy-kit/conformance/unhandled-errors';
import { pathOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

type Outcome = Answer['outcome'];
interface Pending {
  trial: Trial;
  startedAt: number;
  done: () => void;
}
export type Harness = Awaited<ReturnType<typeof openHarness>>;

/**
 * Runs a strategy on a server of its own, without the wrapper of the real server: the strategy
 * itself is tested.
 */
export async function openHarness(strategy: AuthStrategy, options: Options) {
  const deadline = options.deadline ?? (strategy.kind === 'redirect' ? 10_000 : 3000);
  const lookups = { count: 0, before: async () => {} };
  const context = contextFor(strategy, options, async () => {
    lookups.count++;
    await lookups.before();
  });
  const raw = strategy.create(context);
  if (typeof raw?.authenticate !== 'function')
    throw new Error('create() must return a Passport strategy, and at once: not a promise of one.');

  const pending = new Map<string, Pending>();
  const receive: RequestHandler = (req, res) => {
    const waiting = pending.get(takeId(req))!;
    watch.run(waiting.trial, () => runStrategy(raw, strategy, req, waiting));
    res.end();
  };
  const { origin, close } = await listen(strategy, receive);
  const watch = watchUnhandledErrors();

  /** Sends one request. Resolves at the first answer, or at the deadline. */
  async function send(sample: Sample, session: object = {}, isCallback = false): Promise<Trial> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const trial = newTrial(session);
    const id = randomUUID();
    pending.set(id, { trial, startedAt: performance.now(), done: resolve });
    const timer = setTimeout(resolve, deadline);
    const path = isCallback ? `${pathOf(strategy)}/callback` : pathOf(strategy);
    await sendRequest(new URL(path, origin), strategy, sample, id, isCallback);
    await promise;
    clearTimeout(timer);
    await sleep(1); // unhandled rejections are reported at the end of this turn
    return trial;
  }

  /** Runs a step. A Problem below 500 counts as fail(). Resolves at the deadline at the latest. */
  async function runStep(name: string, body: object): Promise<Trial> {
    const trial = newTrial();
    const startedAt = performance.now();
    const answer = (outcome: Outcome, value: unknown) => {
      trial.ms = performance.now() - startedAt;
      trial.answers.push({ outcome, args: [value] });
    };
    const info = { ip: '127.0.0.1', network: '127.0.0.1' };
    const step = strategy.steps![name]!;
    const run = watch
      .run(trial, async () => step.run(body, context, info))
      .then(
        (value) => answer('success', value),
        (error: unknown) =>
          answer(error instanceof Problem && error.status < 500 ? 'fail' : 'error', error),
      );
    const timer = new AbortController();
    await Promise.race([run, sleep(deadline, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    await sleep(1);
    return trial;
  }

  return {
    send,
    runStep,
    context,
    lookups,
    deadline,
    origin,
    close: async () => {
      watch.stop();
      await close();
    },
  };
}

const newTrial = (session: object = {}): Trial => ({
  answers: [],
  unhandled: [],
  session: JSON.parse(JSON.stringify(session)) as object,
  ms: Infinity,
});

/** Like the wrapper of the server, but it corrects nothing and records everything. */
function runStrategy(
  raw: object,
  strategy: AuthStrategy,
  req: Receiver,
  { trial, startedAt, done }: Pending,
): void {
  const record =
    (outcome: Outcome) =>
    (...args: unknown[]) => {
      if (trial.answers.length === 0) trial.ms = performance.now() - startedAt;
      trial.answers.push({ outcome, args });
      if (outcome === 'redirect') trial.session = req.session ?? {};
      done();
    };
  if (strategy.kind === 'redirect') req.session = trial.session;
  if (strategy.kind === 'login') {
    const parsed = strategy.credentials!.safeParse(req.body ?? {});
    if (!parsed.success || Object.keys(req.query).length > 0) return record('refused')();
    req.body = parsed.data;
  }
  const outcomes = ['success', 'fail', 'error', 'pass', 'redirect'] as const;
  const attempt = Object.assign(
    Object.create(raw) as { authenticate(req: Request, options: object): unknown },
    Object.fromEntries(outcomes.map((outcome) => [outcome, record(outcome)])),
  );
  try {
    Promise.resolve(attempt.authenticate(req, {})).catch(record('error'));
  } catch (error) {
    record('error')(error);
  }
}
