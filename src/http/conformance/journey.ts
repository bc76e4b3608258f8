import { inspect } from 'node:util';
import type { Trial } from '#src/http/conformance/escapes';
import { ask, askWith, demand, leave, outcomeOf, prepare, sampleOf, type Away, type Check, type Scene } from '#src/http/conformance/scene';
import type { Sample } from '#src/http/conformance/stage';
import { STATES } from '#src/http/round-trip';

/** Shortest state that cannot be guessed, in characters. */
const UNGUESSABLE = 16;
/** Most that a strategy may keep for its way back, in characters of JSON: it travels in a cookie. */
const POCKET = 2000;

const stateOf = ({ address }: Away) => STATES.map((name) => address?.searchParams.get(name)).find(Boolean);

/**
 * Either the strategy refuses whoever comes back to a browser that did not leave; or its state is another each time, or missing, so that
 * the server can see to it.
 */
export const tiesTheWayBack: Check = async (scene) => {
  const [mine, theirs] = [await leave(scene), await leave(scene)];
  if (!mine.address || !theirs.address) return;
  const states = [stateOf(mine), stateOf(theirs)];
  const returned = await sampleOf(scene, scene.good[0], mine.address);
  const foreign = await askWith(scene, returned, theirs.trial.session);
  const again = await leave(scene);
  const missing = await askWith(scene, await sampleOf(scene, scene.good[0], again.address!));
  const itself = outcomeOf(foreign) !== 'success' && outcomeOf(missing) !== 'success';
  const differ = states[0] !== states[1] && states.every((state) => (state ?? '').length >= UNGUESSABLE);
  demand(
    itself || differ || states.every((state) => state === undefined),
    'It sends the same state, or one that can be guessed, with every browser, and does not ask on the way back whether it is the one it sent. Give passport-oauth2 `store: state` from the context; or send no state, and the server adds one.',
  );
  const unsent = states.every((state) => state === undefined);
  if (unsent) scene.options.note?.('The strategy sends no state: the server adds one and checks it.');
  else if (itself) scene.options.note?.('The strategy checks its state itself, and the server does, too.');
  else scene.options.note?.('The strategy does not check its state: the server does.');
};

export const packsLight: Check = async (scene) => {
  const { trial } = await leave(scene);
  if (outcomeOf(trial) !== 'redirect') return;
  demand(
    isPlain(trial.session),
    'Keep only JSON in req.session: it travels in a cookie, and Dates, Maps, Buffers and functions do not come back.',
  );
  const size = JSON.stringify(trial.session).length;
  demand(size <= POCKET, `It keeps ${size} characters in req.session, which travels in a cookie: ${POCKET} are the most.`);
};

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return !['function', 'symbol', 'bigint'].includes(typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (Array.isArray(value) || prototype === Object.prototype || prototype === null) && Object.values(value).every(isPlain);
}

const SECRET_NAME = /pass|secret|token|key|code|assertion|signature|authorization|cookie|samlresponse/i;
/** Shorter ones stand in other words by chance. */
const SHORTEST = 8;

/** What must not be repeated: named like a secret in the settings and in what was sent. */
function secretsOf({ options: { env = {}, secrets = [] }, sent }: Scene): string[] {
  const members = [env, ...sent.flatMap(({ body, query, headers }) => [body, query, headers])].flatMap((part) =>
    Object.entries(part ?? {}),
  );
  const found = members
    .filter(([name]) => SECRET_NAME.test(name))
    .flatMap(([, value]) => [value].flat())
    .filter((value): value is string => typeof value === 'string')
    .flatMap((value) => [value, ...credentialsIn(value)]);
  return [...secrets, ...found.filter((value) => value.length >= SHORTEST)];
}
/** `Bearer abc` is about abc; `Basic dTpw` about u:p, too. */
function credentialsIn(value: string): string[] {
  const [, scheme = '', rest = ''] = /^(\w+) (\S+)$/.exec(value) ?? [];
  const plain = scheme.toLowerCase() === 'basic' ? Buffer.from(rest, 'base64').toString() : '';
  return [rest, plain, plain.slice(plain.indexOf(':') + 1)];
}

/** All that was said, but for the user. */
const wordsOf = ({ answers, escaped }: Trial) =>
  inspect([...answers.map(({ outcome, said }) => (outcome === 'success' ? said.slice(1) : said)), escaped], {
    depth: 8,
    maxStringLength: null,
    maxArrayLength: null,
  });

export const keepsSecrets: Check = async (scene) => {
  const { strategy, stage, good, bad } = scene;
  const trials: Trial[] = strategy.kind === 'redirect' ? [(await leave(scene)).trial] : [];
  for (const example of [...good, ...bad]) trials.push(await ask(scene, example));
  const ready = await prepare(scene, good[0]);
  if (!('answers' in ready))
    for (const sample of distortions(ready.sample)) trials.push(await askWith(scene, track(scene, sample), ready.session));
  stage.desk.before = async () => Promise.reject(new Error('Users cannot be looked up'));
  trials.push(await ask(scene, good[0]));
  const secrets = secretsOf(scene);
  for (const trial of trials) {
    const words = wordsOf(trial);
    const repeated = secrets.some((secret) => words.includes(secret) || words.includes(encodeURIComponent(secret)));
    demand(
      !repeated,
      `Its ${trial.answers[0]?.outcome ?? 'exception'}() repeats a secret of the settings or of the request: it ends in a log or in an address. Say what was wrong without the value.`,
    );
  }
};

const track = (scene: Scene, sample: Sample): Sample => {
  scene.sent.push(sample);
  return sample;
};

/** Secrets that are nearly right: libraries like to repeat what they could not read. */
const distortions = (sample: Sample): Sample[] =>
  (['body', 'query', 'headers'] as const).flatMap((part) =>
    Object.entries(sample[part] ?? {}).flatMap(([name, value]) =>
      SECRET_NAME.test(name) && typeof value === 'string' && value.length >= SHORTEST
        ? [{ ...sample, [part]: { ...sample[part], [name]: `${value}%zz"` } }]
        : [],
    ),
  );
