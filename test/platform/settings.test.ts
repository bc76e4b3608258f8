import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  anything,
  array,
  assert as check,
  constant,
  constantFrom,
  dictionary,
  double,
  oneof,
  property,
  record,
  string,
  tuple,
} from 'fast-check';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { createSallyport, SettingsError, type SallyportOptions } from '#src/index';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { SettingsSchema } from '#src/platform/settings/schema';
import { optionName } from '#src/platform/settings/settings';
import { testSecret } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { envExample } from '#test/support/env-example';
import { emptyFolder, root, runProcess, startProcess } from '#test/support/process';

const names = Object.keys(SettingsSchema.shape);
type Env = Record<string, string | undefined>;
const settingsOf = (env: Env) => parseSettings(settingsFrom(env));
/** The mistakes that `work` finds in its settings. */
function mistakesOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).mistakes;
  }
}
const mistakesIn = (env: Env) => mistakesOf(() => settingsOf(env));
/** Options as an app may give them that is not checked by TypeScript. */
const optionMistakes = (options: object) => mistakesOf(() => parseSettings(options));

it('.env.example is the schema, written out', async () => {
  await expect(await envExample()).toMatchFileSnapshot(join(root, '.env.example'));
});

describe('the environment', () => {
  const plausible = oneof(
    string({ unit: 'binary' }),
    constantFrom(
      'true',
      '0',
      '-1',
      '99999',
      '1e9',
      ' ',
      '*',
      '10.0.0.0/8',
      '::1/128',
      'HS256',
      'closed',
      'debug',
    ),
    constantFrom(
      'sqlite:x',
      'sqlite::memory:',
      'mysql://u@h:99999/d',
      'mysql://[/d',
      'mysql://u:%@h/d',
      'mariadb://10.0.0.1/d',
    ),
    constantFrom('http://a.example', 'http://', 'https://a.example/', 'a'.repeat(40)),
    constant(testSecret()),
  );

  it('makes settings or a SettingsError, whatever it holds', () => {
    check(
      property(dictionary(constantFrom(...names), plausible), (env) => {
        mistakesIn(env);
      }),
      { numRuns: 2000 },
    );
  });

  it('is never repeated: no mistake tells a value', () => {
    const canary = string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 30 }).map(
      (text) => `canary${text}`,
    );
    const env = record(Object.fromEntries(names.map((name) => [name, canary])), {
      requiredKeys: [],
    });
    check(
      property(env, (values) => {
        for (const line of mistakesIn(values)) expect(line).not.toContain('canary');
      }),
    );
  });

  it('makes one line of each mistake', () => {
    const env = tuple(
      constantFrom('PORT', 'BCRYPT_COST', 'ACCESS_TOKEN_TTL'),
      constantFrom('no', '-1', '1.5', '9e9'),
    );
    check(
      property(env, ([name, value]) => {
        const lines = mistakesIn({ [name]: value, JWT_SECRET: 'x' });
        expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
        expect(lines.filter((line) => line.startsWith('JWT_SECRET '))).toHaveLength(1);
        expect(lines.join('')).not.toContain('\n');
      }),
    );
  });

  it('takes an empty value for none', () => {
    expect(settingsOf(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(settingsOf({}));
  });

  it.each([
    { LIMITS: 'off' },
    { LIMITS: 'off', HOST: '::1' },
    { REDIS_URL: 'redis://127.0.0.1' },
    { REDIS_URL: 'rediss://user:p%40ss@redis.example:6380/2' },
    { REDIS_URL: 'redis://[::1]:6379/' },
    { TRUST_PROXY: '2' },
    { TRUST_PROXY: '10.0.0.0/8, ::1/128, 127.0.0.1' },
  ])('takes %j', (env) => {
    expect(mistakesIn(env)).toEqual([]);
  });

  it('takes what a generator makes, even when chance spells a short word', () => {
    expect(mistakesIn({ APP_SECRET: 'q8JwT4nXz0Lr5VbKc2Ym7HdUeFs9PaGi1ToWxRq3E6k=' })).toEqual([]);
  });

  it.each([
    ['too short', 'aB3$kd83jd'],
    ['an example', 'your-256-bit-secret-your-256-bit-secret'],
    ['one letter', 'x'.repeat(64)],
    ['a tutorial', 'my-jwt-key-0123456789-0123456789-01'],
  ])('refuses a secret that is %s', (_what, secret) => {
    expect(mistakesIn({ JWT_ALG: 'HS256', JWT_SECRET: secret })).toHaveLength(1);
    expect(mistakesIn({ APP_SECRET: secret })).toHaveLength(1);
  });

  it.each([
    { JWT_ALG: 'HS256' },
    { JWT_SECRET: testSecret() },
    { DATABASE_URL: 'mysql://root@localhost/x' },
    { DATABASE_URL: 'mysql://root@db.example/x', APP_SECRET: testSecret() },
    { BCRYPT_COST: '4', HOST: '0.0.0.0' },
    { REFRESH_IDLE: '7776001' },
    { REFRESH_IDLE_MOBILE: '7200', REFRESH_ABSOLUTE_MOBILE: '3600' },
    { LIMITS: 'off', HOST: '0.0.0.0' },
    { LIMITS: 'off', HOST: 'localhost.example' },
    { LIMITS: 'false' },
    { REDIS_URL: 'redis.example:6379' },
    { REDIS_URL: 'http://redis.example' },
    { REDIS_URL: 'redis://redis.example/first' },
    { TRUST_PROXY: 'true' },
    { TRUST_PROXY: '1, 10.0.0.0/8' },
    { TRUST_PROXY: '10.0.0.0/33' },
    { TRUST_PROXY: '0.0.0.0/0' },
    { TRUST_PROXY: '::/0' },
    { ALLOWED_ORIGINS: '*' },
    { ALLOWED_ORIGINS: 'https://a.example/path' },
    { PORT: ' ' },
    { SMTP_URL: 'smtp://mail.example' },
    ...[
      'mail.example:587',
      'http://mail.example',
      'smtp://',
      'smtp://a b',
      'smtp://mail.example/x',
      'smtp://u:%@mail.example',
      'direct://x',
    ].map((SMTP_URL) => ({ SMTP_URL, MAIL_FROM: 'a@b.example' })),
    ...[
      'tls.rejectUnauthorized=false',
      'ignoreTLS=true',
      'tls=off',
      'tls=system&logger=true',
      'tls=system#x',
      'tls=ca.pem',
    ].map((query) => ({
      SMTP_URL: `smtp://mail.example?${query}`,
      MAIL_FROM: 'a@b.example',
    })),
    { SMTP_URL: 'smtps://mail.example?tls=none', MAIL_FROM: 'a@b.example' },
    { SMTP_URL: 'smtp://user:secret@mail.example?tls=none', MAIL_FROM: 'a@b.example' },
    ...[
      'a',
      'a@',
      'A <a@b.example>, b@b.example',
      'A\n <a@b.example>',
      'a@b.example\r\nBcc: c@b.example',
      '"A" <a@b.example>',
    ].map((MAIL_FROM) => ({
      MAIL_FROM,
    })),
    { DATABASE_URL: 'mysql://root:x@localhost:99999/x', APP_SECRET: testSecret() },
  ])('refuses %j', (env) => {
    expect(mistakesIn(env)).toHaveLength(1);
  });

  it.each([
    { SMTP_URL: 'smtp://user:p%40ss@mail.example:587' },
    { SMTP_URL: 'smtps://mail.example/?tls=/etc/ssl/certs/ca-certificates.crt' },
    { SMTP_URL: 'smtp://mailpit:1025?tls=none' },
    { SMTP_URL: 'smtp://user:pass@[::1]:25?tls=none' },
    { MAIL_FROM: 'The Ünïcode Company <auth@mail.example>' },
  ])('accepts %j', (env) => {
    expect(mistakesIn({ MAIL_FROM: 'a@b.example', ...env })).toEqual([]);
  });

  it.each([
    'q0Wyour4Zk9sTmPz2LxVbN7cJhG5dFaR8eQwXuYiO3I',
    '9f1234507abcdef3e1d2c4b5a6978812345abcdeff00e1d2c3b4a596877869504',
  ])('takes a generated secret for one, though it spells a word: %s', (JWT_SECRET) => {
    expect(mistakesIn({ JWT_ALG: 'HS256', JWT_SECRET })).toEqual([]);
  });

  it.each([
    'your-256-bit-key-goes-in-here-please-mind',
    'PUT_YOUR_KEY_HERE_AND_KEEP_IT_FOR_YOURSELF',
    'k3y-1234567890-0987654321-1234567890-x',
  ])('takes an example for one: %s', (JWT_SECRET) => {
    expect(mistakesIn({ JWT_ALG: 'HS256', JWT_SECRET })).toEqual([
      expect.stringContaining('looks like an example'),
    ]);
  });
});

