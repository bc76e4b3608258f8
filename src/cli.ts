import { run } from '#src/core/run';

await run(async () => {
  const { program } = await import('#src/commands');
  await program().parseAsync();
});
