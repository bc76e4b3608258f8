import type { Command } from 'commander';
import { migrate, migrateDown, migrationStatus } from '#migrations/index';
import { sentence, table } from '#src/cli/answer';
import type { OnSettings } from '#src/cli/command';
import { confirm } from '#src/cli/prompt';

/** These open no context: that would migrate the database. */
export function addMigrateCommands(cli: Command, run: OnSettings): void {
  const command = cli.command('migrate').description('Show and change the schema of the database');
  command
    .command('up', { isDefault: true })
    .description('Bring the database to the newest schema, as the server does when it starts')
    .action(
      run(async ({ databaseUrl }) => {
        const migrated = await migrate(databaseUrl);
        const text =
          migrated.length > 0 ? `Migrated: ${migrated.join(', ')}` : 'The schema is up to date.';
        return sentence(text, { migrated });
      }),
    );
  command
    .command('status')
    .description('List which migrations ran, which will, and which only a newer version knows')
    .action(
      run(async ({ databaseUrl }) =>
        table(
          { data: await migrationStatus(databaseUrl) },
          { MIGRATION: ({ name }) => name, STATUS: ({ status }) => status },
        ),
      ),
    );
  command
    .command('down')
    .description('Undo a migration and every newer one. What their tables and columns hold is gone')
    .argument('<migration>', 'its name, as `migrate status` lists it')
    .option('--yes', 'do not ask')
    .action(
      run(async ({ databaseUrl }, name: string, { yes = false }: { yes?: boolean }) => {
        await confirm('Undoing migrations deletes what they hold. It', name, yes);
        const undone = await migrateDown(databaseUrl, name);
        return sentence(`Undone: ${undone.join(', ')}`, { undone });
      }),
    );
}
