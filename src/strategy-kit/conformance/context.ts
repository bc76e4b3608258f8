import { inspect } from 'node:util';
import { User } from '#models/user';
import { Problem } from '#src/platform/http/problem';
import type { Example, Options, Sample } from '#src/strategy-kit/conformance/options';
import type { Harness } from '#src/strategy-kit/conformance/harness';
import type { Answer, Trial } from '#src/strategy-kit/conformance/unhandled-errors';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import type { AuthStrategy } from '#src/strategy-kit/strategy';
import { isServerFailure } from '#src/strategy-kit/transient-errors';
import { Principal } from '#src/users/principal';

/** What a check works with. */
export interface CheckContext {
  strategy: AuthStrategy;
  options: Options;
  harness: Harness;
  good: readonly [Example, ...Example[]];
  bad: readonly Example[];
  /** Every sample that was sent. */
  sent: Sample[];
}
/** Throws an Error that tells the author what to change. */
export type Check = (context: CheckContext) => Promise<void>;

export const goodOf = ({ good }: Options): readonly [Example, ...Example[]] =>
  (Array.isArray(good) ? good : [good]) as unknown as readonly [Example, ...Example[]];

/** A request that starts at the strategy, as the browser makes it. */
export interface AuthorizationRequest {
  trial: Trial;
  /** Where the strategy redirected to, if it did. */
  address: URL | undefined;
}
export async function startAuthorization({ harness }: CheckContext): Promise<AuthorizationRequest> {
  const trial = await harness.send({});
  const [first] = trial.answers;
  const address = first?.outcome === 'redirect' ? addressOf(first) : undefined;
  return { trial, address };
}
export const addressOf = ({ args: [url] }: Answer): URL | undefined =>
  typeof url === 'string' && URL.canParse(url, 'http://127.0.0.1')
    ? new URL(url, 'http://127.0.0.1')
    : undefined;

export async function sampleOf(
  context: CheckContext,
  example: Example,
  address: URL,
): Promise<Sample> {
  const sample =
    typeof example === 'function' ? await example(address, context.harness.context) : example;
  context.sent.push(sample);
  return sample;
}

/**
 * The sample of an example, ready to be sent. For kind `redirect` the browser has been at the
 * provider. If the strategy did not redirect it there: the trial that shows what it did.
 */
export async function prepare(
  context: CheckContext,
  example: Example,
): Promise<{ sample: Sample; session: object } | Trial> {
  const { strategy, harness } = context;
  if (strategy.kind !== 'redirect') {
    const sample = await sampleOf(context, example, new URL(harness.origin));
    return { sample, session: {} };
  }
  const { trial, address } = await startAuthorization(context);
  if (!address) return trial;
  return { sample: await sampleOf(context, example, address), session: trial.session };
}

/** Tries an example: the whole sign-in, with the provider. */
export async function tryExample(context: CheckContext, example: Example): Promise<Trial> {
  const ready = await prepare(context, example);
  return 'answers' in ready ? ready : trySample(context, ready.sample, ready.session);
}
export const trySample = (
  { strategy, harness }: CheckContext,
  sample: Sample,
  session: object = {},
): Promise<Trial> => harness.send(sample, session, strategy.kind === 'redirect');

/** The user whom a strategy named, as text. Undefined for any other answer. */
export function userIn({ outcome, args: [user] }: Answer): string | undefined {
  if (outcome !== 'success') return undefined;
  if (user instanceof ProviderProfile) return `subject ${user.subject}`;
  if (user instanceof ProvenAddress) return `address ${user.address.canonical}`;
  return (user instanceof User || user instanceof Principal) && user.id
    ? `user ${user.id}`
    : undefined;
}

/** The first answer counts. */
export const outcomeOf = ({ answers: [first] }: Trial): Answer['outcome'] | 'nothing' =>
  first?.outcome ?? 'nothing';
export const userOf = ({ answers: [first] }: Trial): string | undefined => first && userIn(first);

const isRefusal = (reason: unknown) => reason instanceof Problem && reason.status < 500;
/** True when the client would get 500 or 503. */
export function isBroken({ answers: [first] }: Trial): boolean {
  if (first?.outcome === 'error') return !isRefusal(first.args[0]);
  return first?.outcome === 'fail' && isServerFailure(first.args[0]) && !isRefusal(first.args[0]);
}

/** The first answer in a few words, without secrets. */
export function summaryOf({ answers: [first] }: Trial): string {
  if (!first) return 'nothing';
  const [what] = first.args;
  const word =
    what instanceof Error ? what.constructor.name : inspect(what, { depth: 0 }).slice(0, 60);
  return first.outcome === 'success' ? `success(${userIn(first) ?? word})` : `${first.outcome}()`;
}

/** Throws the sentence if the condition does not hold. The strategy's own error is the cause. */
export function demand(holds: boolean, sentence: string, trial?: Trial): asserts holds {
  if (!holds)
    throw new Error(sentence, { cause: trial?.unhandled[0] ?? trial?.answers[0]?.args[0] });
}

/** The examples, each with its name in the options. */
export const numbered = (examples: readonly Example[], word: string) =>
  examples.map((example, i) => ({ example, name: `${word}[${i}]` }));
export const allExamples = ({ good, bad }: CheckContext) => [
  ...numbered(good, 'good'),
  ...numbered(bad, 'bad'),
  { example: {}, name: 'an empty request' },
];
