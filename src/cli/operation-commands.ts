import { InvalidArgumentError, type Command } from 'commander';
import { validate as isUuid } from 'uuid';
import { knownStrategies } from '#src/authentication/passport';
import { print, sentence, table, type Answer } from '#src/cli/answer';
import { paged, type OnDatabase } from '#src/cli/command';
import { commandSettings } from '#src/configuration';
import type { Context } from '#src/context';
import { dropMail, listMails, retryMail } from '#src/operations/mail-queue';
import { shownSettings } from '#src/operations/shown-settings';
import { readStats, type Stats } from '#src/operations/stats';
import { SealedPage } from '#src/platform/http/cursor';
import type { Dotenv } from '#src/platform/settings/dotenv';
import type { Environment } from '#src/platform/settings/read';

/** What an operator looks at: the mail queue, the settings, the numbers. */
export function addOperationCommands(
  cli: Command,
  run: OnDatabase,
  env: Environment,
  dotenv: Dotenv,
): void {
  const mail = cli.command('mail').description('List, retry and drop the mails that wait');
  paged(
    mail.command('list').description('List the mails that wait, the newest first'),
    SealedPage.shape,
  ).action(run(list));
  mail
    .command('retry')
    .description('Send a mail now that waits for its next attempt')
    .argument('<mail>', 'its id')
    .action(run(retry));
  mail
    .command('drop')
    .description('Delete a mail that is not to be sent')
    .argument('<mail>', 'its id')
    .action(run(drop));

  cli
    .command('settings')
    .description('Show the settings')
    .command('show')
    .description('Show what is in force; of secrets only whether they are set')
    .action(async (...given: unknown[]) => {
      const settings = await commandSettings(env, dotenv);
      const ofStrategies = await knownStrategies(settings);
      const data = shownSettings(settings, ofStrategies.settings);
      print(table({ data }, { SETTING: ({ name }) => name, VALUE: ({ value }) => value }), given);
    });

  cli
    .command('stats')
    .description('Count users, sessions, sign-ins and limits that were reached')
    .option('--days <number>', 'of the last days: 1 to 30', days, 7)
    .action(run(stats));
}

function days(typed: string): number {
  if (!/^\d{1,2}$/.test(typed) || Number(typed) < 1 || Number(typed) > 30)
    throw new InvalidArgumentError('It must be a whole number from 1 to 30.');
  return Number(typed);
}

async function list(ctx: Context, page: SealedPage): Promise<Answer> {
  return table(await listMails(ctx, page), {
    ID: ({ id }) => id,
    KIND: ({ template }) => template,
    DOMAIN: ({ domain }) => domain,
    ATTEMPTS: ({ attempts }) => attempts,
    WRITTEN: ({ createdAt }) => createdAt,
    'NEXT ATTEMPT': ({ nextAttemptAt }) => nextAttemptAt,
    'GIVEN UP': ({ expiresAt }) => expiresAt,
  });
}

const idOf = (typed: string): string => {
  const id = typed.toLowerCase();
  if (!isUuid(id)) throw new Error('There is no mail with this id.');
  return id;
};

async function retry(ctx: Context, typed: string): Promise<Answer> {
  const mail = await retryMail(ctx, idOf(typed));
  return sentence(`The mail is due at ${mail.nextAttemptAt.toISOString()}.`, mail);
}

async function drop(ctx: Context, typed: string): Promise<Answer> {
  const id = idOf(typed);
  await dropMail(ctx, id);
  return sentence('The mail is deleted.', { id });
}

async function stats(ctx: Context, { days }: { days: number }): Promise<Answer> {
  const found = await readStats(ctx, days);
  return { text: textOf(found), json: found };
}

function textOf({ users, sessions, mails, days, isComplete }: Stats): string {
  const number = ({ value, isExact }: Stats['users']) => `${value}${isExact ? '' : ' or more'}`;
  const signIns = days.flatMap((day) => day.signIns.map((each) => ({ day: day.day, ...each })));
  const limits = days.flatMap((day) => day.limits.map((each) => ({ day: day.day, ...each })));
  return [
    `Users: ${number(users)}. Sessions: ${number(sessions)}. Mails that wait: ${number(mails)}.`,
    ...(isComplete
      ? []
      : ['There were too many events to read all: the oldest days say too little.']),
    '',
    table(
      { data: signIns },
      {
        DAY: ({ day }) => day,
        STRATEGY: ({ strategy }) => strategy,
        SUCCEEDED: ({ succeeded }) => succeeded,
        CHALLENGED: ({ challenged }) => challenged,
        REFUSED: ({ refused }) => refused,
      },
    ).text,
    '',
    table(
      { data: limits },
      { DAY: ({ day }) => day, LIMIT: ({ limit }) => limit, REACHED: ({ reached }) => reached },
    ).text,
  ].join('\n');
}
