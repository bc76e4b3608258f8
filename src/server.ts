import { run } from '#src/cli/run';

await run(async () => {
  const { readEnvironment } = await import('#src/platform/settings/read');
  const { startServer } = await import('#src/server-program');
  const { env, dotenv } = readEnvironment();
  await startServer(env, dotenv);
});
