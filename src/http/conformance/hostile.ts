import type { Trial } from '#src/http/conformance/escapes';
import { ask, askWith, demand, isBroken, outcomeOf, prepare, told, whoOf, type Check, type Scene } from '#src/http/conformance/scene';
import type { Sample } from '#src/http/conformance/stage';

const HUGE = 'a'.repeat(100_000);
/** So long a strategy may think about nonsense, in milliseconds: every other request waits with it. */
const QUICK = 1000;
const WORDS = ['__proto__', 'constructor', 'toString'];

interface Twist {
  /** What was done to the sample, for people. */
  what: string;
  sample: Sample;
  /** The text that stands where a credential stood. */
  value?: string;
}
const PARTS = ['body', 'query', 'headers'] as const;
type Part = (typeof PARTS)[number];

/** The sample with one member replaced or added, whatever its name. */
const withMember = (sample: Sample, part: Part, name: string, value: unknown): Sample => ({
  ...sample,
  [part]: Object.fromEntries([...Object.entries(sample[part] ?? {}).filter(([each]) => each !== name), [name, value]]),
});
const membersOf = (sample: Sample) =>
  PARTS.flatMap((part) => Object.entries(sample[part] ?? {}).map(([name, value]) => ({ part, name, value })));
/** Of `Bearer abc` the word stays, once. */
const schemeOf = (part: Part, value: unknown) => (part === 'headers' && /^(\w+) \S/.exec(String(value))?.[1]) || undefined;

function replaced(sample: Sample, values: readonly string[]): Twist[] {
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
 * Sends each, and demands that none of them opens the door to anybody but the person of the good sample, breaks the strategy or
 * silences it. What a provider sends back may be an error(): the server takes it for a refusal.
 */
async function withstands(scene: Scene, twistsOf: (sample: Sample) => Twist[], advice: string, quick = Infinity): Promise<void> {
  const who = whoOf(await ask(scene, scene.good[0]));
  const ready = await prepare(scene, scene.good[0]);
  if ('answers' in ready) return;
  for (const { what, sample, value } of twistsOf(ready.sample)) {
    const trial = await askWith(scene, sample, ready.session);
    const slow = trial.ms > quick && trial.ms < Infinity && `took ${Math.round(trial.ms)} ms`;
    const fault = faultOf(scene, trial, who, value) ?? slow;
    demand(!fault, `A request ${what} ${fault}. ${advice}`, trial);
  }
}

function faultOf({ strategy }: Scene, trial: Trial, who: string | undefined, value: string | undefined): string | undefined {
  if (trial.escaped.length > 0) return 'let an exception escape';
  const whom = whoOf(trial);
  if (outcomeOf(trial) === 'success' && (whom === undefined || (whom !== who && whom !== `subject ${value}`))) return `got ${told(trial)}`;
  if (isBroken(trial) && strategy.kind !== 'redirect') return 'broke it: the client would hear 500';
  return undefined;
}

const PROTOTYPES = [Object, Array, Function, String].map(({ name, prototype }) => ({ name, prototype: prototype as object }));

export const knowsNoPrototypes: Check = async (scene) => {
  const before = PROTOTYPES.map(({ prototype }) => new Set(Reflect.ownKeys(prototype)));
  const surplus = (sample: Sample) =>
    (['body', 'query'] as const)
      .filter((part) => sample[part])
      .flatMap((part) =>
        WORDS.map((name) => ({
          what: `with a member ${name}`,
          sample: withMember(sample, part, name, part === 'body' ? { polluted: 'yes' } : 'yes'),
        })),
      );
  const advice = 'Look things up in a Map, or with Object.hasOwn, and copy no members by names that a client chose.';
  try {
    await withstands(scene, (sample) => [...replaced(sample, WORDS), ...surplus(sample)], advice);
  } finally {
    for (const [i, { name, prototype }] of PROTOTYPES.entries())
      for (const key of Reflect.ownKeys(prototype).filter((each) => !before[i]!.has(each))) {
        Reflect.deleteProperty(prototype, key);
        // eslint-disable-next-line no-unsafe-finally -- worse than whatever else was found
        throw new Error(`A request changed ${name}.prototype, and with it every object of the server. ${advice}`);
      }
  }
};

export const bearsHugeValues: Check = (scene) =>
  withstands(
    scene,
    (sample) => replaced(sample, [HUGE]),
    'Limit the length of what you take before you look at it; beware of regular expressions that go back.',
    QUICK,
  );

export const bearsLists: Check = async (scene) => {
  const others = (part: Part, value: unknown): unknown[] =>
    part === 'body' && scene.strategy.kind !== 'redirect'
      ? [[value], { value }, 5, true, null]
      : [
          [String(value), String(value)],
          [String(value), 'x'],
          ['x', String(value)],
        ];
  const twists = (sample: Sample) =>
    membersOf(sample).flatMap(({ part, name, value }) =>
      others(part, value).map((each) => ({
        what: `with ${Array.isArray(each) ? 'a list' : JSON.stringify(each)} as ${name}`,
        sample: withMember(sample, part, name, each),
      })),
    );
  await withstands(scene, twists, 'A query a=1&a=2 is a list: ask whether a value is a text before you use it as one.');
};

/** What other strategies' clients send, or none. */
const STRANGERS: Sample[] = [
  {},
  ...['Bearer', 'Bearer abc', 'Basic', 'Basic eDp5', 'Basic ====', 'Digest x', 'x'].map((authorization) => ({
    headers: { authorization },
  })),
  { headers: { cookie: 'session=abc; a' } },
  { query: { access_token: 'abc', token: 'abc' } },
];

export const letsNobodyInForNothing: Check = async (scene) => {
  await ask(scene, scene.good[0]); // and remembers nobody
  const samples = scene.strategy.kind === 'bearer' ? STRANGERS : [{}];
  const asked = samples.map(async (sample) => ({ sample, trial: await askWith(scene, sample) }));
  for (const { sample, trial } of await Promise.all(asked)) {
    const words = JSON.stringify(sample);
    demand(outcomeOf(trial) !== 'success', `A request without credentials of its own (${words}) was let in: ${told(trial)}.`);
    const harmless = scene.strategy.kind === 'redirect' || !isBroken(trial);
    demand(harmless, `A request that is not for it (${words}) broke it. Call fail(), so that other strategies are asked.`, trial);
  }
};
