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
if (existsSync('/dev/shm') && statfsSync('/dev/shm').bavail * statfsSync('/dev/shm').bsize > 2e9)
  process.env['TMPDIR'] ??= '/dev/shm';

// Every test file and every server that one starts loads the same modules again: compile them once.
process.env['NODE_COMPILE_CACHE'] ??= `${import.meta.dirname}/node_modules/.cache/test`;

const files = (names: string) => names.split(' ').map((name) => `test/**/${name}.test.ts`);

/**
 * Files whose answers do not depend on the engine: about tokens, headers, bodies, settings, strategies, bcrypt. They run on SQLite
 * alone, but for `npm run test:long`.
 */
const once = files(
  'access-token account addresses architecture architecture-compat assets base-path basic bearer bounds browser-attacks busy ' +
    'client-types clients clients-browser clients-compared clients-native clients-refused clients-swift compat compat-closed ' +
    'compat-origins compat-requests compat-sentences conformance conformance-cli conformance-shipped console ' +
    'console-operator containers cors foreign-hashes generated-clients github google greeting host-passport ' +
    'hosted-browser http identifiers-properties imports jwks-verifiers key-schedule keyboard keys-cli keys-hs256 keys-rs256 ' +
    'ldap limit-settings limits limits-basic limits-ldap limits-proxy loaded-modules log-output log-time ' +
    'logout-refused logs looks mail-templates mailer metrics-workers mobile mobile-types npm-strategies openapi openapi-compat ' +
    'operating package page-attacks pages passkey-settings passkeys-browser password-doors passwords properties protect-faults ' +
    'provider-browser proxies raw-body refresh-bodies refresh-tokens roles-model saml sdk-anywhere sdk-browser ' +
    'sdk-cookie sdk-dpop-browser sdk-native sdk-react sdk-redirects sdk-types session-settings settings ' +
    'settings-in-force several-nodes shipped-logs shipped-settings signup-closed source sources spa straight ' +
    'strategies strategies-dir strategies-readme strategy-new token-properties token-vectors tokens two-providers ' +
    'unknown-settings user-sources webhooks-guide well-known wrap',
);
/**
 * Files that start many processes, compile, hash at great cost, try every combination or try at random: `npm run test:slow`, which
 * is part of `npm run check`.
 */
const slow = files(
  'account account-proofs account-races admin-races api-key backup bounds browser-attacks busy cache-ttl change-password-races changes cli client-scenarios clients ' +
    'clients-browser clients-compared cluster compat compat-clients compat-numbers compat-requests compat-roles ' +
    'compat-safe compat-sentences conformance conformance-cli conformance-shipped console console-operator doctor email-code email-code-address ' +
    'email-code-link ending-races ends engines faults foreign-hashes galera generated-clients ' +
    'govern-users group-replication guessing hosted-browser hosts identifiers identifiers-properties identities ' +
    'impersonation import-factors import-refused import-sign-in import-tutorial imports injection invitations keys ' +
    'keyboard keys-cli keys-nodes killed limits limits-account limits-fair limits-mail limits-nodes limits-proxy ' +
    'limits-redis limits-store looks loaded-modules log-output logout-nodes mail-faults mail-files mail-nodes ' +
    'metrics-workers migrations mobile-types model native npm-strategies open-close operations package pages ' +
    'passkey-attacks passkeys-browser password-doors passwords plans prepared-many prepared-statements ' +
    'process prometheus properties protect-faults provider-browser proxies refresh-faults refresh-killed refresh-nodes ' +
    'refresh-races refresh-tokens reset-factors roles roles-model roles-races saml sdk sdk-browser sdk-cookie sdk-dpop-browser sdk-react sdk-redirects sdk-types spa second-factor ' +
    'several-nodes shipped-logs sign-in sign-up source start-faults step-up strategies-dir strategy-new ' +
    'tls token-properties token-vectors tokens transactions unknown-settings user-cli user-file ' +
    'user-sources verify ways ways-in webhook-delivery webhook-nodes webhook-order webhooks wire workers',
);

/** Files about what only a database server has, or that need one beside SQLite. */
const serverOnly = files(
  'client-scenarios cluster engines galera group-replication prepared-many tls',
);

/** Tests of others, in packages that test/generators has of its own. */
const packages = ['**/node_modules/**'];

const project = (name: string, long: boolean, more: object = {}) => ({
  extends: true as const,
  test: {
    name,
    testTimeout: long ? 1_800_000 : 300_000, // no test is about the speed of a machine that has other work
    env: { TEST_ENGINE: name, TEST_LONG: long ? '1' : '' },
    ...more,
  },
});

export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  const patient = long || mode === 'fuzz';
  const all = ['test/**/*.test.ts', 'strategies/**/*.test.ts'];
  const include = mode === 'slow' ? slow : mode === 'fuzz' ? ['test/fuzz/*.fuzz.ts'] : all;
  const left = ['long', 'slow', 'fuzz'].includes(mode) ? [] : slow;
  return {
    test: {
      setupFiles: ['test/support/setup.ts'],
      pool: 'forks',
      experimental: { viteModuleRunner: false }, // Node loads the source itself, as it does outside of the tests
      isolate: false, // modules are loaded once in a worker: none of the server's keeps state, so files do not disturb each other
      maxWorkers: 4, // much of a test is waiting: for a database, a socket, a process
      hookTimeout: 300_000,
      projects: [
        project('sqlite', patient, {
          include,
          exclude: [...packages, ...serverOnly, ...left],
        }),
        ...(mysql
          ? [
              project('mysql', patient, {
                include,
                exclude: [...packages, ...left, ...(long ? [] : once)],
                globalSetup: ['test/support/mysql.ts'],
              }),
            ]
          : []),
      ],
    },
  };
});
