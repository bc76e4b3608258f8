import { Option, type Command } from 'commander';
import { say, type OnDatabase } from '#src/cli/command';
import { adapterNames, adaptersOf } from '#src/compat/index';
import type { Context } from '#src/context';
import { importTutorial, type ImportedUser } from '#src/import-export/import-tutorial';

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
    .action(run(importFrom));
}

interface ImportOptions {
  from: string;
  dialect: string;
  dryRun?: boolean;
}

/** Commander would repeat a value that it refuses, with the password. */
const isServer = (url: string) =>
  URL.canParse(url) && /^(mysql|mariadb):\/\/[^/?#]+\/[^/?#]+/.test(url);

async function importFrom(ctx: Context, options: ImportOptions): Promise<void> {
  const { from, dialect, dryRun = false } = options;
  if (!isServer(from))
    throw new Error('--from is the URL of a database: mysql://user:password@host:port/database');
  const [adapter] = adaptersOf(ctx, [dialect]);
  const count = { imported: 0, 'already here': 0, refused: 0 };
  const admins: string[] = [];
  const report = ({ who, outcome, detail }: ImportedUser) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins.push(who);
    say([who, outcome, detail].join('\t').trimEnd());
  };
  await importTutorial(ctx, from, adapter!.source, report, dryRun);
  const { imported, refused } = count;
  const unchanged = dryRun ? ' Nothing was changed.' : '';
  say(
    `${imported} imported, ${count['already here']} already here, ${refused} refused.${unchanged}`,
  );
  if (admins.length > 0)
    say(
      `Administrators now: ${admins.join('; ')}. ` +
        "With the tutorial's code anybody could become one: are these the right ones?",
    );
  if (refused > 0) process.exitCode = 1;
}
