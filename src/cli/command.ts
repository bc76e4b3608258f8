import { migrate } from '#migrations/index';
import { connect } from '#models/index';
import { config } from '#src/config';
import { Problem, sentenceOf } from '#src/core/problem';

// `| head` may have seen enough.
if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => process.exit());

/** One line on standard output. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** A command between opening and closing the database, on the newest schema. A Problem becomes its sentences. */
export function onDatabase<A extends unknown[]>(command: (...args: A) => Promise<void>) {
  return async (...args: A): Promise<void> => {
    await migrate(config.DATABASE_URL);
    const database = connect(config.DATABASE_URL);
    try {
      await command(...args);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Error(sentenceOf(error), { cause: error });
    } finally {
      await database.close();
    }
  };
}
