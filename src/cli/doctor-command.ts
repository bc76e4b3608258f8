import type { Command } from 'commander';
import { print, table } from '#src/cli/answer';
import { examine } from '#src/doctor/examine';
import type { Dotenv } from '#src/platform/settings/dotenv';
import type { Environment } from '#src/platform/settings/read';

/** A connection that somebody does not let go of keeps the process for so long, in milliseconds. */
const LINGER_MS = 1000;

export function addDoctorCommand(cli: Command, env: Environment, dotenv: Dotenv): void {
  cli
    .command('doctor')
    .description('Say what is wrong with settings, database, mail, Redis, proxy and providers')
    .action(async (...given: unknown[]) => {
      const data = await examine(env, dotenv);
      const { text } = table(
        { data },
        { CHECK: ({ check }) => check, RESULT: ({ level }) => level, DETAIL: ({ text }) => text },
      );
      const ok = data.every(({ level }) => level !== 'wrong');
      print({ text, json: { ok, data } }, given);
      process.exitCode = ok ? 0 : 1;
      setTimeout(() => process.exit(), LINGER_MS).unref();
    });
}
