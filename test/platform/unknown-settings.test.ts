import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { array, assert as check, constantFrom, property, string, stringMatching } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configurationFrom } from '#src/configuration';
import { createSallyport, settingsFrom, SettingsError } from '#src/index';
import { parseDotenv } from '#src/platform/settings/dotenv';
import { checkSettings, SETTING_NAMES } from '#src/platform/settings/read';
import { FAMILIES, unknownNames } from '#src/platform/settings/unknown';
import { testSecret } from '#test/support/app';
import { envExample } from '#test/support/env-example';
import { emptyFolder, runProcess, startProcess } from '#test/support/process';

type Env = Record<string, string>;
/** What a server says that starts with these settings, `file` being its `.env`. */
const mistakesOf = async (env: Env, file = '') => {
  const dotenv = parseDotenv(file);
  const asked = configurationFrom({ ...dotenv.values, ...env }, dotenv);
  return asked.then(
    ({ strategies }) => (strategies.release(), []),
    (error: SettingsError) => error.mistakes,
  );
};
const refused = (name: string) =>
  expect.stringMatching(new RegExp(`^${name} is not a setting.* IGNORED_VARIABLES$`));

describe('a name in the environment of the process', () => {
  it.each([
    'PROT',
    'PRT',
    'POT',
    'PORTS',
    'PORT_',
    'port',
    'HSOT',
    'HOSTS',
    'HOTS',
    'host',
    'JWT_SECERT',
    'JWTSECRET',
    'DATABSE_URL',
    'DATABASE_ULR',
    'TRUST_PROXYS',
    'TRUST_PROXIES',
    'app_secret',
    'APP_SECRET_PREV',
    'SESSION_CACHE',
    'LIMIT',
    'SINGUP',
    'SIGN_UP',
    'DIALECT',
    'LOG_LEVLE',
    'LOGLEVEL',
    'MAIL_FORM',
    'REDIS_URI',
    'ALLOWED_ORIGIN',
    'PUBLIC_ULR',
    'APP_SECRT_FILE',
    'DATABASE_URL_FIEL',
    'BASIC_AUHT',
    'API_KEY',
    'HEADER_USR',
    'SMTP_HOST',
    'JWT_EXPIRES_IN',
    'PASSWORD_LENGTH',
    'LDAP_BASE_DN',
    'SAML_CERT',
    'OIDC_CLIENT',
    'GOOGLE_ID',
    'GITHUB_KEY',
    'REFRESH_TTL',
    'CORS_ORIGIN',
    'BCRYPT_ROUNDS',
    'LDAP_PORT',
  ])('that was meant for us stops the start: %s', async (name) => {
    expect(await mistakesOf({ [name]: 'canary' })).toEqual([refused(name)]);
  });

  it.each([
    'HOSTNAME',
    'HOME',
    'PATH',
    'USER',
    'SHELL',
    'MAIL',
    'EMAIL',
    'TZ',
    'GREETING',
    'LS_COLORS',
    'SESSION_MANAGER',
    'APP_NAME',
    'LOG_DIR',
    'DATABASE_HOST',
    'http_proxy',
    'NO_PROXY',
    '_',
    'GITHUB_ACTIONS',
    'GITHUB_TOKEN',
    'GITHUB_WORKSPACE',
    'CI',
    'CI_JOB_ID',
    'RUNNER_OS',
    'KUBERNETES_SERVICE_HOST',
    'SALLYPORT_PORT_3000_TCP_ADDR',
    'LDAP_SERVICE_PORT_LDAPS',
    'SMTP_PORT_25_TCP',
    'SMTP_SERVICE_HOST',
    'PASSWORD_STORE_DIR',
    'npm_config_host',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'GOOGLE_CLOUD_PROJECT',
    'NODE_OPTIONS',
    'INIT_CWD',
  ])('that is a machine’s does not: %s', async (name) => {
    expect(await mistakesOf({ [name]: 'x' })).toEqual([]);
  });

  it('that Kubernetes makes of a service does not, nor what a runner of GitHub adds', async () => {
    expect(await mistakesOf({ LDAP_PORT: 'tcp://10.0.0.1:389' })).toEqual([]);
    expect(await mistakesOf({ GITHUB_ACTIONS: 'true', GITHUB_SOMETHING_NEW: 'x' })).toEqual([]);
    const slip = { GITHUB_ACTIONS: 'true', GITHUB_CLIENT_IDD: 'x' };
    expect(await mistakesOf(slip)).toEqual([refused('GITHUB_CLIENT_IDD')]);
  });

  it('says what was meant, or what there is', async () => {
    expect(await mistakesOf({ JWT_SECERT: 'x', SMTP_HOST: 'x' })).toEqual([
      expect.stringContaining('JWT_SECERT is not a setting: did you mean JWT_SECRET?'),
      expect.stringContaining('SMTP_HOST is not a setting; those that begin so are SMTP_URL.'),
    ]);
  });

  it('has words of ours that are words of ours', async () => {
    const { names } = { names: (await envExample()).match(/^#?[A-Z][A-Z0-9_]*(?==)/gm)! };
    for (const family of FAMILIES)
      expect(
        names.some((name) => name.replace('#', '').startsWith(`${family}_`)),
        family,
      ).toBe(true);
    for (const name of names) {
      const plain = name.replace('#', '');
      expect(
        unknownNames({ names: names.map((each) => each.replace('#', '')) }, { [plain]: '' }),
      ).toEqual([]);
    }
  });
});

describe('.env', () => {
  it('may be shared: what is known to be another program’s does not stop the start', async () => {
    const names =
      'MYSQL_ROOT_PASSWORD MYSQL_DATABASE MARIADB_USER POSTGRES_DB PGUSER NODE_ENV NODE_OPTIONS COMPOSE_PROJECT_NAME ' +
      'COMPOSE_FILE DOCKER_HOST npm_config_cache TZ VITE_API REACT_APP_API NEXT_PUBLIC_API AWS_REGION SENTRY_DSN REDIS_PASSWORD';
    const file = names
      .split(' ')
      .map((name) => `${name}=x#y\n${name}=z\n`)
      .join('');
    expect(await mistakesOf({}, file)).toEqual([]);
  });

  it.each(['GREETING', 'X', 'DB_HOST', 'APP_NAME', 'hello.world', 'LDAP_PORT'])(
    'must know every other name: %s',
    async (name) => {
      expect(await mistakesOf({}, `${name}=canary`)).toEqual([refused(name)]);
    },
  );

  it('may hold what IGNORED_VARIABLES names, and nothing else', async () => {
    const file =
      'BACKUP_DIR=x\nBACKUP_KEY=y\nSMTP_HOST=z\nOTHER=o\nIGNORED_VARIABLES=BACKUP_*,SMTP_HOST';
    expect(await mistakesOf({}, file)).toEqual([refused('OTHER')]);
    for (const IGNORED_VARIABLES of ['*', 'a b', 'A*B', '1A'])
      expect(await mistakesOf({ IGNORED_VARIABLES })).toEqual([
        expect.stringMatching(/^IGNORED_VARIABLES must be/),
      ]);
  });

  it.each([
    ['PORT 3000', 1, 'it is not NAME=value'],
    ['PORT: 3000', 1, 'it is not NAME=value'],
    ['# fine\n\nPORT', 3, 'it is not NAME=value'],
    ['export PORT', 1, 'it is not NAME=value'],
    ['=canary', 1, 'it is not NAME=value'],
    ['A B=canary', 1, 'it is not NAME=value'],
    ['- PORT=canary', 1, 'it is not NAME=value'],
    ['PORT="1" 2', 1, 'the quote that opens'],
    ["JWT_ISSUER='a\nPORT=1", 1, 'the quote that opens'],
    ['JWT_ISSUER= "a', 1, 'the quote that opens'],
    ['SMTP_URL="a\\"canary"', 1, 'the quote that opens'],
    ['JWT_ISSUER="a\nb"\nLOG_LEVEL', 3, 'it is not NAME=value'],
    ['APP_SECRET=canary#canary', 1, '# would cut the value of APP_SECRET'],
    ['APP_SECRET=#canary', 1, '# would cut the value of APP_SECRET'],
    ['PORT=0\r\nPORT=1', 2, 'PORT stands in line 1, too'],
    ['DATABASE_URL=mysql://a:${MYSQL_PASSWORD}@b/c', 1, '${…} is not replaced'],
  ])('has a line that is none: %j', (file, line, fault) => {
    const { mistakes } = parseDotenv(file);
    expect(mistakes).toContainEqual(expect.stringContaining(`.env, line ${line}: ${fault}`));
    expect(mistakes.join()).not.toContain('canary');
  });

  it('is read as Node reads it, wherever nothing is wrong with it', () => {
    const name = stringMatching(/^[A-Z_]{1,5}$/);
    const piece = constantFrom('"', "'", '`', '#', ' ', '\\n', '\n', 'a', 'bc', '=', '\t', '$', '');
    const value = array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const line = array(string({ maxLength: 3 }), { maxLength: 0 }).chain(() =>
      name.chain((each) => value.map((text) => `${each}=${text}\n`)),
    );
    let compared = 0;
    check(
      property(array(line, { maxLength: 4 }), (lines) => {
        const { values, mistakes } = parseDotenv(lines.join(''));
        // Node takes the next line for the value when nothing but a space stands behind `=`, and an indented comment for a name.
        if (mistakes.length > 0 || /=[ \t]+\n|^[ \t]+#/m.test(lines.join(''))) return;
        compared++;
        expect(values).toEqual({ ...parseEnv(lines.join('')) });
      }),
      { numRuns: 3000 },
    );
    expect(compared).toBeGreaterThan(300);
  });

  it('that is a folder, or no text, is a sentence; everything that is wrong is told in one go', async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, '.env'));
    expect((await runProcess('cli', { PORT: 'x' }, { cwd, args: ['migrate'] })).stderr).toMatch(
      /^\.env cannot be read \(EISDIR\).*\nPORT must be .*\n$/,
    );
    const other = emptyFolder();
    const lines = [
      'LIMITS',
      'GREETING=hello',
      'GITHUB_CLIENT_ID=canary',
      'JWT_ALG=HS256',
      'BCRYPT_COST=3',
    ];
    writeFileSync(join(other, '.env'), lines.join('\n'));
    const { code, stderr } = await runProcess('server', { PROT: '1' }, { cwd: other });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringContaining('.env, line 1:'),
      refused('GREETING'),
      refused('PROT'),
      expect.stringMatching(/^BCRYPT_COST must/),
      expect.stringMatching(/^JWT_SECRET is required/),
      expect.stringMatching(/^strategies\/github\.ts: GITHUB_CLIENT_SECRET is missing/),
    ]);
    expect([code, readdirSync(other)]).toEqual([78, ['.env']]);
  });
});

