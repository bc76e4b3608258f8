import { run } from '#src/core/run';

await run(async () => {
  const { reportCrashes, serve } = await import('#src/serve');
  reportCrashes();
  const { banner, stop } = await serve();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop().finally(() => process.exit()));
  process.stderr.write(`${banner}\n`);
});
