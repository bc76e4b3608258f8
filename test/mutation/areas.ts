/** A part of the security core, and the tests that must notice a change in it. */
export interface Area {
  /** Globs of Stryker. */
  mutate: readonly string[];
  /** Globs of vitest. Tests whose server is a process of its own are of no use: the mutant is not in it. */
  tests: readonly string[];
}

const files = (folder: string, names: string) =>
  names.split(' ').map((name) => `test/${folder}/${name}.test.ts`);

export const areas: Readonly<Record<string, Area>> = {
  keys: {
    mutate: ['src/keys/*.ts'],
    tests: [
      ...files('keys', 'jwks jwks-verifiers key-schedule keys keys-*'),
      ...files('sessions', 'tokens token-vectors'),
    ],
  },
  passwords: {
    mutate: ['src/platform/crypto/*.ts', 'src/passwords/*.ts'],
    tests: [
      ...files('passwords', 'change-password passwords reset-password'),
      ...files('platform', 'passwords hashing-queue foreign-hashes busy'),
      ...files('keys', 'keys-secret'),
      ...files('email', 'recovery-pages'),
    ],
  },
  limits: {
    mutate: ['src/platform/limits/*.ts', 'src/authentication/login-throttle.ts'],
    tests: [
      ...files('platform', 'limits limits-store limits-redis limit-settings'),
      ...files('authentication', 'limits-account limits-fair login-cost'),
    ],
  },
  sessions: {
    mutate: ['src/sessions/*.ts'],
    tests: [
      ...files(
        'sessions',
        'cache fresh impossible-times late-bodies logout logout-refused look-ups my-sessions*',
      ),
      ...files(
        'sessions',
        'queries refresh refresh-acknowledged refresh-at-rest refresh-bodies refresh-lost',
      ),
      ...files(
        'sessions',
        'refresh-stolen refresh-tokens session-limits session-settings sessions tokens token-vectors',
      ),
    ],
  },
  authentication: {
    mutate: ['src/authentication/*.ts'],
    tests: [...files('authentication', '!(strategies-dir)'), ...files('sessions', 'fresh')],
  },
  federation: {
    mutate: ['src/federation/*.ts'],
    tests: [
      ...files('federation', '*'),
      ...files('authentication', 'redirect two-providers'),
      ...files('strategies', 'github google oidc saml'),
    ],
  },
};
