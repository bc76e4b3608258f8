import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { areas } from '#test/mutation/areas';

/**
 * `npm run test:mutation -- keys limits`: these areas, or all. `--mutate 'src/keys/keyring.ts'`: these files instead of
 * all of the area; `…ts:90-113` is a sample of one. `--tests 'test/keys/keys.test.ts'`: these tests in place of those of the
 * area. Ends with 1 if a score is below 85 %.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mutate: { type: 'string' },
    tests: { type: 'string' },
    concurrency: { type: 'string', default: '1' },
    /** Forgets what an earlier run found out. */
    force: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !areas[name]);
if (unknown.length > 0) {
  process.stderr.write(
    `Areas are ${Object.keys(areas).join(', ')}: ${unknown.join(', ')} is none\n`,
  );
  process.exit(64);
}

/** Files that are named without an area are tested by all tests. */
const every = { mutate: [], tests: Object.values(areas).flatMap(({ tests }) => tests) };
const named = values.mutate === undefined ? Object.keys(areas) : ['every'];
mkdirSync('reports', { recursive: true });
for (const area of positionals.length > 0 ? positionals : named) {
  const { mutate, tests } = areas[area] ?? every;
  const { status } = spawnSync(
    'stryker',
    [
      'run',
      'test/mutation/stryker.config.json',
      '--mutate',
      values.mutate ?? mutate.join(','),
      '--concurrency',
      values.concurrency,
      '--incrementalFile',
      `reports/mutation-${area}-incremental.json`,
      ...(values.force ? ['--force'] : []),
    ],
    { stdio: 'inherit', env: { ...process.env, MUTATION_TESTS: values.tests ?? tests.join(' ') } },
  );
  if (status !== 0) process.exitCode = 1;
}
