import { run } from '#src/cli/run';

await run(async () => {
  const { readEnvironment } = await import('#src/platform/settings/read');
  const { startProgram } = await import('#src/start-program');
  const { env, dotenv } = readEnvironment();
  await startProgram(env, dotenv);
});
