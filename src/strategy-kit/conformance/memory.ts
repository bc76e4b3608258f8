import { randomInt, randomUUID } from 'node:crypto';
import type { NewCode, SentCode, StrategyCodes } from '#src/strategy-kit/strategy-codes';
import type { StrategyStore } from '#src/strategy-kit/strategy-store';

/** Most bytes of JSON that the server's store takes. */
const MAX_VALUE_BYTES = 48_000;

/** Like the server's store, but in memory: it holds JSON, and values expire. */
export function memoryStore(): StrategyStore {
  const entries = new Map<string, { json: string; expiresAt: number }>();
  const seen = new Map<string, number>();
  const read = async <T>(key: string): Promise<T | undefined> => {
    const entry = entries.get(key);
    const isLive = entry !== undefined && entry.expiresAt > performance.now();
    return isLive ? (JSON.parse(entry.json) as T) : undefined;
  };
  return {
    read,
    async put(key, value, ttlSeconds) {
      const json = JSON.stringify(value) as string | undefined;
      if (json === undefined || Buffer.byteLength(json) > MAX_VALUE_BYTES)
        throw new TypeError(`A value must be JSON of at most ${MAX_VALUE_BYTES} bytes`);
      entries.set(key, { json, expiresAt: performance.now() + ttlSeconds * 1000 });
    },
    async take<T>(key: string) {
      const value = read<T>(key);
      entries.delete(key);
      return value;
    },
    async once(key, seconds) {
      const isFirst = (seen.get(key) ?? 0) <= performance.now();
      if (isFirst) seen.set(key, performance.now() + seconds * 1000);
      return isFirst;
    },
  };
}

const MAX_GUESSES = 5;
interface Issued extends SentCode<unknown> {
  code: string;
  requestToken: string;
  linkToken: string;
  guesses: number;
  expiresAt: number;
}

/** Like the server's codes, but in memory. */
export function memoryCodes(): StrategyCodes {
  const issued = new Map<string, Issued>();
  const find = (name: 'requestToken' | 'linkToken', token: string) =>
    [...issued.values()].find(
      (each) =>
        each[name] === token && each.guesses < MAX_GUESSES && each.expiresAt > performance.now(),
    );
  const sentIn = (found: Issued | undefined): SentCode<never> | undefined =>
    found && { recipient: found.recipient, data: structuredClone(found.data) as never };
  const take = (found: Issued | undefined) => {
    if (found) issued.delete(found.recipient);
    return sentIn(found);
  };
  return {
    decoy: () => randomUUID(),
    async issue({ recipient, data, ttlSeconds }: NewCode) {
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      const [requestToken, linkToken] = [randomUUID(), randomUUID()];
      const expiresAt = performance.now() + ttlSeconds * 1000;
      issued.set(recipient, {
        recipient,
        data,
        code,
        requestToken,
        linkToken,
        guesses: 0,
        expiresAt,
      });
      return { requestToken, code, linkToken };
    },
    find: async (token: string) => sentIn(find('requestToken', token)),
    findLink: async (token: string) => sentIn(find('linkToken', token)),
    redeemLink: async (token: string) => take(find('linkToken', token)),
    async redeem(token: string, code: string) {
      const found = find('requestToken', token);
      if (found) found.guesses++;
      return found?.code === code ? take(found) : undefined;
    },
  };
}
