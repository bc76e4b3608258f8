import type { Command } from 'commander';
import { print, table } from '#src/cli/answer';
import type { Verdict } from '#src/conformance/play';

interface ClientOptions {
  driver: string;
  scene?: string[];
  database?: string[];
}

export function addConformanceCommands(cli: Command): void {
  const conformance = cli
    .command('conformance')
    .description('Try whether a client keeps the rules of docs/clients.md');
  conformance
    .command('client', { isDefault: true })
    .description('Play scenes against a client: docs/conformance.md says how to drive it')
    .requiredOption('--driver <driver>', 'a command, or the address of an HTTP server')
    .option('--scene <name...>', 'a scene in place of all; also several')
    .option('--database <url...>', 'empty databases, a node for each. Default: SQLite')
    .action(async (...given: [ClientOptions, Command]) => {
      const [{ driver, scene: only = [], database: databaseUrls = [] }] = given;
      const { driverOf } = await import('#src/conformance/driver');
      const { playClient } = await import('#src/conformance/play');
      conclude(await playClient({ driver: driverOf(driver), only, databaseUrls }), given);
    });
}

/** Exit code 1 if anything failed. */
function conclude(data: readonly Verdict[], given: unknown[]): void {
  const { text } = table(
    { data },
    {
      SCENE: ({ scene }) => scene,
      VERDICT: ({ verdict }) => verdict,
      RULES: ({ rules }) => rules.join(', '),
      WHY: ({ why }) => why,
    },
  );
  const ok = data.every(({ verdict }) => verdict !== 'failed');
  print({ text, json: { ok, data } }, given);
  process.exitCode = ok ? 0 : 1;
}
