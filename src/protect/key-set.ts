import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Unavailable } from '#src/protect/auth-server';
import { moment, since, type Moment } from '#src/protect/time';

/** One key, one algorithm (RFC 8725 §3.1): the header of a token never chooses how its signature is checked. */
export interface Key {
  readonly algorithm: 'ES256' | 'RS256';
  readonly verifyWith: KeyObject;
}

/** A new key is published so long before it signs, in milliseconds. */
const MAX_AGE_MS = 5 * 60_000;
/** After keys were replaced at once, other nodes publish the old ones for half a minute. */
const SETTLED_MS = 40_000;
/** Unknown key ids make it read once in this time, whoever invents them. */
const UNKNOWN_MS = 60_000;
/** Pause after an attempt that failed. */
const RETRY_MS = 1000;
/** So many keys are looked at, and so many old ids remembered. */
const MOST = 100;

/** The public keys of the auth server (RFC 7517), kept in memory. */
export class KeySet {
  readonly #read: () => Promise<unknown>;
  #keys: ReadonlyMap<string, Key> = new Map();
  readonly #retired = new Set<string>();
  #maxAge = MAX_AGE_MS;
  #isOutdated = true;
  #readAt: Moment | undefined;
  #triedAt: Moment | undefined;
  #failedAt: Moment | undefined;
  #reading: Promise<void> | undefined;

  constructor(read: () => Promise<unknown>) {
    this.#read = read;
  }

  /** The keys have changed: none is believed until they were read again. */
  expire(): void {
    this.#isOutdated = true;
  }

  /** The key of this id, if it is known and current. Waits for nothing. */
  current(kid: string): Key | undefined {
    if (this.#isOutdated || !this.#readAt) return undefined;
    const isDue = since(this.#readAt) > this.#maxAge;
    // The feed says how long the server may be away.
    if (isDue && isOver(this.#failedAt, RETRY_MS)) void this.#refresh().catch(() => {});
    return this.#keys.get(kid);
  }

  /**
   * The same. Reads the keys if it must.
   * @throws {Unavailable}
   */
  async find(kid: string): Promise<Key | undefined> {
    await this.#reading;
    if (this.#isOutdated) {
      if (!isOver(this.#failedAt, RETRY_MS)) throw new Unavailable('The keys are not known');
      await this.#refresh();
    } else if (!this.#keys.has(kid) && isOver(this.#triedAt, UNKNOWN_MS)) await this.#refresh();
    return this.#keys.get(kid);
  }

  /** True for a key that was published once: a token that names it may have been good. */
  wasKnown(kid: string): boolean {
    return this.#retired.has(kid);
  }

  #refresh(): Promise<void> {
    return (this.#reading ??= this.#take().finally(() => (this.#reading = undefined)));
  }

  async #take(): Promise<void> {
    const begun = moment();
    const wasOutdated = this.#isOutdated;
    this.#triedAt = begun;
    this.#isOutdated = false; // what expires them from now on is not answered by this reading
    try {
      const keys = keysIn(await this.#read());
      for (const kid of this.#keys.keys()) if (!keys.has(kid)) this.#retired.add(kid);
      if (this.#retired.size > MOST) this.#retired.clear();
      this.#maxAge = wasOutdated && this.#readAt ? SETTLED_MS : MAX_AGE_MS;
      this.#keys = keys;
      this.#readAt = begun;
    } catch (error) {
      this.#isOutdated ||= wasOutdated;
      this.#failedAt = moment();
      throw error;
    }
  }
}

const isOver = (at: Moment | undefined, pauseMs: number): boolean => !at || since(at) > pauseMs;

/** What is no key of ours is left out. */
function keysIn(set: unknown): Map<string, Key> {
  const { keys } = (set ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Unavailable('These are no keys');
  const found = new Map<string, Key>();
  for (const jwk of keys.slice(0, MOST) as JsonWebKey[]) {
    const key = keyOf(jwk);
    if (key && typeof jwk['kid'] === 'string') found.set(jwk['kid'], key);
  }
  return found;
}

function keyOf(jwk: JsonWebKey): Key | undefined {
  try {
    const { kty, crv, alg, use, n, e, x, y } = jwk;
    if (use !== 'sig') return undefined;
    if (kty === 'EC' && crv === 'P-256' && alg === 'ES256')
      return { algorithm: alg, verifyWith: publicKey({ kty, crv, x: x!, y: y! }) };
    if (kty === 'RSA' && alg === 'RS256') {
      const verifyWith = publicKey({ kty, n: n!, e: e! });
      const { modulusLength = 0 } = verifyWith.asymmetricKeyDetails!;
      return modulusLength >= 2048 ? { algorithm: alg, verifyWith } : undefined;
    }
    return undefined;
  } catch {
    return undefined;
  }
}

const publicKey = (key: JsonWebKey): KeyObject => createPublicKey({ key, format: 'jwk' });
