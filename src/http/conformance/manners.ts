import { setTimeout as sleep } from 'node:timers/promises';
import { User } from '#models/index';
import type { ZodType } from 'zod';
import {
  addressOf,
  ask,
  askWith,
  demand,
  isBroken,
  leave,
  outcomeOf,
  prepare,
  told,
  whoIs,
  type Check,
  type Scene,
} from '#src/http/conformance/scene';
import type { Example } from '#src/http/conformance/stage';
import type { Trial } from '#src/http/conformance/escapes';
import { fault } from '#src/http/strategy-files';
import { isLoopback } from '#src/core/setting-types';

/** How long a second answer may be on its way, in milliseconds. */
const AFTERTHOUGHT = 50;
const numbered = (examples: readonly Example[], word: string) => examples.map((example, i) => ({ example, name: `${word}[${i}]` }));
const all = ({ good, bad }: Scene) => [...numbered(good, 'good'), ...numbered(bad, 'bad'), { example: {}, name: 'an empty request' }];

export const describesItself: Check = async ({ strategy }) => {
  const mistake = fault(strategy, strategy.name, []);
  demand(!mistake, `It ${mistake}.`);
  demand(/^[A-Z].{8,}/.test(strategy.summary), 'Give `summary` a sentence that begins with a capital: it stands on the page of the API.');
  const settings = Object.entries(strategy.env?.shape ?? {});
  const odd = settings.find(([name]) => !/^[A-Z][A-Z0-9_]+$/.test(name));
  demand(!odd, `Name the setting ${odd?.[0]} with capitals, digits and _, as environment variables are.`);
  const free = settings.length > 0 && settings.every(([, schema]) => (schema as ZodType).safeParse(undefined).success);
  demand(!free, 'Leave one setting of `env` without a default: all are optional, so nothing says whether the strategy is meant to be on.');
  const issues = strategy.credentials?.safeParse({ surplus: 1 }).error?.issues ?? [];
  demand(
    strategy.kind !== 'login' || issues.some(({ code }) => code === 'unrecognized_keys'),
    'Make `credentials` a z.strictObject: fields that it does not know must be refused.',
  );
};

export const vouches: Check = async (scene) => {
  demand(scene.good.length > 0, 'Give `good` a request that is let in: without one nothing is tried.');
  for (const { example, name } of numbered(scene.good, 'good')) {
    const trial = await ask(scene, example);
    const [first] = trial.answers;
    if (!first || first.outcome === 'pass') continue; // other checks say so
    demand(first.outcome === 'success', `${name} must be let in, and was answered ${told(trial)}. Is the sample right?`, trial);
    demand(
      whoIs(first) !== undefined,
      `success() must be given what userOf() answered, or a User of this server, and nothing else: ${name} got ${told(trial)}.`,
    );
    const [who] = first.said;
    demand(
      !(who instanceof User) || who.roles !== undefined,
      "Load the user with roles, as findUser does: guards refuse to guess. (include: ['roles'])",
    );
    demand(!(who instanceof User) || !who.disabledAt, `${name} is a user who is disabled.`);
  }
};

export const refuses: Check = async (scene) => {
  demand(scene.bad.length > 0, 'Give `bad` a request that is refused: without one nobody knows whether the door is ever shut.');
  for (const { example, name } of numbered(scene.bad, 'bad')) {
    const trial = await ask(scene, example);
    demand(outcomeOf(trial) !== 'success', `${name} must not be let in, and was: ${told(trial)}.`);
    // What a browser brings back from a provider is refused either way: many packages throw over it.
    demand(
      scene.strategy.kind === 'redirect' || !isBroken(trial),
      `Refuse ${name} with fail() (null, in verify and custom). error() is for what is broken: the client would hear 500.`,
      trial,
    );
  }
};

export const tellsWhenItBreaks: Check = async (scene) => {
  const { stage, options } = scene;
  const usually = outcomeOf(await ask(scene, scene.good[0]));
  const ready = await prepare(scene, scene.good[0]);
  if ('answers' in ready || usually !== 'success') return; // another check says so
  const broken = async (during: () => Promise<void>) => {
    stage.desk.before = async () => Promise.reject(new Error('Users cannot be looked up'));
    await during();
  };
  await (options.outage ?? broken)(async () => {
    const trial = await askWith(scene, ready.sample, ready.session);
    demand(
      options.outage !== undefined || stage.desk.calls > 0,
      'Give `outage`: this strategy does not call userOf, so the kit cannot make its look-up fail. See docs/testing-a-strategy.md.',
    );
    demand(trial.escaped.length === 0, 'A rejection reached nobody. Give your async function to verify(…), or catch and call error().');
    demand(
      trial.answers.length > 0,
      'When users cannot be looked up it says nothing. Call error(), or throw inside verify(…) or custom(…).',
    );
    demand(
      isBroken(trial),
      `When users cannot be looked up it must call error(), and answered ${told(trial)}: people would think that their password is wrong, or be let in.`,
    );
  });
};

