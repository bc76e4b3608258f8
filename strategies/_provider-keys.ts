import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { Problem } from '#src/platform/http/problem';
import { fetchBounded } from '#strategies/_bounded-fetch';

/** Timeout for the whole answer of the key server, in milliseconds. A sign-in may take three seconds. */
const TIMEOUT_MS = 2500;
/** For so long the keys are used without asking again: a key that is withdrawn is refused after that. */
const FRESH_MS = 600_000;
/** So long after they were read, an unknown key makes nobody read them again. Anybody can invent one. */
const COOLDOWN_MS = 30_000;
/** So long after a failure nobody asks. */
const PAUSE_MS = 2000;

type Keys = ReturnType<typeof createLocalJWKSet>;

/**
 * The public keys of a provider. They are read when they are first needed, when they are old, and
 * when a token names a new one: by one request at a time, which the others wait for.
 * @throws {Problem} 503 `unavailable` if the keys are needed and cannot be read
 */
export function providerKeys(url: string): JWTVerifyGetKey {
  let keys: Keys | undefined;
  let readAt = -Infinity;
  let failure: { at: number; problem: Problem } | undefined;
  let reading: Promise<Keys> | undefined;
  const isWithin = (time: number, ms: number) => performance.now() - time < ms;

  const readOnce = async (): Promise<Keys> => {
    try {
      keys = await readKeys(url);
      readAt = performance.now();
      return keys;
    } catch (cause) {
      const problem = new Problem('unavailable', { cause });
      failure = { at: performance.now(), problem };
      throw problem;
    } finally {
      reading = undefined;
    }
  };
  const read = async (): Promise<Keys> => {
    if (failure && isWithin(failure.at, PAUSE_MS)) throw failure.problem;
    return (reading ??= readOnce());
  };

  return async (header, token) => {
    const known = keys && isWithin(readAt, FRESH_MS) ? keys : await read();
    try {
      return await known(header, token);
    } catch (error) {
      const isNew = error instanceof errors.JWKSNoMatchingKey && !isWithin(readAt, COOLDOWN_MS);
      if (!isNew) throw error;
      return (await read())(header, token);
    }
  };
}

/** @throws {Error} if it is no key set */
export async function readKeys(url: string): Promise<Keys> {
  const response = await fetchBounded(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200)
    throw new Error(`The key server answers ${response.status}`, { cause: response });
  return createLocalJWKSet((await response.json()) as Parameters<typeof createLocalJWKSet>[0]);
}
