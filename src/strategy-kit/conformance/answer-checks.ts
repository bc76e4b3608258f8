import { setTimeout as sleep } from 'node:timers/promises';
import {
  allExamples,
  demand,
  outcomeOf,
  prepare,
  summaryOf,
  tryExample,
  trySample,
  type Check,
  type CheckContext,
} from '#src/strategy-kit/conformance/context';
import type { Trial } from '#src/strategy-kit/conformance/unhandled-errors';

/** How long a second answer is waited for, in milliseconds. */
const SECOND_ANSWER_MS = 50;

const tryAll = (context: CheckContext) =>
  Promise.all(
    allExamples(context).map(async ({ example, name }) => ({
      name,
      trial: await tryExample(context, example),
    })),
  );

export const neverPasses: Check = async (context) => {
  for (const { name, trial } of await tryAll(context))
    demand(
      outcomeOf(trial) !== 'pass',
      `It calls pass() for ${name}, which means "let them in as nobody". Call fail().`,
    );
};

export const alwaysAnswers: Check = async (context) => {
  const { deadline } = context.harness;
  for (const { name, trial } of await tryAll(context))
    demand(
      trial.ms <= deadline,
      `It did not answer ${name} within ${deadline} ms. Every path must end in success(), fail(), error() or redirect(), also when a service is slow: set a timeout.`,
    );
};

export const answersOnce: Check = async (context) => {
  const tried = await tryAll(context);
  await sleep(SECOND_ANSWER_MS);
  for (const { name, trial } of tried.filter(({ trial }) => trial.ms <= context.harness.deadline)) {
    const outcomes = trial.answers.map(({ outcome }) => `${outcome}()`).join(', then ');
    demand(
      trial.answers.length === 1,
      `It answered ${name} more than once: ${outcomes}. Return after the first.`,
    );
    demand(
      trial.unhandled.length === 0,
      `After its answer to ${name} something was thrown that nothing catches.`,
    );
  }
};

/** Sends two requests at once. The first one waits until the second has its answer. */
export const keepsApart: Check = async (context) => {
  const { good, bad, harness } = context;
  for (const [one, other] of [
    [good[0], bad[0]!] as const,
    [good[0], good[1] ?? good[0]] as const,
  ]) {
    const alone = [
      await summaryWhenAnswered(tryExample(context, one)),
      await summaryWhenAnswered(tryExample(context, other)),
    ];
    const ready = [await prepare(context, one), await prepare(context, other)];
    const [first, second] = ready;
    if ('answers' in first! || 'answers' in second!) return;
    let release = () => {};
    const answered = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isDelayed = false;
    harness.lookups.before = async () => {
      if (isDelayed) return;
      isDelayed = true;
      await Promise.race([answered, sleep(harness.deadline / 2)]);
    };
    const slow = trySample(context, first!.sample, first!.session);
    await sleep(5);
    const quick = await summaryWhenAnswered(trySample(context, second!.sample, second!.session));
    release();
    const together = [await summaryWhenAnswered(slow), quick];
    harness.lookups.before = async () => {};
    for (const [i, summary] of together.entries())
      demand(
        alone[i] === 'nothing' || summary === alone[i],
        `Of two requests at once one was answered ${summary}, alone ${alone[i]}. Store nothing about a request on the strategy: a new \`this\` is made for each.`,
      );
  }
};

/** Summarised at once, so that a later answer changes nothing. */
const summaryWhenAnswered = async (tried: Promise<Trial>): Promise<string> =>
  summaryOf(await tried);