describe('PUBLIC_URL', () => {
  it.each([
    ['https://auth.example.com', 'https://auth.example.com', ''],
    ['https://auth.example.com/', 'https://auth.example.com', ''],
    ['https://example.com/identity', 'https://example.com/identity', '/identity'],
    ['https://example.com/identity/', 'https://example.com/identity', '/identity'],
    ['http://127.0.0.1:8080/a/b-c.d~e_f/', 'http://127.0.0.1:8080/a/b-c.d~e_f', '/a/b-c.d~e_f'],
    ['http://[::1]:3000', 'http://[::1]:3000', ''],
  ])('%s is %s, whose path is %j', (PUBLIC_URL, publicUrl, basePath) => {
    const settings = settingsOf({ PUBLIC_URL });
    expect(settings).toMatchObject({ publicUrl, basePath, jwtIssuer: publicUrl });
    expect(parseSettings({ publicUrl: PUBLIC_URL })).toMatchObject({ publicUrl, basePath });
  });

  it('is this machine and the port when it is not given', () => {
    expect(settingsOf({ PORT: '3007' })).toMatchObject({
      publicUrl: 'http://localhost:3007',
      basePath: '',
      jwtIssuer: 'http://localhost:3007',
    });
  });

  it.each([
    ['two slashes at its end', 'https://a.example//'],
    ['two slashes at the end of its path', 'https://a.example/identity//'],
    ['two slashes amid its path', 'https://a.example/our//identity'],
    ['a query', 'https://a.example/?tenant=1'],
    ['a query after its path', 'https://a.example/identity?tenant=1'],
    ['an empty query', 'https://a.example?'],
    ['a query that ends in a slash', 'https://a.example/identity?next=/'],
    ['a fragment', 'https://a.example#top'],
    ['a fragment after its path', 'https://a.example/identity#/'],
    ['a user', 'https://canary@a.example'],
    ['a user and a password', 'https://canary:canary@a.example/identity'],
    ['an empty user', 'https://@a.example'],
    ['a path that goes up', 'https://a.example/identity/../admin'],
    ['a path with an escape', 'https://a.example/our%2Fidentity'],
    ['a path with a space', 'https://a.example/our identity'],
    ['a path with a semicolon', 'https://a.example/identity;v=1'],
    ['a backslash', 'https://a.example\\identity'],
    ['a line end', 'https://a.example/identity\n'],
    ['capital letters in its host', 'https://A.example'],
    ['the port that is the default', 'https://a.example:443'],
    ['no host', 'https://'],
    ['no scheme', 'a.example/identity'],
    ['a path only', '/identity'],
    ['another scheme', 'ftp://a.example'],
    ['a script', 'javascript:alert(1)'],
  ])('is refused with %s', (_what, PUBLIC_URL) => {
    const mistakes = mistakesIn({ PUBLIC_URL });
    expect(mistakes).toEqual([expect.stringMatching(/^PUBLIC_URL must be an address such as /)]);
    expect(mistakes.join()).not.toContain('canary');
    expect(optionMistakes({ publicUrl: PUBLIC_URL })).toEqual(mistakes);
  });
});

