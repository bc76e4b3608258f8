import { run } from '#src/cli/run';

await run(async () => {
  const { readEnvironment } = await import('#src/platform/settings/read');
  const { program } = await import('#src/cli/commands');
  const { env, dotenv } = readEnvironment();
  await program(env, dotenv).parseAsync();
});
