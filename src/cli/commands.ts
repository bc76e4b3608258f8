import { Command } from 'commander';
import { addAuditCommands } from '#src/cli/audit-commands';
import { addBackupCommands } from '#src/cli/backup-commands';
import { exitOnClosedPipe, onDatabase, onSettings } from '#src/cli/command';
import { addConformanceCommands } from '#src/cli/conformance-commands';
import { addDoctorCommand } from '#src/cli/doctor-command';
import { addImportCommands } from '#src/cli/import-commands';
import { addInvitationCommands } from '#src/cli/invitation-commands';
import { addKeyCommands } from '#src/cli/key-commands';
import { addMigrateCommands } from '#src/cli/migrate-commands';
import { addOperationCommands } from '#src/cli/operation-commands';
import { addRoleCommands } from '#src/cli/role-commands';
import { addServiceCommands } from '#src/cli/service-commands';
import { addSessionCommands } from '#src/cli/session-commands';
import { addStrategyCommands } from '#src/cli/strategy-commands';
import { addUserCommands } from '#src/cli/user-commands';
import { addUserFileCommands } from '#src/cli/user-file-commands';
import { addWebhookCommands } from '#src/cli/webhook-commands';
import { NO_DOTENV, type Dotenv } from '#src/platform/settings/dotenv';
import type { Environment } from '#src/platform/settings/read';
import { version } from '#src/version';

/**
 * The command line: every command calls the use-cases of the API. All of them work while the server runs, and take effect
 * on the next request. `dotenv`: what stands in `.env`, which `env` contains, too.
 */
export function program(env: Environment, dotenv: Dotenv = NO_DOTENV): Command {
  exitOnClosedPipe();
  const run = onDatabase(env, dotenv);
  const cli = new Command('sallyport')
    .description(
      'Runs a Sallyport from the command line. <user> is a username, an e-mail address or an id.',
    )
    .version(version)
    .option('--json', 'answer in JSON: lists as { data, nextCursor }')
    .configureHelp({ showGlobalOptions: true });
  addStartCommand(cli, env, dotenv);
  addMigrateCommands(cli, onSettings(env, dotenv));

  const user = cli
    .command('user')
    .alias('users')
    .description('Make, show, change and delete users; bring them in and out');
  addUserCommands(user, run);
  addUserFileCommands(user, run);
  addInvitationCommands(cli, user, run);
  addRoleCommands(cli, run);
  addSessionCommands(cli, run);
  addKeyCommands(cli, run);
  addAuditCommands(cli, run);
  addWebhookCommands(cli, run);
  addServiceCommands(cli, run);
  addOperationCommands(cli, run, env, dotenv);
  addImportCommands(cli, run);
  addBackupCommands(cli, onSettings(env, dotenv));
  addDoctorCommand(cli, env, dotenv);
  addConformanceCommands(cli);
  addStrategyCommands(cli, env);
  return cli;
}

/** Without arguments, the server starts. A mistyped command also arrives here, as an argument. */
function addStartCommand(cli: Command, env: Environment, dotenv: Dotenv): void {
  cli
    .command('start', { isDefault: true })
    .description('Start the server')
    .allowExcessArguments()
    .action(async (_options: object, { args: [unknown] }: Command) => {
      if (unknown !== undefined) cli.error(`error: unknown command '${unknown}'`);
      const { startProgram } = await import('#src/start-program');
      await startProgram(env, dotenv);
    });
}
