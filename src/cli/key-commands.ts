import type { Command } from 'commander';
import { sentence, table, type Answer } from '#src/cli/answer';
import type { OnDatabase } from '#src/cli/command';
import type { Context } from '#src/context';
import { keySchedules, stateOf } from '#src/keys/key-schedule';
import { replaceKeys, rotateKeys } from '#src/keys/rotation';

export function addKeyCommands(cli: Command, run: OnDatabase): void {
  const keys = cli.command('keys').description('List and rotate the keys that sign access tokens');
  keys.command('list').description('List keys: pending, active, retiring').action(run(listKeys));
  keys
    .command('rotate')
    .description('Make the next key; nobody notices')
    .option(
      '--now',
      'for a key that others may know: refuse at once what it signed. Clients refresh, nobody is signed out',
    )
    .action(run(rotate));
}

/** Null for a time that is not known yet. */
const time = (ms: number) => (Number.isFinite(ms) ? new Date(ms) : null);

async function listKeys({ db, settings, clock }: Context): Promise<Answer> {
  const schedules = keySchedules(settings, await db.SigningKey.findAll());
  const data = schedules.map((schedule) => ({
    kid: schedule.row.kid,
    algorithm: schedule.row.algorithm,
    state: stateOf(schedule, clock.now()),
    signsFrom: time(schedule.signsFrom),
    goneFrom: time(schedule.goneFrom),
  }));
  return table(
    { data },
    {
      KEY: ({ kid }) => kid,
      ALGORITHM: ({ algorithm }) => algorithm,
      STATE: ({ state }) => state,
      'SIGNS FROM': ({ signsFrom }) => signsFrom,
      'GONE FROM': ({ goneFrom }) => goneFrom,
    },
  );
}

async function rotate(ctx: Context, { now = false }: { now?: boolean }): Promise<Answer> {
  if (now) {
    await replaceKeys(ctx);
    return sentence(
      'A new key signs from now on. Running servers follow within half a minute, other services within five.',
      { replaced: true },
    );
  }
  const { row, signsFrom } = await rotateKeys(ctx);
  const from = new Date(signsFrom);
  return sentence(`${row.kid} signs from ${from.toISOString()} on.`, {
    kid: row.kid,
    signsFrom: from,
  });
}
