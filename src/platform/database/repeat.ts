import { setTimeout as sleep } from 'node:timers/promises';
import { UniqueConstraintError } from 'sequelize';
import { isConflict } from '#src/platform/database/errors';

const MAX_ATTEMPTS = 6;
/** Whoever loses twice to somebody who inserts the same finds it the third time. */
const MAX_DUPLICATES = 3;
/** Waiting for a lock may take all the time that there is. After so long nothing is tried again. */
const REPEAT_FOR_MS = 3000;

/**
 * Runs a statement or a transaction again when the database undid it because of a concurrent one: five times at most.
 * On a cluster the conflict often shows only when it commits.
 */
export async function repeatOnConflict<T>(work: () => Promise<T>): Promise<T> {
  const giveUp = performance.now() + REPEAT_FOR_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || attempt === MAX_ATTEMPTS || performance.now() > giveUp) throw error;
      await sleep(attempt * (10 + Math.random() * 40));
    }
  }
}

/** Runs work again that found nothing and inserted, if somebody else inserted the same meanwhile: twice at most. */
export async function repeatOnDuplicate<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UniqueConstraintError) || attempt === MAX_DUPLICATES) throw error;
    }
  }
}
