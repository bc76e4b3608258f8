import type { Command } from 'commander';
import { say, type OnDatabase } from '#src/cli/command';
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

const time = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : '-');

async function listKeys({ db, settings, clock }: Context): Promise<void> {
  const now = clock.now();
  for (const schedule of keySchedules(settings, await db.SigningKey.findAll())) {
    const { row, signsFrom, goneFrom } = schedule;
    const state = stateOf(schedule, now);
    say([row.kid, row.algorithm, state, time(signsFrom), time(goneFrom)].join('\t'));
  }
}

async function rotate(ctx: Context, { now = false }: { now?: boolean }): Promise<void> {
  if (now) {
    await replaceKeys(ctx);
    return say(
      'A new key signs from now on. Running servers follow within half a minute, other services within five.',
    );
  }
  const { row, signsFrom } = await rotateKeys(ctx);
  say(`${row.kid} signs from ${time(signsFrom)} on.`);
}
