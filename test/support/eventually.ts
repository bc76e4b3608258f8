import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait for what has to come, in milliseconds. Nothing depends on it but how soon a test that fails does so. */
const PATIENCE = 90_000;

/** Waits until this throws no more, and answers what it answers. A clock that stands still goes on standing still, unlike in `vi.waitFor`. */
export async function eventually<T>(check: () => T | Promise<T>, pause = 5): Promise<T> {
  for (const end = performance.now() + PATIENCE; ; await sleep(pause)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}
