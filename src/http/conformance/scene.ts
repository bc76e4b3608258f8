import { inspect } from 'node:util';
import { User } from '#models/index';
import { Problem } from '#src/core/problem';
import { Vouched } from '#src/core/vouched';
import type { Answer, Trial } from '#src/http/conformance/escapes';
import type { Example, Options, Sample, Stage } from '#src/http/conformance/stage';
import type { AuthStrategy } from '#src/http/strategy';
import { isOurs } from '#src/http/wrap';

/** What a check has to work with. */
export interface Scene {
  strategy: AuthStrategy;
  options: Options;
  stage: Stage;
  good: readonly [Example, ...Example[]];
  bad: readonly Example[];
  /** Every sample that was sent. */
  sent: Sample[];
}
/** Throws an Error that says what to do. */
export type Check = (scene: Scene) => Promise<void>;

export const goodOf = ({ good }: Options): readonly [Example, ...Example[]] =>
  (Array.isArray(good) ? good : [good]) as unknown as readonly [Example, ...Example[]];

/** A browser on its way to the provider. */
export interface Away {
  trial: Trial;
  /** Where the strategy sent it, if it did. */
  address: URL | undefined;
}
export async function leave({ stage }: Scene): Promise<Away> {
  const trial = await stage.attempt({});
  const [first] = trial.answers;
  const address = first?.outcome === 'redirect' ? addressOf(first) : undefined;
  return { trial, address };
}
export const addressOf = ({ said: [url] }: Answer): URL | undefined =>
  typeof url === 'string' && URL.canParse(url, 'http://127.0.0.1') ? new URL(url, 'http://127.0.0.1') : undefined;

export async function sampleOf(scene: Scene, example: Example, address: URL): Promise<Sample> {
  const sample = typeof example === 'function' ? await example(address) : example;
  scene.sent.push(sample);
  return sample;
}

/** A request made ready: for kind `redirect` its browser has been to the provider. If it was not sent there, what came of that. */
export async function prepare(scene: Scene, example: Example): Promise<{ sample: Sample; session: object } | Trial> {
  const { strategy, stage } = scene;
  if (strategy.kind !== 'redirect') return { sample: await sampleOf(scene, example, new URL(stage.origin)), session: {} };
  const { trial, address } = await leave(scene);
  return address ? { sample: await sampleOf(scene, example, address), session: trial.session } : trial;
}

/** Asks with this example: the whole way, to the provider and back. */
export async function ask(scene: Scene, example: Example): Promise<Trial> {
  const ready = await prepare(scene, example);
  return 'answers' in ready ? ready : askWith(scene, ready.sample, ready.session);
}
export const askWith = ({ strategy, stage }: Scene, sample: Sample, session: object = {}): Promise<Trial> =>
  stage.attempt(sample, session, strategy.kind === 'redirect');

/** Whom a strategy vouched for, in a word; undefined if that is nobody. */
export function whoIs({ outcome, said: [who] }: Answer): string | undefined {
  if (outcome !== 'success') return undefined;
  if (who instanceof Vouched) return `subject ${who.subject}`;
  return who instanceof User && who.id ? `user ${who.id}` : undefined;
}

/** The first answer counts. */
export const outcomeOf = ({ answers: [first] }: Trial): Answer['outcome'] | 'nothing' => first?.outcome ?? 'nothing';
export const whoOf = ({ answers: [first] }: Trial): string | undefined => first && whoIs(first);

const isRefusal = (why: unknown) => why instanceof Problem && why.status < 500;
/** Said that it broke: the client would hear 500, or 503. */
export function isBroken({ answers: [first] }: Trial): boolean {
  if (first?.outcome === 'error') return !isRefusal(first.said[0]);
  return first?.outcome === 'fail' && isOurs(first.said[0]) && !isRefusal(first.said[0]);
}

/** In a few words, and without its secrets. */
export function told({ answers: [first] }: Trial): string {
  if (!first) return 'nothing';
  const [what] = first.said;
  const word = what instanceof Error ? what.constructor.name : inspect(what, { depth: 0 }).slice(0, 60);
  return first.outcome === 'success' ? `success(${whoIs(first) ?? word})` : `${first.outcome}()`;
}

/** Of whoever failed, what was said goes along as the cause. */
export function demand(holds: boolean, sentence: string, trial?: Trial): asserts holds {
  if (!holds) throw new Error(sentence, { cause: trial?.escaped[0] ?? trial?.answers[0]?.said[0] });
}