describe('a setting in a file', () => {
  const folder = emptyFolder();
  let made = 0;
  const file = (text: string | Buffer) => {
    const path = join(folder, `secret-${++made}`);
    writeFileSync(path, text);
    return path;
  };

  it.each(['\n', '\r\n', '', '\n\n'])('is read without the line end behind it: %j', async (end) => {
    const secret = testSecret();
    const env = {
      APP_SECRET_FILE: file(secret + end),
      GITHUB_CLIENT_ID: 'x',
      REDIRECT_URIS: 'a.b:/c',
    };
    const { settings, strategies } = await configurationFrom({
      ...env,
      GITHUB_CLIENT_SECRET_FILE: file(`hush${end}`),
    });
    strategies.release();
    expect(settings.appSecret).toBe(secret);
  });

  it.each([
    'APP_SECRET',
    'APP_SECRET_PREVIOUS',
    'DATABASE_URL',
    'JWT_SECRET',
    'SMTP_URL',
    'REDIS_URL',
    'OIDC_CLIENT_SECRET',
    'LDAP_BIND_PASSWORD',
  ])('is one mistake when it cannot be read, or the value is set, too: %s', async (name) => {
    symlinkSync(folder, join(folder, `${name}-folder`));
    for (const [path, fault] of [
      ['/nowhere/canary', 'names a file that does not exist'],
      [join(folder, `${name}-folder`), 'names a folder'],
      ['/dev/zero', 'names a device'],
      [file(''), 'names an empty file'],
      [file('\n'), 'names an empty file'],
      [file(Buffer.from([0xff, 0xfe, 0])), 'names a file that is not UTF-8 text'],
      [file('x'.repeat(70_000)), 'names a file that is too large'],
    ] as const) {
      const told = (await mistakesOf({ [`${name}_FILE`]: path })).filter((each) =>
        each.includes(name),
      );
      expect(told[0], path).toContain(`${name}_FILE ${fault}`);
      expect(told.join()).not.toContain('canary');
    }
    const both = await mistakesOf({ [name]: 'canary', [`${name}_FILE`]: file('canary') });
    expect(both[0]).toMatch(
      new RegExp(`${name} and ${name}_FILE are both set: remove one of them$`),
    );
  });

  it('is an option of an app, too', () => {
    const secret = testSecret();
    const options = { appSecretFile: file(`${secret}\n`), logLevel: 'silent' } as const;
    expect(checkSettings(options).settings).toMatchObject({
      appSecret: secret,
      logLevel: 'silent',
    });
    expect(checkSettings(settingsFrom({ PORT_FILE: file('3007\n') })).settings?.port).toBe(3007);
  });

  it('starts the server', async () => {
    const env = { PORT: '0', LOG_LEVEL: 'silent', DATABASE_URL_FILE: file('sqlite:here.sqlite\n') };
    expect((await startProcess(env)).banner).toContain('database sqlite:here.sqlite');
  });
});

