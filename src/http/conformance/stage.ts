import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type Request, type RequestHandler } from 'express';
import { Vouched, type Claims } from '#src/core/vouched';
import { current, stopWatching, watchEscapes, type Answer, type Trial } from '#src/http/conformance/escapes';
import { stateStore } from '#src/http/state-store';
import type { AuthStrategy } from '#src/http/strategy';
import { pathOf } from '#src/http/strategy-files';

/** A request, or what a provider sends a browser back with. */
export interface Sample {
  /** Sent as JSON; as a form to a strategy of `responseMode: 'form_post'`. */
  body?: Record<string, unknown>;
  query?: Record<string, string | string[]>;
  headers?: Record<string, string | string[]>;
}
/**
 * A sample, or a function that makes one for each request. It is given the address that the strategy sent the browser to
 * (kind `redirect`) or that the request will go to.
 */
export type Example = Sample | ((address: URL) => Sample | Promise<Sample>);

export interface Options {
  /** Requests that the strategy vouches for. Two of two people show more than one. */
  good: Example | readonly [Example, ...Example[]];
  /** Requests that it refuses: a wrong password, an expired key, a person who cancelled. */
  bad: readonly [Example, ...Example[]];
  /** The strategy's settings, as they would stand in the environment. */
  env?: Readonly<Record<string, string>>;
  /** Where your provider sends people back to. Nobody listens there: samples bring what the provider said. */
  callbackUrl?: string;
  /** What must never be repeated, besides what is called password, token, secret, key or the like in settings and samples. */
  secrets?: readonly string[];
  /** Makes what the strategy looks people up in fail while `during` runs. Strategies that call `userOf` need none. */
  outage?: (during: () => Promise<void>) => Promise<void>;
  /** Hears what is worth knowing and no mistake: who looks after the state, you or the server. */
  note?: (sentence: string) => void;
  /** How long the strategy may think, in milliseconds. Default: what the server grants, 3,000; for kind `redirect` 10,000. */
  deadline?: number;
}

type Outcome = Answer['outcome'];
interface Pending {
  trial: Trial;
  began: number;
  done: () => void;
}
const TRIAL = 'x-trial';
const ROOMY = 1 << 20;

/** A strategy on a server of its own, without the wrap that the real server puts around it: what it does by itself is what counts. */
export async function openStage(strategy: AuthStrategy, { env = {}, callbackUrl, deadline }: Options) {
  const path = pathOf(strategy);
  const patience = deadline ?? (strategy.kind === 'redirect' ? 10_000 : 3000);
  const desk = { calls: 0, before: async () => {} };
  const settings = strategy.env?.safeParse(env);
  if (settings?.error) throw new Error(`Give \`env\` the settings it asks for: ${settings.error.issues[0]!.path.join('.')} is not valid.`);
  const raw = strategy.create({
    env: settings?.data ?? {},
    callbackUrl: callbackUrl ?? `http://127.0.0.1${path}/callback`,
    state: stateStore,
    userOf: async (claims: Claims) => {
      desk.calls++;
      await desk.before();
      return new Vouched(strategy.name, claims) as unknown as Express.User;
    },
  });
  if (typeof raw?.authenticate !== 'function')
    throw new Error('create() must return a Passport strategy, and at once: not a promise of one.');

  const pending = new Map<string, Pending>();
  const perform: RequestHandler = (req, res) => {
    const waiting = pending.get(takeId(req))!;
    current.run(waiting.trial, () => play(raw, strategy, req, waiting));
    res.end();
  };
  const { origin, close } = await listen(strategy, perform);
  watchEscapes();

  /** Sends one request; resolves at the first answer, or when the deadline has passed. */
  async function attempt(sample: Sample, session: object = {}, back = false): Promise<Trial> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const trial: Trial = { answers: [], escaped: [], session: JSON.parse(JSON.stringify(session)) as object, ms: Infinity };
    const id = randomUUID();
    pending.set(id, { trial, began: performance.now(), done: resolve });
    const late = setTimeout(resolve, patience);
    await send(new URL(back ? `${path}/callback` : path, origin), strategy, sample, id, back);
    await promise;
    clearTimeout(late);
    await sleep(1); // a rejection that nobody awaits is told at the end of this turn
    return trial;
  }
  return {
    attempt,
    desk,
    patience,
    origin,
    close: async () => {
      stopWatching();
      await close();
    },
  };
}
export type Stage = Awaited<ReturnType<typeof openStage>>;

/** A server on a free port that reads what such a strategy is sent, however large. */
async function listen({ kind }: AuthStrategy, perform: RequestHandler) {
  const form = kind === 'redirect' ? [express.urlencoded({ extended: false, limit: ROOMY })] : [];
  const json = kind === 'login' ? [express.json({ limit: ROOMY })] : [];
  const app = express()
    .set('query parser', 'simple')
    .use(...form, ...json, perform);
  const server = createServer({ maxHeaderSize: ROOMY }, app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

function takeId(req: Request): string {
  const id = req.get(TRIAL)!;
  delete req.headers[TRIAL];
  return id;
}

/** As `http/wrap` does it, but nothing is mended, and everything is written down. */
function play(raw: object, strategy: AuthStrategy, req: Request, { trial, began, done }: Pending): void {
  const hear =
    (outcome: Outcome) =>
    (...said: unknown[]) => {
      if (trial.answers.length === 0) trial.ms = performance.now() - began;
      trial.answers.push({ outcome, said });
      if (outcome === 'redirect') trial.session = (req as { session?: object }).session ?? {};
      done();
    };
  if (strategy.kind === 'redirect') Object.assign(req, { session: trial.session });
  if (strategy.kind === 'login') {
    const parsed = strategy.credentials!.safeParse(req.body ?? {});
    if (!parsed.success || Object.keys(req.query).length > 0) return hear('refused')();
    req.body = parsed.data;
  }
  const outcomes = ['success', 'fail', 'error', 'pass', 'redirect'] as const;
  const attempt = Object.assign(
    Object.create(raw) as { authenticate(req: Request, options: object): unknown },
    Object.fromEntries(outcomes.map((outcome) => [outcome, hear(outcome)])),
  );
  try {
    Promise.resolve(attempt.authenticate(req, {})).catch(hear('error'));
  } catch (error) {
    hear('error')(error);
  }
}

async function send(url: URL, strategy: AuthStrategy, sample: Sample, id: string, back: boolean): Promise<void> {
  for (const [name, value] of Object.entries(sample.query ?? {})) for (const each of [value].flat()) url.searchParams.append(name, each);
  const isForm = back && strategy.responseMode === 'form_post';
  const posts = strategy.kind === 'login' || isForm;
  const body = sample.body && (isForm ? formOf(sample.body) : JSON.stringify(sample.body));
  const type = body !== undefined && { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' };
  const asked = request(url, { method: posts ? 'POST' : 'GET', headers: { ...type, ...sample.headers, [TRIAL]: id } });
  asked.end(posts ? body : undefined);
  const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
  answer.resume();
}

function formOf(fields: Record<string, unknown>): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]));
  return new URLSearchParams(pairs as [string, string][]).toString();
}