describe('compatibility adapters', () => {
  const usual = ['bezkoder', 'zohaib', 'devckano'];
  const tutorials = ['http://localhost:8081'];

  it.each<Env>([
    {},
    { HOST: '127.0.0.1' },
    { HOST: '127.8.9.10' },
    { HOST: 'localhost' },
    { HOST: '::1' },
    { PUBLIC_URL: 'http://127.0.0.1:3000' },
    { PUBLIC_URL: 'http://[::1]:3000' },
    { PUBLIC_URL: 'https://localhost:8443/identity' },
    { PORT: '8080', DIALECTS: '' },
  ])('are on while only this machine can reach them: %j', (env) => {
    expect(settingsOf(env)).toMatchObject({
      dialects: usual,
      allowedOrigins: tutorials,
      longestTokenSeconds: 86_400,
    });
  });

  const reachable: Env[] = [
    { HOST: '0.0.0.0' },
    { HOST: '::' },
    { HOST: '192.168.1.2' },
    { HOST: 'localhost.example' },
    { PUBLIC_URL: 'https://auth.example.com' },
    { PUBLIC_URL: 'http://auth.example.com' },
    { PUBLIC_URL: 'https://auth.example.com/identity' },
    { PUBLIC_URL: 'http://10.0.0.1:3000' },
    { HOST: '0.0.0.0', PUBLIC_URL: 'http://localhost:3000' },
    { HOST: '127.0.0.1', PUBLIC_URL: 'https://localhost.example' },
  ];
  it.each(reachable)('are off where others can reach them: %j', (env) => {
    expect(settingsOf(env)).toMatchObject({
      dialects: [],
      allowedOrigins: [],
      longestTokenSeconds: 600,
    });
  });
  it.each(reachable)('are on there if they are named: %j', (env) => {
    expect(settingsOf({ ...env, DIALECTS: 'grokonez, zohaib' })).toMatchObject({
      dialects: ['grokonez', 'zohaib'],
      allowedOrigins: [],
      longestTokenSeconds: 86_400,
    });
  });

  it.each(['none', ' none ', ','])('are off everywhere with DIALECTS=%j', (DIALECTS) => {
    for (const env of [{}, ...reachable])
      expect(settingsOf({ ...env, DIALECTS })).toMatchObject({ dialects: [], allowedOrigins: [] });
  });

  it('let the front ends of the tutorials in only where no other origin is named', () => {
    const one = 'https://app.example.com';
    expect(settingsOf({ ALLOWED_ORIGINS: one }).allowedOrigins).toEqual([one]);
    expect(settingsOf({ ALLOWED_ORIGINS: ',' }).allowedOrigins).toEqual([]);
    expect(settingsOf({ ALLOWED_ORIGINS: '' }).allowedOrigins).toEqual(tutorials);
  });
});

