import {
  demand,
  isBroken,
  outcomeOf,
  prepare,
  summaryOf,
  tryExample,
  trySample,
  userOf,
  type Check,
  type CheckContext,
} from '#src/strategy-kit/conformance/context';
import type { Sample } from '#src/strategy-kit/conformance/options';
import type { Trial } from '#src/strategy-kit/conformance/unhandled-errors';

const HUGE = 'a'.repeat(100_000);
/** Longest time for a malformed request, in milliseconds: every other request waits meanwhile. */
const QUICK_MS = 1000;
const WORDS = ['__proto__', 'constructor', 'toString'];

interface Variant {
  /** What was changed in the sample, for people. */
  what: string;
  sample: Sample;
  /** The text in the place of a credential. */
  value?: string;
}
const PARTS = ['body', 'query', 'headers'] as const;
type Part = (typeof PARTS)[number];

/** The sample with one member replaced or added, whatever its name. */
const withMember = (sample: Sample, part: Part, name: string, value: unknown): Sample => ({
  ...sample,
  [part]: Object.fromEntries([
    ...Object.entries(sample[part] ?? {}).filter(([each]) => each !== name),
    [name, value],
  ]),
});
const membersOf = (sample: Sample) =>
  PARTS.flatMap((part) =>
    Object.entries(sample[part] ?? {}).map(([name, value]) => ({ part, name, value })),
  );
/** The scheme of a header such as `Bearer abc`: variants are tried with it, too. */
const schemeOf = (part: Part, value: unknown) =>
  (part === 'headers' && /^(\w+) \S/.exec(String(value))?.[1]) || undefined;

function replaced(sample: Sample, values: readonly string[]): Variant[] {
  return membersOf(sample).flatMap(({ part, name, value: before }) => {
    const scheme = schemeOf(part, before);
    return values.flatMap((value) =>
      [value, ...(scheme ? [`${scheme} ${value}`] : [])].map((each) => ({
        what: `with ${value.length > 99 ? '100 kB' : value} as ${name}`,
        sample: withMember(sample, part, name, each),
        value,
      })),
    );
  });
}

/**
 * Sends each variant of the good sample. None may be accepted for any other user, break the
 * strategy or get no answer. For what a provider returns, error() is allowed: the server refuses.
 */
async function withstands(
  context: CheckContext,
  variantsOf: (sample: Sample) => Variant[],
  advice: string,
  quickMs = Infinity,
): Promise<void> {
  const user = userOf(await tryExample(context, context.good[0]));
  const ready = await prepare(context, context.good[0]);
  if ('answers' in ready) return;
  for (const { what, sample, value } of variantsOf(ready.sample)) {
    const trial = await trySample(context, sample, ready.session);
    const isSlow = trial.ms > quickMs && trial.ms < Infinity;
    const fault =
      faultOf(context, trial, user, value) ?? (isSlow && `took ${Math.round(trial.ms)} ms`);
    demand(!fault, `A request ${what} ${fault}. ${advice}`, trial);
  }
}

function faultOf(
  { strategy }: CheckContext,
  trial: Trial,
  expected: string | undefined,
  value: string | undefined,
): string | undefined {
  if (trial.unhandled.length > 0) return 'caused an unhandled exception';
  const user = userOf(trial);
  const isOther = user === undefined || (user !== expected && user !== `subject ${value}`);
  if (outcomeOf(trial) === 'success' && isOther) return `got ${summaryOf(trial)}`;
  if (isBroken(trial) && strategy.kind !== 'redirect') return 'broke it: the client would get 500';
  return undefined;
}

const prototypes = () =>
  [Object, Array, Function, String].map(({ name, prototype }) => ({
    name,
    prototype: prototype as object,
    keys: new Set(Reflect.ownKeys(prototype as object)),
  }));

export const knowsNoPrototypes: Check = async (context) => {
  const before = prototypes();
  const surplus = (sample: Sample) =>
    (['body', 'query'] as const)
      .filter((part) => sample[part])
      .flatMap((part) =>
        WORDS.map((name) => ({
          what: `with a member ${name}`,
          sample: withMember(sample, part, name, part === 'body' ? { polluted: 'yes' } : 'yes'),
        })),
      );
  const advice =
    'Look things up in a Map, or with Object.hasOwn, and copy no members by names that a client chose.';
  try {
    await withstands(context, (sample) => [...replaced(sample, WORDS), ...surplus(sample)], advice);
  } finally {
    for (const { name, prototype, keys } of before)
      for (const key of Reflect.ownKeys(prototype).filter((each) => !keys.has(each))) {
        Reflect.deleteProperty(prototype, key);
        // eslint-disable-next-line no-unsafe-finally -- this is worse than what else was found
        throw new Error(
          `A request changed ${name}.prototype, and with it every object of the server. ${advice}`,
        );
      }
  }
};

export const bearsHugeValues: Check = (context) =>
  withstands(
    context,
    (sample) => replaced(sample, [HUGE]),
    'Limit the length of a value before you read it; beware of regular expressions that backtrack.',
    QUICK_MS,
  );

export const bearsLists: Check = async (context) => {
  const others = (part: Part, value: unknown): unknown[] =>
    part === 'body' && context.strategy.kind !== 'redirect'
      ? [[value], { value }, 5, true, null]
      : [
          [String(value), String(value)],
          [String(value), 'x'],
          ['x', String(value)],
        ];
  const variants = (sample: Sample) =>
    membersOf(sample).flatMap(({ part, name, value }) =>
      others(part, value).map((each) => ({
        what: `with ${Array.isArray(each) ? 'a list' : JSON.stringify(each)} as ${name}`,
        sample: withMember(sample, part, name, each),
      })),
    );
  await withstands(
    context,
    variants,
    'A query a=1&a=2 is a list: ask whether a value is a text before you use it as one.',
  );
};

/** Requests without credentials, or with those of other strategies. */
const FOREIGN: Sample[] = [
  {},
  ...['Bearer', 'Bearer abc', 'Basic', 'Basic eDp5', 'Basic ====', 'Digest x', 'x'].map(
    (authorization) => ({ headers: { authorization } }),
  ),
  { headers: { cookie: 'session=abc; a' } },
  { query: { access_token: 'abc', token: 'abc' } },
];

export const letsNobodyInForNothing: Check = async (context) => {
  await tryExample(context, context.good[0]); // the strategy must not remember this user
  const samples = context.strategy.kind === 'bearer' ? FOREIGN : [{}];
  const tried = samples.map(async (sample) => ({
    sample,
    trial: await trySample(context, sample),
  }));
  for (const { sample, trial } of await Promise.all(tried)) {
    const words = JSON.stringify(sample);
    demand(
      outcomeOf(trial) !== 'success',
      `A request without credentials of its own (${words}) was let in: ${summaryOf(trial)}.`,
    );
    demand(
      context.strategy.kind === 'redirect' || !isBroken(trial),
      `A request that is not for it (${words}) broke it. Call fail(), so that other strategies are asked.`,
      trial,
    );
  }
};
