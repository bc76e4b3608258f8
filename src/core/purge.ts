/** At most so many rows in one statement: each must end within the time that the database gives a statement. */
const BATCH = 1000;

/** Runs a statement that removes at most `limit` rows, and answers how many it did, until none is left. */
export async function purge(remove: (limit: number) => Promise<number>): Promise<void> {
  while ((await remove(BATCH)) === BATCH);
}
