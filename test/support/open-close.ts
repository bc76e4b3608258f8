/**
 * A program that opens and closes instances, and prints what the process holds after each round as one line of JSON. It
 * ends by itself only when nothing is left that keeps it alive. Standard input: a list of `Round`.
 */
import { createHook } from 'node:async_hooks';
import { readdirSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { createSallyport, type SallyportOptions } from '#src/index';
import { serve } from '#src/server-program';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';

export interface Round {
  /** Options of an instance. */
  options?: SallyportOptions;
  /** Or the environment of the server program. */
  env?: Record<string, string>;
  /** A strategy with the name of another one is given, so that it fails late. */
  twin?: boolean;
  /** The port that `env` names is in use. */
  busy?: boolean;
  /** Or a file that is imported. */
  imports?: string;
}
/** What a process holds: handles, listeners, files and timers, also those that do not keep it alive. */
export interface Held {
  resources: Record<string, number>;
  listeners: Record<string, number>;
  files: string[];
  timers: number;
}

const timers = new Set<number>();
createHook({
  init: (id, type) => void (type === 'Timeout' && timers.add(id)),
  destroy: (id) => void timers.delete(id),
}).enable();

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

const held = (): Held => ({
  resources: tally(process.getActiveResourcesInfo()),
  listeners: Object.fromEntries(
    process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  ),
  files: readdirSync('/proc/self/fd'),
  timers: timers.size,
});

const twin = defineStrategy({
  name: 'local',
  kind: 'bearer',
  summary: 'Has the name of another one',
  scheme: { type: 'http', scheme: 'bearer' },
  create: () => custom(async () => null),
});

async function instance({ options, twin: withTwin }: Round): Promise<string> {
  const auth = await createSallyport({ ...options, ...(withTwin && { strategies: [twin] }) });
  const username = `user${Math.random().toString(36).slice(2)}`;
  await auth.users.create({ username, password: 'correct horse battery' });
  await auth.transaction(() => auth.roles.grant(username, 'moderator'));
  await auth.close();
  return 'closed';
}

async function server({ env, busy }: Round): Promise<string> {
  const other = createServer();
  await new Promise<void>((resolve) => {
    other.listen(busy ? Number(env!['PORT']) : 0, '127.0.0.1', resolve);
  });
  try {
    const running = await serve(env!);
    await new Promise((resolve) => {
      get(`${running.url}/readyz`, { agent: false }, (res) => res.resume().once('close', resolve));
    });
    await running.stop();
    return 'closed';
  } finally {
    other.close();
  }
}

/** Sockets and timers that were let go of are gone a little later: Node itself keeps the time of an answer for a second. */
async function settle(): Promise<void> {
  const end = performance.now() + 3000;
  do {
    await sleep(50);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  } while (timers.size > 0 && performance.now() < end);
}

const run = (round: Round): Promise<string> => {
  if (round.imports) return import(round.imports).then(() => 'imported');
  return round.env ? server(round) : instance(round);
};

const print = (outcome: string) => console.log(JSON.stringify({ outcome, held: held() }));

for (const round of JSON.parse(await text(process.stdin)) as Round[]) {
  const outcome = await run(round).catch((error: Error) => `${error.name}: ${error.message}`);
  await settle();
  print(outcome);
}