const askAll = (scene: Scene) => Promise.all(all(scene).map(async ({ example, name }) => ({ name, trial: await ask(scene, example) })));

export const neverPasses: Check = async (scene) => {
  for (const { name, trial } of await askAll(scene))
    demand(outcomeOf(trial) !== 'pass', `It calls pass() for ${name}, which means "let them in as nobody". Call fail().`);
};

export const alwaysAnswers: Check = async (scene) => {
  for (const { name, trial } of await askAll(scene))
    demand(
      trial.ms <= scene.stage.patience,
      `It did not answer ${name} within ${scene.stage.patience} ms. Every path must end in success(), fail(), error() or redirect(), also when what it asks is slow: set a timeout.`,
    );
};

export const answersOnce: Check = async (scene) => {
  const asked = await askAll(scene);
  await sleep(AFTERTHOUGHT);
  for (const { name, trial } of asked.filter(({ trial }) => trial.ms <= scene.stage.patience)) {
    const outcomes = trial.answers.map(({ outcome }) => `${outcome}()`).join(', then ');
    demand(trial.answers.length === 1, `It answered ${name} more than once: ${outcomes}. Return after the first.`);
    demand(trial.escaped.length === 0, `After its answer to ${name} something was thrown that nobody catches.`);
  }
};

/** Two at once, the first of which is kept waiting until the second has its answer. */
export const keepsApart: Check = async (scene) => {
  const { good, bad, stage } = scene;
  for (const [one, other] of [[good[0], bad[0]!] as const, [good[0], good[1] ?? good[0]] as const]) {
    const alone = [await judged(ask(scene, one)), await judged(ask(scene, other))];
    const ready = [await prepare(scene, one), await prepare(scene, other)];
    const [first, second] = ready;
    if ('answers' in first! || 'answers' in second!) return;
    let release = () => {};
    const answered = new Promise<void>((resolve) => {
      release = resolve;
    });
    let kept = false;
    stage.desk.before = async () => {
      if (kept) return;
      kept = true;
      await Promise.race([answered, sleep(stage.patience / 2)]);
    };
    const slow = askWith(scene, first!.sample, first!.session);
    await sleep(5);
    const quick = await judged(askWith(scene, second!.sample, second!.session));
    release();
    const together = [await judged(slow), quick];
    stage.desk.before = async () => {};
    for (const [i, trial] of together.entries())
      demand(
        alone[i] === 'nothing' || trial === alone[i],
        `Of two requests at once one was answered ${trial}, alone ${alone[i]}. Keep nothing about a request on the strategy: a new \`this\` is made for each.`,
      );
  }
};

/** As it is when it is asked for: a late answer changes nothing. */
const judged = async (asked: Promise<Trial>): Promise<string> => told(await asked);

export const redirectsOnlyThere: Check = async (scene) => {
  const { strategy } = scene;
  if (strategy.kind === 'redirect') {
    const { trial } = await leave(scene);
    const [first] = trial.answers;
    if (first?.outcome === 'pass' || !first) return;
    demand(first.outcome === 'redirect', `Without an answer of the provider it must redirect() to it, and it answered ${told(trial)}.`);
    const url = URL.canParse(String(first.said[0])) ? addressOf(first)! : undefined;
    demand(
      url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname)),
      'Redirect to an absolute https:// address of the provider: anybody could read along otherwise.',
    );
    const back = url.searchParams.get('redirect_uri');
    const ours = scene.options.callbackUrl;
    demand(!back || !ours || back === ours, 'Give the provider the `callbackUrl` of the context as redirect_uri.');
  }
  for (const { example, name } of [...numbered(scene.good, 'good'), ...numbered(scene.bad, 'bad')]) {
    const trial = await ask(scene, example);
    const words =
      strategy.kind === 'redirect' ? 'It redirects a browser that has come back from the provider' : 'Only kind `redirect` may redirect()';
    demand(outcomeOf(trial) !== 'redirect', `${words}: ${name}. Call fail().`);
  }
};