describe('createSallyport', () => {
  const refusalOf = async (options: unknown) => {
    const error: unknown = await createSallyport(options as object).then(
      (auth) => auth.close(),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).mistakes;
  };

  it.each<[string, object, string]>([
    [
      'a misspelt option',
      { databseUrl: 'x' },
      'databseUrl is not an option: did you mean databaseUrl?',
    ],
    ['the name of the environment', { PORT: 1 }, 'PORT is not an option: did you mean port?'],
    ['an unknown option', { greeting: 1 }, 'greeting is not an option: remove it'],
    ['strategies that are no list', { strategies: {} }, 'strategies must be a list'],
    ['one strategy alone', { strategies: { name: 'x' } }, 'strategies must be a list'],
    ['a policy that is none', { signInPolicies: ['x'] }, 'signInPolicies must be a list'],
    ['a log that is none', { log: 'info' }, 'log must have the methods debug, info'],
    [
      'an unknown setting of a strategy',
      { strategySettings: { GREETING: 'x' } },
      'GREETING is not a setting of a strategy',
    ],
    [
      'a misspelt setting of a strategy',
      { strategySettings: { API_KEYZ: 'on' } },
      'did you mean API_KEYS?',
    ],
    [
      'a misspelt name of the environment',
      settingsFrom({ PROT: '1', PATH: '/bin' }),
      'PROT is not a setting',
    ],
    ['an adapter that is none', { dialects: ['nope'] }, 'dialects names "nope"'],
  ])('refuses %s before there is a database', async (_what, options, sentence) => {
    const folder = emptyFolder();
    const databaseUrl = `sqlite:${folder}/data/x.sqlite`;
    expect(await refusalOf({ ...options, databaseUrl })).toEqual([
      expect.stringContaining(sentence),
    ]);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it.each(['mysql://x', ['x'], 5, null])('takes an object only: %j', async (options) => {
    expect(await refusalOf(options)).toEqual([
      expect.stringContaining('takes an object of options'),
    ]);
  });

  it('refuses a strategy that cannot be made before there is a database', async () => {
    const folder = emptyFolder();
    const databaseUrl = `sqlite:${folder}/data/x.sqlite`;
    expect(await refusalOf({ databaseUrl, headerUser: 'x-remote-user' })).toEqual([
      expect.stringContaining('trustProxy names none'),
    ]);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it('knows every setting of its own', () => {
    expect(
      unknownNames(
        { names: SETTING_NAMES },
        Object.fromEntries(SETTING_NAMES.map((name) => [name, 'x'])),
      ),
    ).toEqual([]);
  });
});
