import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constant, constantFrom, dictionary, oneof, property, assert as check, record, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettings, Settings, unknownSettings } from '#src/config';
import { SettingsError } from '#src/core/settings-error';
import { testSecret } from '#test/support/app';
import { engine } from '#test/support/database';
import { envExample } from '#test/support/env-example';
import { emptyFolder, root, runProcess, startProcess } from '#test/support/process';

const names = Object.keys(Settings.shape);
const mistakesIn = (env: Record<string, string | undefined>): readonly string[] => {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as SettingsError).mistakes;
  }
};

it('.env.example is the schema, written out', async () => {
  await expect(await envExample()).toMatchFileSnapshot(join(root, '.env.example'));
});

describe('readSettings', () => {
  const plausible = oneof(
    string({ unit: 'binary' }),
    constantFrom('true', '0', '-1', '99999', '1e9', ' ', '*', '10.0.0.0/8', '::1/128', 'HS256', 'closed', 'debug'),
    constantFrom('sqlite:x', 'sqlite::memory:', 'mysql://u@h:99999/d', 'mysql://[/d', 'mysql://u:%@h/d', 'mariadb://10.0.0.1/d'),
    constantFrom('http://a.example', 'http://', 'https://a.example/', 'a'.repeat(40)),
    constant(testSecret()),
  );

  it('answers a configuration or a SettingsError, whatever the environment', () => {
    check(
      property(dictionary(constantFrom(...names), plausible), (env) => {
        mistakesIn(env);
      }),
      { numRuns: 2000 },
    );
  });

  it('never repeats a value', () => {
    const canary = string({ unit: 'grapheme-ascii', minLength: 12, maxLength: 30 }).map((text) => `canary${text}`);
    const env = record(Object.fromEntries(names.map((name) => [name, canary])), { requiredKeys: [] });
    check(
      property(env, (values) => {
        for (const line of mistakesIn(values)) expect(line).not.toContain('canary');
      }),
    );
  });

  it('makes one line of each mistake', () => {
    const env = tuple(constantFrom('PORT', 'BCRYPT_COST', 'ACCESS_TOKEN_TTL'), constantFrom('no', '-1', '1.5', '9e9'));
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
    expect(readSettings(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readSettings({}));
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
    { PUBLIC_URL: 'https://a.example/' },
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
    ...['tls.rejectUnauthorized=false', 'ignoreTLS=true', 'tls=off', 'tls=system&logger=true', 'tls=system#x', 'tls=ca.pem'].map(
      (query) => ({
        SMTP_URL: `smtp://mail.example?${query}`,
        MAIL_FROM: 'a@b.example',
      }),
    ),
    { SMTP_URL: 'smtps://mail.example?tls=none', MAIL_FROM: 'a@b.example' },
    { SMTP_URL: 'smtp://user:secret@mail.example?tls=none', MAIL_FROM: 'a@b.example' },
    ...['a', 'a@', 'A <a@b.example>, b@b.example', 'A\n <a@b.example>', 'a@b.example\r\nBcc: c@b.example', '"A" <a@b.example>'].map(
      (MAIL_FROM) => ({
        MAIL_FROM,
      }),
    ),
    { DATABASE_URL: 'mysql://root:x@localhost:99999/x', APP_SECRET: testSecret() },
  ])('refuses %j', (env) => {
    expect(mistakesIn(env)).toHaveLength(1);
  });

  it.each([
    { SMTP_URL: 'smtp://user:p%40ss@mail.example:587' },
    { SMTP_URL: 'smtps://mail.example/?tls=/etc/ca.pem' },
    { SMTP_URL: 'smtp://mailpit:1025?tls=none' },
    { SMTP_URL: 'smtp://user:pass@[::1]:25?tls=none' },
    { MAIL_FROM: 'The Ünïcode Company <auth@mail.example>' },
  ])('accepts %j', (env) => {
    expect(mistakesIn({ MAIL_FROM: 'a@b.example', ...env })).toEqual([]);
  });

  it.each(['q0Wyour4Zk9sTmPz2LxVbN7cJhG5dFaR8eQwXuYiO3I', '9f1234507abcdef3e1d2c4b5a6978812345abcdeff00e1d2c3b4a596877869504'])(
    'takes a generated secret for one, though it spells a word: %s',
    (JWT_SECRET) => {
      expect(mistakesIn({ JWT_ALG: 'HS256', JWT_SECRET })).toEqual([]);
    },
  );

  it.each([
    'your-256-bit-key-goes-in-here-please-mind',
    'PUT_YOUR_KEY_HERE_AND_KEEP_IT_FOR_YOURSELF',
    'k3y-1234567890-0987654321-1234567890-x',
  ])('takes an example for one: %s', (JWT_SECRET) => {
    expect(mistakesIn({ JWT_ALG: 'HS256', JWT_SECRET })).toEqual([expect.stringContaining('looks like an example')]);
  });

  it('knows a slip of the pen from a name that is none of ours', () => {
    for (const slip of ['JWT_SECERT', 'JWTSECRET', 'DATABSE_URL', 'TRUST_PROXYS', 'app_secret', 'APP_SECRET_PREV', 'SESSION_CACHE'])
      expect(unknownSettings([], { [slip]: 'x' }, {}), slip).toHaveLength(1);
    for (const other of ['HOSTNAME', 'PATH', 'PORTS', 'HOME', 'GREETING'])
      expect(unknownSettings([], { [other]: 'x' }, {}), other).toEqual([]);
    expect(unknownSettings([], { GREETING: 'x' }, { GREETING: 'x' })).toHaveLength(1);
  });
});

// Settings are read before there is a database: one engine says it all.
describe.skipIf(engine === 'mysql').concurrent('a wrong setting stops the process at once', () => {
  // Its own time, for the wall clock also counts what else the machine does: the start of Node and our modules on the way to the mistake.
  const clock =
    "data:text/javascript,process.on('exit',()=>process.stdout.write(String(Object.values(process.cpuUsage()).reduce((a,b)=>a+b)/1000|0)))";
  const secret = 'canary-0123456789-canary-0123456789';
  const wrong: [string, Record<string, string>, string[]][] = [
    ['a short JWT_SECRET', { JWT_ALG: 'HS256', JWT_SECRET: 'canary' }, ['JWT_SECRET must have']],
    ['an example JWT_SECRET', { JWT_ALG: 'HS256', JWT_SECRET: secret }, ['JWT_SECRET looks like an example']],
    ['a JWT_SECRET of few letters', { JWT_ALG: 'HS256', JWT_SECRET: 'ab'.repeat(20) }, ['JWT_SECRET looks like an example']],
    ['HS256 without a secret', { JWT_ALG: 'HS256' }, ['JWT_SECRET is required']],
    ['JWT_SECRET without HS256', { JWT_SECRET: testSecret() }, ['JWT_SECRET is only for']],
    ['a bad PORT', { PORT: 'canary' }, ['PORT ']],
    ['TRUST_PROXY=true', { TRUST_PROXY: 'true' }, ['TRUST_PROXY ']],
    ['BCRYPT_COST=3', { BCRYPT_COST: '3' }, ['BCRYPT_COST ']],
  ];
  // What makes the mistakes is one function, and what a process does with them is the same for all: those below show it.
  it.each(wrong)('%s', (_what, env, lines) => {
    const mistakes = mistakesIn({ LOG_LEVEL: 'debug', ...env });
    expect(mistakes).toEqual(lines.map((line) => expect.stringContaining(line)));
    expect(mistakes.join()).not.toMatch(/canary|abab|\n/);
  });

  it.for<[string, Record<string, string>, string[]]>([
    ['a misspelt name', { JWT_SECERT: secret }, ['JWT_SECERT is not a setting: did you mean JWT_SECRET?']],
    ['MySQL without APP_SECRET', { DATABASE_URL: 'mysql://root:canary@127.0.0.1:1/x' }, ['APP_SECRET is required']],
    [
      'several',
      { PORT: '-1', BCRYPT_COST: '3', APP_SECRET: 'canary', SIGNUP: 'canary', JWT_ALG: 'HS256', JWT_SECRET: secret },
      ['PORT ', 'APP_SECRET ', 'SIGNUP ', 'JWT_SECRET looks like an example', 'BCRYPT_COST '],
    ],
  ])('%s ends the process', async ([what, env, lines], { expect }) => {
    const { code, stdout, stderr, ms } = await runProcess('server', { LOG_LEVEL: 'debug', ...env }, { node: ['--import', clock] });
    if (process.env['REPORT']) console.info(`${what}: ${Math.round(ms)} ms by the wall, ${stdout} ms of its own`);
    expect(stderr.trimEnd().split('\n')).toEqual(lines.map((line) => expect.stringContaining(line)));
    expect(stdout).toMatch(/^\d+$/);
    expect(stderr).not.toMatch(/canary|abab| at .*:\d/);
    expect(code).toBe(78);
    expect(Number(stdout)).toBeLessThan(10_000);
  });

  it('an unknown name in .env', async ({ expect }) => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, '.env'), 'GREETING=canary\n');
    const { code, stderr } = await runProcess('server', {}, { cwd });
    expect(stderr).toBe('GREETING is not a setting of this server; remove it from .env\n');
    expect(code).toBe(78);
  });

  it('but .env is read, and the environment of the process wins', async ({ expect }) => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, '.env'), 'DATABASE_URL="sqlite:kept/here.sqlite"\nPORT=1\n');
    const { banner } = await startProcess({ PORT: '0', LOG_LEVEL: 'silent' }, { cwd });
    expect(banner).toContain('database sqlite:kept/here.sqlite');
    expect(banner).not.toContain(':1 ');
  });
});