describe('options of an app', () => {
  it('are numbers and lists as well as text, and mean the same', () => {
    const native = parseSettings({
      port: 3000,
      accessTokenTtl: 60,
      bcryptCost: 12,
      trustProxy: 2,
      allowedOrigins: ['https://app.example.com', 'https://www.example.com'],
      redirectUris: ['com.example.app:/signed-in'],
      dialects: ['bezkoder', 'zohaib'],
      signupRoles: ['user', 'press'],
    });
    const texts = settingsOf({
      PORT: '3000',
      ACCESS_TOKEN_TTL: '60',
      BCRYPT_COST: '12',
      TRUST_PROXY: '2',
      ALLOWED_ORIGINS: 'https://app.example.com, https://www.example.com',
      REDIRECT_URIS: 'com.example.app:/signed-in',
      DIALECTS: 'bezkoder,zohaib',
      SIGNUP_ROLES: 'user,press',
    });
    expect(native).toMatchObject({
      port: 3000,
      accessTokenTtl: 60,
      bcryptCost: 12,
      trustProxy: 2,
      allowedOrigins: ['https://app.example.com', 'https://www.example.com'],
      redirectUris: ['com.example.app:/signed-in'],
      dialects: ['bezkoder', 'zohaib'],
      signupRoles: ['user', 'press'],
    });
    expect({ ...native, strategyValues: {} }).toEqual({ ...texts, strategyValues: {} });
    const networks = ['10.0.0.0/8', '::1/128'];
    expect(parseSettings({ trustProxy: networks }).trustProxy).toEqual(networks);
    expect(parseSettings({ trustProxy: networks.join(', ') }).trustProxy).toEqual(networks);
  });

  it('have the defaults of the environment, and undefined, null and empty text count as none', () => {
    for (const nothing of [undefined, null, ''])
      expect(
        parseSettings(Object.fromEntries(names.map((name) => [optionName(name), nothing]))),
      ).toEqual(settingsOf({}));
  });

  it('are lists that may be empty: then there is none', () => {
    expect(parseSettings({ dialects: [], allowedOrigins: [] })).toMatchObject({
      dialects: [],
      allowedOrigins: [],
    });
    expect(parseSettings({ allowedOrigins: [] })).toMatchObject({
      dialects: ['bezkoder', 'zohaib', 'devckano'],
      allowedOrigins: [],
    });
  });

  it('cannot be changed afterwards', () => {
    const settings = parseSettings({ port: 3000 });
    expect(() => Object.assign(settings, { port: 4000 })).toThrow(TypeError);
  });

  it.each([
    { port: 3000.5 },
    { port: -1 },
    { port: 65_536 },
    { port: 1e21 },
    { port: Number.NaN },
    { port: Infinity },
    { port: true },
    { port: [3000] },
    { port: {} },
    { bcryptCost: 9 ** 9 },
    { trustProxy: true },
    { trustProxy: [] },
    { trustProxy: ['0.0.0.0/0'] },
    { trustProxy: [1] },
    { allowedOrigins: ['*'] },
    { allowedOrigins: ['https://a.example,https://b.example'] },
    { allowedOrigins: [1] },
    { allowedOrigins: {} },
    { dialects: 4 },
    { limits: false },
    { signup: 'canary' },
    { appSecret: Buffer.alloc(32) },
    { publicUrl: new URL('https://a.example') },
  ])('are refused when they are wrong: %j', (options) => {
    const [name] = Object.keys(options);
    const mistakes = optionMistakes(options);
    expect(mistakes.length).toBeGreaterThan(0);
    for (const mistake of mistakes) expect(optionName(mistake.split(/[ .]/, 1)[0]!)).toBe(name);
  });

  it('make settings or a SettingsError, whatever they are', () => {
    const value = oneof(anything(), double(), array(string()), constantFrom(3000, '1', 'none'));
    check(
      property(dictionary(constantFrom(...names.map(optionName)), value), (options) => {
        for (const mistake of optionMistakes(options)) expect(mistake).toMatch(/^[A-Z_]+(\.\d+)? /);
      }),
      { numRuns: 2000 },
    );
  });
});

