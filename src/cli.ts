import { run } from '#src/cli/run';

await run(async () => {
  const { readEnvironment } = await import('#src/platform/settings/read');
  const { env, dotenv } = readEnvironment();
  if (['', 'start'].includes(process.argv.slice(2).join(' '))) {
    const { startProgram } = await import('#src/start-program'); // without the modules of all commands
    return startProgram(env, dotenv);
  }
  const { program } = await import('#src/cli/commands');
  await program(env, dotenv).parseAsync();
});
