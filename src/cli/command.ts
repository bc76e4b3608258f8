import { InvalidArgumentError, type Command } from 'commander';
import type { ZodType } from 'zod';
import { print, type Answer } from '#src/cli/answer';
import { commandSettings } from '#src/configuration';
import type { Context } from '#src/context';
import { openContext } from '#src/open-context';
import { databaseFault } from '#src/platform/database/faults';
import { awaitDatabase } from '#src/platform/database/wait';
import { Page } from '#src/platform/http/listing';
import { Problem, sentenceOf } from '#src/platform/http/problem';
import { readableLine } from '#src/platform/log-line';
import type { LogOutput } from '#src/platform/log-output';
import type { Dotenv } from '#src/platform/settings/dotenv';
import type { Environment } from '#src/platform/settings/read';
import { tellPerson } from '#src/platform/tell';
import type { Settings } from '#src/platform/settings/settings';

/** Ends the process quietly when the reader of standard output, such as `| head`, has gone. */
export function exitOnClosedPipe(): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => process.exit());
}

/** Makes commands that run on a context, with the database open and on the newest schema. */
export type OnDatabase = ReturnType<typeof onDatabase>;

/** See `OnDatabase`. A Problem becomes an error with its sentences. The answer of the command is printed. */
export const onDatabase =
  (env: Environment, dotenv: Dotenv) =>
  <A extends unknown[]>(command: (ctx: Context, ...args: A) => Promise<Answer | void>) =>
  async (...args: A): Promise<void> => {
    const ctx = await openContext(await commandSettings(env, dotenv), {
      logOutput: standardError(),
      tell: tellPerson,
      actorKind: 'cli',
    });
    try {
      const answer = await command(ctx, ...args);
      if (answer) print(answer, args);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw new Error(sentenceOf(error), { cause: error });
    } finally {
      await ctx.close();
    }
  };

/** Runs what reads or changes counters of failed sign-ins where the servers count them: in Redis, if there is one. */
export async function withLimits<T>({ limits }: Context, work: () => Promise<T>): Promise<T> {
  try {
    await limits.open();
    return await work();
  } finally {
    limits.close();
  }
}

/** Standard output is for the answer of the command. */
const standardError = (): LogOutput => ({
  write: (json) => void process.stderr.write(readableLine(json)),
  flushSync() {},
  close() {},
});

/** Makes commands that run on the settings alone. */
export type OnSettings = ReturnType<typeof onSettings>;

/** See `OnSettings`. */
export const onSettings =
  (env: Environment, dotenv: Dotenv) =>
  <A extends unknown[]>(command: (settings: Settings, ...args: A) => Promise<Answer>) =>
  async (...args: A): Promise<void> => {
    const settings = await commandSettings(env, dotenv);
    try {
      await awaitDatabase(settings.databaseUrl, settings.databaseWait, tellPerson);
      print(await command(settings, ...args), args);
    } catch (error) {
      throw databaseFault(error, settings.databaseUrl);
    }
  };

/** Adds the options of a list. They are read by `Page`, as the query of the lists of the HTTP API is. */
export const paged = (command: Command, query: QueryShape = Page.shape): Command =>
  command
    .option('--limit <number>', 'how many at most: 1 to 100', part(query, 'limit'), 100)
    .option('--cursor <cursor>', 'where the page before ended', part(query, 'cursor'));

/** Reads an option as the HTTP API reads this part of a query. */
export const part =
  (query: QueryShape, name: string) =>
  (typed: string): unknown => {
    const { data, error } = query[name]!.safeParse(typed);
    if (error) throw new InvalidArgumentError(`${error.issues[0]!.message}.`);
    return data;
  };
type QueryShape = Readonly<Record<string, ZodType>>;
