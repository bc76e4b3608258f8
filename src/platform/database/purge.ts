/** Rows in one statement: each statement must end within the time that the database gives it. */
const BATCH_ROWS = 1000;

/** Calls `remove`, which deletes at most `limit` rows and answers how many, until nothing is left to delete. */
export async function purge(remove: (limit: number) => Promise<number>): Promise<void> {
  while ((await remove(BATCH_ROWS)) === BATCH_ROWS);
}
