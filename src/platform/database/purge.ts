import { setTimeout as sleep } from 'node:timers/promises';

/** Rows in one statement. While SQLite deletes, this process does nothing else; a database server locks the rows. */
const STEP_ROWS = 100;
/** Between two statements others get their turn. */
const PAUSE_MS = 20;

/**
 * Calls `remove`, which deletes at most `limit` rows and answers how many, until nothing is left to delete, or until
 * `stopped` aborts.
 */
export async function purge(
  remove: (limit: number) => Promise<number>,
  stopped?: AbortSignal,
): Promise<void> {
  while ((await remove(STEP_ROWS)) === STEP_ROWS) {
    if (stopped?.aborted) return;
    await sleep(PAUSE_MS);
  }
}
