import { run } from '#src/core/run';

await run(async () => {
  const { serve } = await import('#src/serve');
  const { stop } = await serve();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { void stop().then(() => process.exit(0)); });
});
