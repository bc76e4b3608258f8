import { Option, type Command } from 'commander';
import { teller } from '#src/cli/answer';
import type { OnDatabase } from '#src/cli/command';
import { adapterNames, adaptersOf } from '#src/compat/index';
import type { Context } from '#src/context';
import { awaitDatabase } from '#src/platform/database/wait';
import { tellPerson } from '#src/platform/tell';
import { importTutorial, type ImportedUser } from '#src/import-export/import-tutorial';
import { RenameFile } from '#src/import-export/rename-file';

export function addImportCommands(cli: Command, run: OnDatabase): void {
  const which = new Option('--dialect <name>', 'which tutorial').choices(adapterNames);
  cli
    .command('import')
    .description('Bring users over from elsewhere')
    .command('tutorial')
    .description('From the database of a back end that was built on a tutorial; can be run again')
    .requiredOption('--from <url>', 'its database: mysql://user:password@host:port/database')
    .addOption(which.makeOptionMandatory())
    .option('--dry-run', 'say what would be done, and do nothing')
    .option(
      '--renames <file>',
      'new names for users whose name is refused: it is written, to be filled in, and read again',
    )
    .action(run(importFrom));
}

interface ImportOptions {
  from: string;
  dialect: string;
  dryRun?: boolean;
  renames?: string;
}

/** Commander would repeat a value that it refuses, with the password. */
const isServer = (url: string) =>
  URL.canParse(url) && /^(mysql|mariadb):\/\/[^/?#]+\/[^/?#]+/.test(url);

async function importFrom(ctx: Context, options: ImportOptions, command: Command): Promise<void> {
  const { from, dialect, dryRun = false } = options;
  const tell = teller(command);
  if (!isServer(from))
    throw new Error('--from is the URL of a database: mysql://user:password@host:port/database');
  const [adapter] = adaptersOf(ctx, [dialect]);
  const count = { imported: 0, 'already here': 0, refused: 0 };
  const admins: string[] = [];
  const report = ({ who, outcome, detail }: ImportedUser) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins.push(who);
    tell([who, outcome, detail].join('\t').trimEnd(), { who, outcome, detail });
  };
  await awaitDatabase(from, ctx.settings.databaseWait, tellPerson).catch(() => {}); // the import says what is wrong
  const renames = options.renames ? new RenameFile(options.renames) : undefined;
  await importTutorial(ctx, from, adapter!.source, report, dryRun, renames);
  renames?.save();
  const { imported, refused } = count;
  const unchanged = dryRun ? ' Nothing was changed.' : '';
  tell(
    `${imported} imported, ${count['already here']} already here, ${refused} refused.${unchanged}`,
    { ...count, admins, dryRun },
  );
  if (admins.length > 0)
    tell(
      `Administrators now: ${admins.join('; ')}. ` +
        "With the tutorial's code anybody could become one: are these the right ones?",
    );
  if (refused > 0 && renames) tell(`New names for users can be written into ${options.renames}.`);
  if (refused > 0) process.exitCode = 1;
}
