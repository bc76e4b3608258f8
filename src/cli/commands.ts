import { Command } from 'commander';
import { migrate } from '#migrations/index';
import { exitOnClosedPipe, onDatabase, say } from '#src/cli/command';
import { addImportCommands } from '#src/cli/import-commands';
import { addKeyCommands } from '#src/cli/key-commands';
import { addRoleCommands } from '#src/cli/role-commands';
import { addStrategyCommands } from '#src/cli/strategy-commands';
import { addUserCommands } from '#src/cli/user-commands';
import { addUserFileCommands } from '#src/cli/user-file-commands';
import { parseSettings, settingsFrom, type Environment } from '#src/platform/settings/read';

/**
 * The command line: every command calls the use-cases of the API. All of them work while the server runs, and take effect
 * on the next request. `dotenv`: what stands in `.env`, which `env` contains, too.
 */
export function program(env: Environment, dotenv: Environment = {}): Command {
  exitOnClosedPipe();
  const run = onDatabase(env);
  const cli = new Command('sallyport').description(
    'Runs a Sallyport from the command line. <user> is a username, an e-mail address or an id.',
  );
  addStartCommand(cli, env, dotenv);
  cli
    .command('migrate')
    .description('Bring the database to the newest schema')
    .action(async () => {
      const done = await migrate(parseSettings(settingsFrom(env)).databaseUrl);
      say(done.length > 0 ? `Migrated: ${done.join(', ')}` : 'The schema is up to date.');
    });

  const user = cli
    .command('user')
    .alias('users')
    .description('Make, list, disable and enable users; bring them in and out');
  addUserCommands(user, run);
  addUserFileCommands(user, run);
  addRoleCommands(cli, run);
  addKeyCommands(cli, run);
  addImportCommands(cli, run);
  addStrategyCommands(cli, env);
  return cli;
}

/** Without arguments, the server starts. A mistyped command also arrives here, as an argument. */
function addStartCommand(cli: Command, env: Environment, dotenv: Environment): void {
  cli
    .command('start', { isDefault: true })
    .description('Start the server')
    .allowExcessArguments()
    .action(async (_options: object, { args: [unknown] }: Command) => {
      if (unknown !== undefined) cli.error(`error: unknown command '${unknown}'`);
      const { startServer } = await import('#src/server-program');
      await startServer(env, dotenv);
    });
}
