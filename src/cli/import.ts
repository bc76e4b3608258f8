import { Option, type Command } from 'commander';
import { onDatabase, say } from '#src/cli/command';
import { dialectNames, dialectsOf } from '#src/dialects/index';
import type { Tutorial } from '#src/dialects/words';
import { importTutorial, type Line } from '#src/users/import-tutorial';

export function addImportCommands(cli: Command): void {
  cli
    .command('import')
    .description('Bring users over from elsewhere')
    .command('tutorial')
    .description('From the database of a back end that was built on a tutorial; can be run again')
    .requiredOption('--from <url>', 'its database: mysql://user:password@host:port/database')
    .addOption(new Option('--dialect <name>', 'which tutorial').choices(dialectNames).makeOptionMandatory())
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(onDatabase(bringOver));
}

interface Options {
  from: string;
  dialect: string;
  dryRun?: boolean;
}

/** Commander would repeat what it refuses, with the password. */
const isServer = (url: string) => URL.canParse(url) && /^(mysql|mariadb):\/\/[^/?#]+\/[^/?#]+/.test(url);

async function bringOver({ from, dialect, dryRun = false }: Options): Promise<void> {
  if (!isServer(from)) throw new Error('--from is the URL of a database: mysql://user:password@host:port/database');
  const [{ source }] = dialectsOf([dialect]) as [Tutorial];
  const count = { imported: 0, 'already here': 0, refused: 0 };
  const admins: string[] = [];
  const tell = ({ who, outcome, detail }: Line) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins.push(who);
    say([who, outcome, detail].join('\t').trimEnd());
  };
  await importTutorial(from, source, tell, dryRun);
  say(
    `${count.imported} imported, ${count['already here']} already here, ${count.refused} refused.${dryRun ? ' Nothing was changed.' : ''}`,
  );
  if (admins.length > 0)
    say(`Administrators now: ${admins.join('; ')}. With the tutorial's code anybody could become one: are these the right ones?`);
  if (count.refused > 0) process.exitCode = 1;
}
