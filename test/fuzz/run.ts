import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/** `npm run test:fuzz -- --seconds 600 --seed 1`: on each engine so long, from this seed on. */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    project: { type: 'string', multiple: true, default: [] },
  },
});
const numbers = [values.seconds, values.seed ?? '0'].map(Number);
if (!numbers.every((each) => Number.isSafeInteger(each) && each >= 0)) {
  process.stderr.write('--seconds and --seed are whole numbers\n');
  process.exit(64);
}
const { status } = spawnSync(
  'vitest',
  ['run', '--mode', 'fuzz', ...values.project.flatMap((name) => ['--project', name])],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      FUZZ_SECONDS: values.seconds,
      ...(values.seed !== undefined && { FUZZ_SEED: values.seed }),
    },
  },
);
process.exitCode = status ?? 1;
