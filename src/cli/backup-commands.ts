import type { Command } from 'commander';
import { backUp } from '#src/backup/backup';
import { restore } from '#src/backup/restore';
import { sentence, type Answer } from '#src/cli/answer';
import type { OnSettings } from '#src/cli/command';
import { askYes } from '#src/cli/prompt';
import { commandName } from '#src/platform/command-name';
import type { Settings } from '#src/platform/settings/settings';

export function addBackupCommands(cli: Command, run: OnSettings): void {
  cli
    .command('backup')
    .description('Write database and secret into one file, while the server runs')
    .argument('<file>', 'a new file')
    .action(run(backup));
  cli
    .command('restore')
    .description('Bring a backup back; the server must be stopped')
    .argument('<file>')
    .option('--end-sessions', 'end every session, and void links and codes: see docs/backup.md')
    .action(run(bringBack));
}

async function backup(settings: Settings, file: string): Promise<Answer> {
  const made = await backUp(settings, file);
  const secret = made.holdsSecret
    ? 'It holds the secret that opens the signing keys: keep it as you keep a password.'
    : 'It does not hold APP_SECRET: keep that elsewhere. Without it the signing keys cannot be opened.';
  return sentence(`${file} is written, ${made.bytes} bytes. ${secret}`, made);
}

async function bringBack(
  settings: Settings,
  file: string,
  { endSessions }: { endSessions?: boolean },
): Promise<Answer> {
  const asked =
    'A restore brings back to life what ended since: sessions, links, codes. End them all? [Y/n] ';
  const restored = await restore(settings, file, {
    endSessions: endSessions ?? (await askYes(asked)),
  });
  const { database, createdAt, endedSessions } = restored;
  const sessions =
    endedSessions === undefined
      ? `Sessions that ended since are alive again: \`${commandName()} session end --everybody\` ends all.`
      : `${endedSessions} sessions have ended.`;
  return sentence(`${database} is as it was at ${createdAt}. ${sessions}`, restored);
}
