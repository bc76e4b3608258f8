import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { Campaign } from '#test/support/fuzz/campaign';
import { readRoutes, startTarget } from '#test/support/fuzz/target';

const seed = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 30));
const seconds = Number(process.env['FUZZ_SECONDS'] ?? 60);

it(`holds the contract, whatever is sent to any route for ${seconds} s (seed ${seed})`, async () => {
  const routes = await readRoutes(seed);
  const campaign = new Campaign(await startTarget(seed), routes);
  await campaign.run(seed, seconds);
  const { cases, census, asked, findings } = campaign;
  const statuses = [...census].map(([name, times]) => `${name}: ${times}`).sort();
  console.log(
    `${cases} cases from seed ${seed}, ${asked.size} of ${routes.operations.length} operations. ${statuses.join(', ')}.`,
  );
  for (const { seed: found, what, sent, answer } of findings)
    console.error(
      `${what}\nAgain: npm run test:fuzz -- --seed ${found} --seconds 1\n${sent}\n${answer ?? ''}`,
    );
  expect(findings.map(({ seed: found, what }) => `${found}: ${what}`)).toEqual([]);
});
