import type { Command } from 'commander';
import { onDatabase, say } from '#src/cli/command';
import { dialectsOf } from '#src/dialects/index';
import { importTutorial, rehearseImport, type Line } from '#src/users/import-tutorial';

export function addImportCommands(cli: Command): void {
  cli
    .command('import')
    .description('Bring users over from elsewhere')
    .command('tutorial')
    .description('From the database of a back end that was built on a tutorial; can be run again')
    .requiredOption('--from <url>', 'its database: mysql://user:password@host:port/database')
    .requiredOption('--dialect <name>', 'which tutorial: bezkoder, bezkoder-cookies, grokonez, zohaib or devckano')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(onDatabase(bringOver));
}

interface Options {
  from: string;
  dialect: string;
  dryRun?: boolean;
}

async function bringOver({ from, dialect, dryRun = false }: Options): Promise<void> {
  const [{ source } = { source: undefined }] = dialectsOf([dialect]);
  const count = { imported: 0, 'already here': 0, refused: 0 };
  const admins: string[] = [];
  const tell = ({ who, outcome, detail }: Line) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins.push(who);
    say([who, outcome, detail].join('\t').trimEnd());
  };
  await (dryRun ? rehearseImport : importTutorial)(from, source!, tell);
  say(
    `${count.imported} imported, ${count['already here']} already here, ${count.refused} refused.${dryRun ? ' Nothing was changed.' : ''}`,
  );
  if (admins.length > 0)
    say(`Administrators now: ${admins.join('; ')}. With the tutorial's code anybody could become one: are these the right ones?`);
  if (count.refused > 0) process.exitCode = 1;
}
