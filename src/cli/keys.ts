import type { Command } from 'commander';
import { SigningKey } from '#models/index';
import { onDatabase, say } from '#src/cli/command';
import { livesOf, stateOf } from '#src/keys/life';
import { replaceKeys, rotateKeys } from '#src/keys/rotation';

export function addKeyCommands(cli: Command): void {
  const keys = cli.command('keys').description('List and rotate the keys that sign access tokens');
  keys.command('list').description('List keys: pending, active, retiring').action(onDatabase(list));
  keys
    .command('rotate')
    .description('Make the next key; nobody notices')
    .option('--now', 'for a key that others may know: refuse at once what it signed. Clients refresh, nobody is signed out')
    .action(onDatabase(rotate));
}

const time = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : '-');

async function list(): Promise<void> {
  for (const { row, ...life } of livesOf(await SigningKey.findAll()))
    say([row.kid, row.algorithm, stateOf(life, Date.now()), time(life.signsFrom), time(life.goneFrom)].join('\t'));
}

async function rotate({ now = false }: { now?: boolean }): Promise<void> {
  if (now) {
    await replaceKeys();
    return say('A new key signs from now on. Running servers follow within half a minute, other services within five.');
  }
  const { row, signsFrom } = await rotateKeys();
  say(`${row.kid} signs from ${time(signsFrom)} on.`);
}
