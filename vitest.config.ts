import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const has = (command: string) => spawnSync('which', [command]).status === 0;
const mysql = Boolean(process.env['TEST_DATABASE_URL']) || has('mariadbd') || has('mysqld');
if (!mysql) {
  const line =
    'MariaDB is not on this machine (mariadbd), so everything is tested on SQLite only. Install mariadb-server, or set TEST_DATABASE_URL.';
  if (process.env['CI']) throw new Error(line);
  console.warn(`\n!!! ${line}\n`);
}

// A file that is flushed to memory is flushed at once. What survives a killed process does not depend on it.
if (existsSync('/dev/shm') && statfsSync('/dev/shm').bavail * statfsSync('/dev/shm').bsize > 2e9) process.env['TMPDIR'] ??= '/dev/shm';

// Every test file and every server that one starts loads the same modules again: compile them once.
process.env['NODE_COMPILE_CACHE'] ??= `${import.meta.dirname}/node_modules/.cache/test`;

/**
 * Files whose answers do not depend on the engine: about tokens, headers, bodies, settings, strategies, bcrypt. `npm test` runs them on
 * SQLite alone, `npm run test:long` on both.
 */
const once = (
  'architecture architecture-dialects bearer busy clients clients-browser clients-refused cors dialects dialects-closed ' +
  'dialects-origins dialects-requests http jwks-verifiers keys-cli keys-hs256 keys-life keys-rs256 logout-refused logs ' +
  'openapi openapi-dialects pages passwords refresh-bodies refresh-tokens session-settings settings settings-in-force ' +
  'signup-closed strategies tokens wrap'
)
  .split(' ')
  .map((name) => `test/${name}.test.ts`);

const project = (name: string, long: boolean, more: object = {}) => ({
  extends: true as const,
  test: { name, testTimeout: long ? 1_800_000 : 20_000, env: { TEST_ENGINE: name, TEST_LONG: long ? '1' : '' }, ...more },
});

export default defineConfig(({ mode }) => ({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    pool: 'forks',
    isolate: false, // a new process for each file would be a third of the work; test/support/setup.ts keeps the files apart
    maxWorkers: 4, // much of a test is waiting: for a database, a socket, a process
    hookTimeout: 30_000,
    projects: [
      project('sqlite', mode === 'long', { exclude: ['test/tls.test.ts'] }),
      ...(mysql
        ? [project('mysql', mode === 'long', { exclude: mode === 'long' ? [] : once, globalSetup: ['test/support/mysql.ts'] })]
        : []),
    ],
  },
}));