// One engine is enough: options are refused before the engine matters.
describe.skipIf(engine === 'mysql')('createSallyport', () => {
  /** The sentences with which it refuses these options. Wrong options may break the types. */
  async function refusal(options: object): Promise<readonly string[]> {
    const databaseUrl = await emptyDatabase();
    const appSecret = testSecret();
    const error = await createSallyport({
      databaseUrl,
      appSecret,
      logLevel: 'silent',
      ...options,
    }).then(
      (auth) => auth.close(),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SettingsError);
    const { message, mistakes } = error as SettingsError;
    expect(message).toBe(mistakes.join('\n'));
    return mistakes;
  }

  it('names options as the app wrote them', async () => {
    expect(await refusal({ port: 'x' })).toEqual(['port must be a whole number from 0 to 65535']);
    expect(await refusal({ publicUrl: 'https://a.example?', accessTokenTtl: 59 })).toEqual([
      expect.stringMatching(/^publicUrl must be an address/),
      'accessTokenTtl must be a whole number from 60 to 3600',
    ]);
  });

  it('names options where two contradict each other, too', async () => {
    expect(await refusal({ jwtAlg: 'HS256' })).toEqual([
      expect.stringMatching(/^jwtSecret is required with jwtAlg=HS256: /),
    ]);
    expect(await refusal({ limits: 'off', host: '0.0.0.0' })).toEqual([
      'limits=off is for load tests: it is refused unless host is a loopback address',
    ]);
    expect(await refusal({ smtpUrl: 'smtp://mail.example' })).toEqual([
      'mailFrom is required with smtpUrl',
    ]);
  });

  it.each(['prot', 'publicURL', 'PORT', 'DATABASE_URL', 'jwtSecert', 'strategy'])(
    'refuses an option that there is not: %s',
    async (name) => {
      expect(await refusal({ [name]: 'canary' })).toEqual([
        expect.stringMatching(new RegExp(`^${name} is not an option`)),
      ]);
    },
  );

  it('names the options of a strategy as the app wrote them', async () => {
    const mistakes = await refusal({ githubClientId: 'canary' });
    expect(mistakes).toEqual([expect.stringMatching(/\bgithubClientSecret is missing/)]);
    expect(mistakes.join()).not.toMatch(/canary|GITHUB_/);
  });

  /** The status of a route in an app that embeds the server with these options. 404: it is not there. */
  async function statusOf(path: string, options: SallyportOptions): Promise<number> {
    const databaseUrl = await emptyDatabase();
    const own = { databaseUrl, appSecret: testSecret(), logLevel: 'silent' } as const;
    const auth = await createSallyport({ ...own, ...options });
    const server = express().use(auth.router).listen(0, '127.0.0.1');
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    } finally {
      server.close();
      server.closeAllConnections();
      await auth.close();
    }
  }

  it('takes settings of strategies in camelCase, or under their names in the environment', async () => {
    const path = '/me/api-keys';
    expect(await statusOf(path, {})).toBe(404);
    expect(await statusOf(path, { apiKeys: 'on' })).toBe(401);
    expect(await statusOf(path, { strategySettings: { API_KEYS: 'on' } })).toBe(401);
    expect(await statusOf(path, { environment: { API_KEYS: 'on', PATH: '/bin' } })).toBe(401);
  });

  it('lets a strategy read a setting of the server, too', () => {
    const { strategyValues } = settingsOf({ REDIS_URL: 'redis://127.0.0.1:6379', OWN: 'x' });
    expect(strategyValues).toMatchObject({ REDIS_URL: 'redis://127.0.0.1:6379', OWN: 'x' });
  });

  it('names a strategy that is none', async () => {
    const mistakes = await refusal({ strategies: [undefined] });
    expect(mistakes).toEqual([expect.stringMatching(/^The strategy without a name /)]);
  });

  it('has no compatibility adapter that the app did not name, on whatever host', async () => {
    const path = '/api/test/all';
    expect(await statusOf(path, {})).toBe(404);
    expect(await statusOf(path, { dialects: [] })).toBe(404);
    expect(await statusOf(path, { dialects: ['bezkoder'] })).toBe(200);
    expect(await statusOf(path, { dialects: 'none' })).toBe(404);
    expect(await statusOf(path, { dialects: '' })).toBe(404);
  });
});

