import { setTimeout as sleep } from 'node:timers/promises';
import type { Storage, Tokens } from '#test/support/clients/examples';

/** A place for tokens that takes its time, as a keychain does. It keeps nobody's object, only what was in it. */
export function vault() {
  let kept: string | null = null;
  const read = () => JSON.parse(kept ?? 'null') as Tokens | null;
  return {
    get: async () => {
      await sleep(0);
      return read();
    },
    set: async (tokens: Tokens) => {
      await sleep(20);
      kept = JSON.stringify(tokens);
    },
    clear: async () => {
      await sleep(20);
      kept = null;
    },
    /** What is in it at this moment. */
    held: read,
  } satisfies Storage & { held: unknown };
}
