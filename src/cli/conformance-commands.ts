import type { Command } from 'commander';
import { print, table } from '#src/cli/answer';
import { readPassword } from '#src/cli/prompt';
import type { Verdict } from '#src/conformance/run-client';

interface ClientOptions {
  driver: string;
  scenario?: string[];
  database?: string[];
}

export function addConformanceCommands(cli: Command): void {
  const conformance = cli
    .command('conformance')
    .description('Try whether a client or a server keeps the rules of docs/clients.md');
  conformance
    .command('client', { isDefault: true })
    .description('Run scenarios against a client: docs/conformance.md says how to drive it')
    .requiredOption('--driver <driver>', 'a command, or the address of an HTTP server')
    .option('--scenario <name...>', 'a scenario in place of all; also several')
    .option('--database <url...>', 'empty databases, a node for each. Default: SQLite')
    .action(async (...given: [ClientOptions, Command]) => {
      const [{ driver, scenario: only = [], database: databaseUrls = [] }] = given;
      const { driverOf } = await import('#src/conformance/driver');
      const { runClient } = await import('#src/conformance/run-client');
      conclude(await runClient({ driver: driverOf(driver), only, databaseUrls }), given);
    });
  conformance
    .command('server')
    .description('Ask a server whether it keeps its side. It takes a minute, and makes a user')
    .argument('<url>')
    .option('--user <user>', 'a user who is there, and whose password is asked for')
    .action(async (...given: [string, { user?: string }, Command]) => {
      const [url, { user: identifier }] = given;
      const { runServer } = await import('#src/conformance/run-server');
      const account = identifier && { identifier, password: await readPassword() };
      if (account && account.password === '') throw new Error('The password is empty.');
      conclude(await runServer({ url, ...(account && { account }) }), given);
    });
}

const RULES = { RULES: ({ rules }: Verdict) => rules.join(', ') };

/** Exit code 1 if anything failed. */
function conclude(data: readonly Verdict[], given: unknown[]): void {
  const { text } = table(
    { data },
    {
      SCENARIO: ({ scenario }) => scenario,
      VERDICT: ({ verdict }) => verdict,
      ...(data.some(({ rules }) => rules.length > 0) && RULES),
      WHY: ({ why }) => why,
    },
  );
  const ok = data.every(({ verdict }) => verdict !== 'failed');
  print({ text, json: { ok, data } }, given);
  process.exitCode = ok ? 0 : 1;
}