// Settings are read before there is a database: one engine says it all.
describe.skipIf(engine === 'mysql').concurrent('a wrong setting stops the process at once', () => {
  // Its own time: the start of Node and our modules on the way to the mistake. The wall clock counts
  // what else the machine does, too.
  const clock =
    "data:text/javascript,process.on('exit',()=>process.stdout.write(String(Object.values(process.cpuUsage()).reduce((a,b)=>a+b)/1000|0)))";
  const secret = 'canary-0123456789-canary-0123456789';
  const wrong: [string, Record<string, string>, string[]][] = [
    ['a short JWT_SECRET', { JWT_ALG: 'HS256', JWT_SECRET: 'canary' }, ['JWT_SECRET must have']],
    [
      'an example JWT_SECRET',
      { JWT_ALG: 'HS256', JWT_SECRET: secret },
      ['JWT_SECRET looks like an example'],
    ],
    [
      'a JWT_SECRET of few letters',
      { JWT_ALG: 'HS256', JWT_SECRET: 'ab'.repeat(20) },
      ['JWT_SECRET looks like an example'],
    ],
    ['HS256 without a secret', { JWT_ALG: 'HS256' }, ['JWT_SECRET is required']],
    ['JWT_SECRET without HS256', { JWT_SECRET: testSecret() }, ['JWT_SECRET is only for']],
    ['a bad PORT', { PORT: 'canary' }, ['PORT ']],
    ['TRUST_PROXY=true', { TRUST_PROXY: 'true' }, ['TRUST_PROXY ']],
    ['BCRYPT_COST=3', { BCRYPT_COST: '3' }, ['BCRYPT_COST ']],
  ];
  // One function finds the mistakes. What a process does with them is the same for all: see below.
  it.each(wrong)('%s', (_what, env, lines) => {
    const mistakes = mistakesIn({ LOG_LEVEL: 'debug', ...env });
    expect(mistakes).toEqual(lines.map((line) => expect.stringContaining(line)));
    expect(mistakes.join()).not.toMatch(/canary|abab|\n/);
  });

  it.for<[string, Record<string, string>, string[]]>([
    [
      'a misspelt name',
      { JWT_SECERT: secret },
      ['JWT_SECERT is not a setting: did you mean JWT_SECRET?'],
    ],
    [
      'MySQL without APP_SECRET',
      { DATABASE_URL: 'mysql://root:canary@127.0.0.1:1/x' },
      ['APP_SECRET is required'],
    ],
    [
      'several',
      {
        PORT: '-1',
        BCRYPT_COST: '3',
        APP_SECRET: 'canary',
        SIGNUP: 'canary',
        JWT_ALG: 'HS256',
        JWT_SECRET: secret,
      },
      ['PORT ', 'APP_SECRET ', 'SIGNUP ', 'JWT_SECRET looks like an example', 'BCRYPT_COST '],
    ],
  ])('%s ends the process', async ([what, env, lines], { expect }) => {
    const { code, stdout, stderr, ms } = await runProcess(
      'server',
      { LOG_LEVEL: 'debug', ...env },
      { node: ['--import', clock] },
    );
    if (process.env['REPORT'])
      console.info(`${what}: ${Math.round(ms)} ms by the wall, ${stdout} ms of its own`);
    expect(stderr.trimEnd().split('\n')).toEqual(
      lines.map((line) => expect.stringContaining(line)),
    );
    expect(stdout).toMatch(/^\d+$/);
    expect(stderr).not.toMatch(/canary|abab| at .*:\d/);
    expect(code).toBe(78);
    expect(Number(stdout)).toBeLessThan(10_000);
  });

  it('but .env is read, and the environment of the process wins', async ({ expect }) => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, '.env'), 'DATABASE_URL="sqlite:kept/here.sqlite"\nPORT=1\n');
    const { banner } = await startProcess({ PORT: '0', LOG_LEVEL: 'silent' }, { cwd });
    expect(banner).toContain('database sqlite:kept/here.sqlite');
    expect(banner).not.toContain(':1 ');
  });
});
