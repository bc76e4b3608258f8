import { inspect } from 'node:util';
import {
  demand,
  outcomeOf,
  prepare,
  sampleOf,
  startAuthorization,
  tryExample,
  trySample,
  type AuthorizationRequest,
  type Check,
  type CheckContext,
} from '#src/strategy-kit/conformance/context';
import type { Sample } from '#src/strategy-kit/conformance/options';
import type { Trial } from '#src/strategy-kit/conformance/unhandled-errors';
import { STATE_PARAMETERS } from '#src/strategy-kit/state-store';

/** Shortest state that cannot be guessed, in characters. */
const MIN_STATE_LENGTH = 16;
/** Longest session of a strategy, in characters of JSON. It is sent in a cookie. */
const MAX_SESSION_LENGTH = 2000;

const stateOf = ({ address }: AuthorizationRequest) =>
  STATE_PARAMETERS.map((name) => address?.searchParams.get(name)).find(Boolean);

/**
 * Either the strategy refuses a callback in a browser that did not start it. Or its state is
 * another one each time, or missing, so that the server can check it.
 */
export const bindsCallback: Check = async (context) => {
  const [own, other] = [await startAuthorization(context), await startAuthorization(context)];
  if (!own.address || !other.address) return;
  const states = [stateOf(own), stateOf(other)];
  const returned = await sampleOf(context, context.good[0], own.address);
  const inOther = await trySample(context, returned, other.trial.session);
  const again = await startAuthorization(context);
  const withoutSession = await trySample(
    context,
    await sampleOf(context, context.good[0], again.address!),
  );
  const checksItself = outcomeOf(inOther) !== 'success' && outcomeOf(withoutSession) !== 'success';
  const differ =
    states[0] !== states[1] && states.every((state) => (state ?? '').length >= MIN_STATE_LENGTH);
  const sendsNone = states.every((state) => state === undefined);
  demand(
    checksItself || differ || sendsNone,
    'It sends the same state, or one that can be guessed, with every browser, and does not check in the callback whether it is the one it sent. Give passport-oauth2 `store: state` from the context; or send no state, and the server adds one.',
  );
  const { note } = context.options;
  if (sendsNone) note?.('The strategy sends no state: the server adds one and checks it.');
  else if (checksItself) note?.('The strategy checks its state itself, and the server does, too.');
  else note?.('The strategy does not check its state: the server does.');
};

export const storesLittle: Check = async (context) => {
  const { trial } = await startAuthorization(context);
  if (outcomeOf(trial) !== 'redirect') return;
  demand(
    isPlain(trial.session),
    'Store only JSON in req.session: it is sent in a cookie, which loses Dates, Maps, Buffers and functions.',
  );
  const size = JSON.stringify(trial.session).length;
  demand(
    size <= MAX_SESSION_LENGTH,
    `It stores ${size} characters in req.session, which is sent in a cookie: ${MAX_SESSION_LENGTH} are the most.`,
  );
};

function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return !['function', 'symbol', 'bigint'].includes(typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (Array.isArray(value) || prototype === Object.prototype || prototype === null) &&
    Object.values(value).every(isPlain)
  );
}

const SECRET_NAME =
  /pass|secret|token|key|code|assertion|signature|authorization|cookie|samlresponse/i;
/** Shorter secrets may be part of other words by chance. */
const MIN_SECRET_LENGTH = 8;

/** What must not be repeated: members with the name of a secret, of the settings and of samples. */
function secretsOf({ options: { env = {}, secrets = [] }, sent }: CheckContext): string[] {
  const parts = [env, ...sent.flatMap(({ body, query, headers }) => [body, query, headers])];
  const found = parts
    .flatMap((part) => Object.entries(part ?? {}))
    .filter(([name]) => SECRET_NAME.test(name))
    .flatMap(([, value]) => [value].flat())
    .filter((value): value is string => typeof value === 'string')
    .flatMap((value) => [value, ...credentialsIn(value)]);
  return [...secrets, ...found.filter((value) => value.length >= MIN_SECRET_LENGTH)];
}
/** In `Bearer abc` the secret is abc. In `Basic dTpw` it is also the text u:p. */
function credentialsIn(value: string): string[] {
  const [, scheme = '', rest = ''] = /^(\w+) (\S+)$/.exec(value) ?? [];
  const plain = scheme.toLowerCase() === 'basic' ? Buffer.from(rest, 'base64').toString() : '';
  return [rest, plain, plain.slice(plain.indexOf(':') + 1)];
}

/** All that the strategy said, except the user. */
const wordsOf = ({ answers, unhandled }: Trial) =>
  inspect(
    [
      ...answers.map(({ outcome, args }) => (outcome === 'success' ? args.slice(1) : args)),
      unhandled,
    ],
    { depth: 8, maxStringLength: null, maxArrayLength: null },
  );

export const repeatsNoSecret: Check = async (context) => {
  const { strategy, harness, good, bad } = context;
  const trials: Trial[] =
    strategy.kind === 'redirect' ? [(await startAuthorization(context)).trial] : [];
  for (const example of [...good, ...bad]) trials.push(await tryExample(context, example));
  const ready = await prepare(context, good[0]);
  if (!('answers' in ready))
    for (const sample of distortions(ready.sample)) {
      context.sent.push(sample);
      trials.push(await trySample(context, sample, ready.session));
    }
  harness.lookups.before = async () => Promise.reject(new Error('Users cannot be looked up'));
  trials.push(await tryExample(context, good[0]));
  const secrets = secretsOf(context);
  for (const trial of trials) {
    const words = wordsOf(trial);
    const isRepeated = secrets.some(
      (secret) => words.includes(secret) || words.includes(encodeURIComponent(secret)),
    );
    demand(
      !isRepeated,
      `Its ${trial.answers[0]?.outcome ?? 'exception'}() repeats a secret of the settings or of the request: it ends in a log or in an address. Say what was wrong without the value.`,
    );
  }
};

/** Secrets that are nearly right: libraries often repeat what they could not read. */
const distortions = (sample: Sample): Sample[] =>
  (['body', 'query', 'headers'] as const).flatMap((part) =>
    Object.entries(sample[part] ?? {}).flatMap(([name, value]) =>
      SECRET_NAME.test(name) && typeof value === 'string' && value.length >= MIN_SECRET_LENGTH
        ? [{ ...sample, [part]: { ...sample[part], [name]: `${value}%zz"` } }]
        : [],
    ),
  );
