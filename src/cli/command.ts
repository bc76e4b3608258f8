import type { Context } from '#src/context';
import { openContext } from '#src/open-context';
import { Problem, sentenceOf } from '#src/platform/http/problem';
import { parseSettings, settingsFrom, type Environment } from '#src/platform/settings/read';

/** Writes one line to standard output. */
export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Ends the process quietly when the reader of standard output, such as `| head`, has gone. */
export function exitOnClosedPipe(): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => process.exit());
}

/** Makes commands that run on a context, with the database open and on the newest schema. */
export type OnDatabase = ReturnType<typeof onDatabase>;

/** See `OnDatabase`. A Problem becomes an error with its sentences. */
export const onDatabase =
  (env: Environment) =>
  <A extends unknown[]>(command: (ctx: Context, ...args: A) => Promise<void>) =>
  async (...args: A): Promise<void> => {
    const ctx = await openContext(parseSettings(settingsFrom(env)));
    try {
      await command(ctx, ...args);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Error(sentenceOf(error), { cause: error });
    } finally {
      await ctx.close();
    }
  };
