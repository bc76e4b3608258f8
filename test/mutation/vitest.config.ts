import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

if (existsSync('/dev/shm')) process.env['TMPDIR'] ??= '/dev/shm';
process.env['NODE_COMPILE_CACHE'] ??= `${process.cwd()}/node_modules/.cache/test`;

/** The tests that `run.ts` names, on SQLite, for Stryker. */
export default defineConfig({
  test: {
    include: (process.env['MUTATION_TESTS'] ?? 'test/**/*.test.ts').split(' '),
    setupFiles: ['test/support/setup.ts'],
    env: { TEST_ENGINE: 'sqlite', TEST_LONG: '' },
    experimental: { viteModuleRunner: false }, // as in the main configuration
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
