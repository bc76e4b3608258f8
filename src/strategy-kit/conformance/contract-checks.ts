import type { ZodType } from 'zod';
import { User } from '#models/user';
import { isLoopback } from '#src/platform/settings/types';
import {
  demand,
  isBroken,
  numbered,
  outcomeOf,
  prepare,
  startAuthorization,
  summaryOf,
  tryExample,
  trySample,
  addressOf,
  userIn,
  type Check,
} from '#src/strategy-kit/conformance/context';
import { faultOf } from '#src/strategy-kit/contract';

const refusesUnknownFields = (schema: ZodType | undefined): boolean =>
  (schema?.safeParse({ surplus: 1 }).error?.issues ?? []).some(
    ({ code }) => code === 'unrecognized_keys',
  );

export const describesItself: Check = async ({ strategy }) => {
  const fault = faultOf(strategy, strategy.name);
  demand(!fault, `It ${fault}.`);
  demand(
    /^[A-Z].{8,}/.test(strategy.summary),
    'Give `summary` a sentence that begins with a capital: it stands on the page of the API.',
  );
  const settings = Object.entries(strategy.env?.shape ?? {});
  const odd = settings.find(([name]) => !/^[A-Z][A-Z0-9_]+$/.test(name));
  demand(
    !odd,
    `Name the setting ${odd?.[0]} with capitals, digits and _, as environment variables are.`,
  );
  const isOptional = ([, schema]: [string, unknown]) =>
    (schema as ZodType).safeParse(undefined).success;
  demand(
    settings.length === 0 || !settings.every(isOptional),
    'Leave one setting of `env` without a default: all are optional, so nothing says whether the strategy is meant to be on.',
  );
  demand(
    strategy.kind !== 'login' || refusesUnknownFields(strategy.credentials),
    'Make `credentials` a z.strictObject: unknown fields must be refused.',
  );
};

export const identifiesOneUser: Check = async (context) => {
  demand(context.good.length > 0, 'Give `good` a request that is accepted: nothing is tested.');
  for (const { example, name } of numbered(context.good, 'good')) {
    const trial = await tryExample(context, example);
    const [first] = trial.answers;
    if (!first || first.outcome === 'pass') continue; // other checks report it
    demand(
      first.outcome === 'success',
      `${name} must be let in, and was answered ${summaryOf(trial)}. Is the sample right?`,
      trial,
    );
    demand(
      userIn(first) !== undefined,
      `success() must be given what resolveUser() or resolveAddress() answered, or a User or Principal of this server, and nothing else: ${name} got ${summaryOf(trial)}.`,
    );
    const [user] = first.args;
    demand(
      !(user instanceof User) || user.roles !== undefined,
      'Load the user with roles, as auth.users.find does: guards refuse to guess.',
    );
    demand(!(user instanceof User) || !user.disabledAt, `${name} is a user who is disabled.`);
  }
};

export const refuses: Check = async (context) => {
  demand(
    context.bad.length > 0,
    'Give `bad` a request that is refused: without one, nothing shows that the strategy refuses.',
  );
  for (const { example, name } of numbered(context.bad, 'bad')) {
    const trial = await tryExample(context, example);
    demand(
      outcomeOf(trial) !== 'success',
      `${name} must not be let in, and was: ${summaryOf(trial)}.`,
    );
    // The server refuses a failed callback in either case, and many packages throw there.
    demand(
      context.strategy.kind === 'redirect' || !isBroken(trial),
      `Refuse ${name} with fail() (null, in verify and custom). error() is for what is broken: the client would get 500.`,
      trial,
    );
  }
};

export const tellsWhenItBreaks: Check = async (context) => {
  const { harness, options } = context;
  const usually = outcomeOf(await tryExample(context, context.good[0]));
  const ready = await prepare(context, context.good[0]);
  if ('answers' in ready || usually !== 'success') return; // another check reports it
  const broken = async (during: () => Promise<void>) => {
    harness.lookups.before = async () => Promise.reject(new Error('Users cannot be looked up'));
    await during();
  };
  await (options.outage ?? broken)(async () => {
    const trial = await trySample(context, ready.sample, ready.session);
    demand(
      options.outage !== undefined || harness.lookups.count > 0,
      'Give `outage`: this strategy calls neither resolveUser nor auth, so the kit cannot make its look-up fail. See docs/testing-a-strategy.md.',
    );
    demand(
      trial.unhandled.length === 0,
      'A rejection was not handled. Give your async function to verify(…), or catch and call error().',
    );
    demand(
      trial.answers.length > 0,
      'When users cannot be looked up it does not answer. Call error(), or throw inside verify(…) or custom(…).',
    );
    demand(
      isBroken(trial),
      `When users cannot be looked up it must call error(), and answered ${summaryOf(trial)}: people would think that their password is wrong, or be let in.`,
    );
  });
};

export const redirectsOnlyThere: Check = async (context) => {
  const { strategy } = context;
  if (strategy.kind === 'redirect') {
    const { trial } = await startAuthorization(context);
    const [first] = trial.answers;
    if (first?.outcome === 'pass' || !first) return;
    demand(
      first.outcome === 'redirect',
      `Without an answer of the provider it must redirect() to it, and it answered ${summaryOf(trial)}.`,
    );
    const url = URL.canParse(String(first.args[0])) ? addressOf(first)! : undefined;
    demand(
      url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname)),
      'Redirect to an absolute https:// address of the provider: with http:// others can read it on its way.',
    );
    const redirectUri = url.searchParams.get('redirect_uri');
    const ours = context.options.callbackUrl;
    demand(
      !redirectUri || !ours || redirectUri === ours,
      'Give the provider the `callbackUrl` of the context as redirect_uri.',
    );
  }
  const words =
    strategy.kind === 'redirect'
      ? 'It redirects a browser that has come back from the provider'
      : 'Only kind `redirect` may redirect()';
  for (const { example, name } of [
    ...numbered(context.good, 'good'),
    ...numbered(context.bad, 'bad'),
  ]) {
    const trial = await tryExample(context, example);
    demand(outcomeOf(trial) !== 'redirect', `${words}: ${name}. Call fail().`);
  }
};

export const answersSteps: Check = async ({ strategy, options, harness }) => {
  for (const [name, step] of Object.entries(strategy.steps ?? {})) {
    demand(
      refusesUnknownFields(step.body),
      `Make the body of the step ${name} a z.strictObject: unknown fields must be refused.`,
    );
    const sample = options.steps?.[name];
    demand(sample !== undefined, `Give \`steps.${name}\` a body that the step accepts.`);
    const { data } = step.body.safeParse(sample);
    demand(data !== undefined, `The body in \`steps.${name}\` is not one that the step accepts.`);
    demand(
      !step.body.safeParse({ ...sample, surplus: 1 }).success,
      `The step ${name} must refuse a body with a field that it does not know.`,
    );
    const trial = await harness.runStep(name, data);
    demand(
      trial.ms <= harness.deadline,
      `The step ${name} did not answer within ${harness.deadline} ms. Set a timeout for what it waits for.`,
    );
    demand(
      trial.unhandled.length === 0,
      `The step ${name} left a rejection or an exception that nothing catches.`,
    );
    const [answer] = trial.answers;
    demand(
      answer?.outcome === 'success',
      `The step ${name} must answer the body in \`steps.${name}\`, and threw.`,
      trial,
    );
    demand(
      step.returns.safeParse(answer.args[0]).success,
      `What the step ${name} answers does not match its \`returns\`.`,
    );
  }
};
