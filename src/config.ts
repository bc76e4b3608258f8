import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { mailContradictions, mailFrom, smtpUrl } from '#src/core/mail-settings';
import { isDatabase, isLoopback, isRedis, list, origin, proxies, redirectUri, secret, service, whole } from '#src/core/setting-types';
import { SettingsError } from '#src/core/settings-error';
import { unknownNames } from '#src/core/unknown-settings';

/** Every setting of the server itself. `.env.example` is made from this list; a strategy's own settings stand in its file. */
export const Settings = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on. 0.0.0.0 for every network interface.'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on.'),
  PUBLIC_URL: z
    .string()
    .refine(origin, 'must be an origin such as https://auth.example.com, without a path')
    .optional()
    .describe('Where clients reach this server. Default: http://localhost:<PORT>.'),
  DATABASE_URL: z
    .string()
    .refine(isDatabase, 'must be sqlite:<file> or mysql://user:password@host:port/database')
    .refine((url) => !url.includes(':memory:'), 'must name a file: a database in memory forgets everybody')
    .default('sqlite:data/sallyport.sqlite')
    .describe(
      'sqlite:<file>, or mysql://user:password@host:port/database for MySQL 8+ and MariaDB 10.11+; add ?tls=system or ?tls=/path/ca.pem to encrypt the connection.',
    ),
  APP_SECRET: secret
    .optional()
    .describe(
      'Protects what this server keeps secret, such as its signing keys. Made by itself and kept beside an embedded database; required with any other.',
    ),
  APP_SECRET_PREVIOUS: secret
    .optional()
    .describe('A second APP_SECRET that is still good, while the first replaces it: nobody is signed out. See SECURITY.md.'),
  ALLOWED_ORIGINS: list
    .refine((origins) => origins.every(origin), 'must be a comma-separated list of origins such as https://app.example.com; `*` is not one')
    .default([])
    .describe(
      'Web origins whose pages may call this API (CORS), comma-separated. Default: none; with a dialect on and everything on loopback, http://localhost:8081, where the front ends of the tutorials run.',
    ),
  REDIRECT_URIS: list
    .refine(
      (uris) => uris.every(redirectUri),
      'must be a comma-separated list of addresses such as https://app.example.com/signed-in, http://127.0.0.1/signed-in or com.example.app:/signed-in, without * and #',
    )
    .default([])
    .describe(
      'Where browsers may be sent when they come back from a provider, exactly, comma-separated: https, this machine (with any port), or an app of yours (com.example.app:/signed-in).',
    ),
  STRATEGIES_DIR: z.string().min(1).optional().describe('A second folder of strategies, outside this one: .js, .mjs and .ts files.'),
  TRUST_PROXY: proxies
    .default(0)
    .describe('How many proxies stand in front, or their addresses, so that client addresses can be believed.'),
  LIMITS: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Limits for requests and for failures to sign in. `off` is for load tests, and needs a loopback HOST.'),
  REDIS_URL: z
    .string()
    .refine(isRedis, 'must be redis://user:password@host:port/number, or rediss:// to encrypt the connection')
    .optional()
    .describe('Where limits are counted: redis://user:password@host:port/number, or rediss:// to encrypt. Default: in the database.'),
  SIGNUP: z
    .enum(['open', 'closed'])
    .default('open')
    .describe('Whether strangers may register. `closed`: users come from the command line.'),
  EMAIL_VERIFICATION: z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe(
      'Whether new users get a mail to confirm their address. `required`: they sign in only then, and signing up tells nobody whether an address is known.',
    ),
  ACCESS_TOKEN_TTL: whole(60, 3600).default(600).describe('Life of an access token, in seconds.'),
  REFRESH_IDLE: whole(3600, 31_536_000)
    .default(1_209_600)
    .describe('A session that is not refreshed for so long ends, in seconds. Default: 14 days.'),
  REFRESH_ABSOLUTE: whole(3600, 94_608_000).default(7_776_000).describe('Longest life of a session, in seconds. Default: 90 days.'),
  REFRESH_IDLE_MOBILE: whole(3600, 31_536_000)
    .default(5_184_000)
    .describe('REFRESH_IDLE of a device that said it is `mobile`. Default: 60 days.'),
  REFRESH_ABSOLUTE_MOBILE: whole(3600, 94_608_000)
    .default(31_536_000)
    .describe('REFRESH_ABSOLUTE of a device that said it is `mobile`. Default: 365 days.'),
  SESSION_CACHE_TTL: whole(0, 60)
    .default(0)
    .describe(
      'For how many seconds a node may believe what it read of a session. Saves the query of each request; what another node changes binds that much later. An embedded database needs none: it tells when it changes.',
    ),
  DIALECTS: list
    .default(['bezkoder', 'zohaib', 'devckano'])
    .describe('Tutorials whose front ends are understood: bezkoder, bezkoder-cookies, grokonez, zohaib, devckano; or none.'),
  DIALECT_ACCESS_TOKEN_TTL: whole(60, 604_800)
    .default(86_400)
    .describe('Life of an access token that a dialect hands out, in seconds: these front ends do not refresh.'),
  SIGNUP_ROLES: list.default(['user']).describe('Roles that strangers may choose when they sign up through a dialect, comma-separated.'),
  JWT_ALG: z
    .enum(['ES256', 'RS256', 'HS256'])
    .default('ES256')
    .describe('Signature of access tokens. ES256 and RS256 keys are made and kept in the database.'),
  JWT_SECRET: secret.optional().describe('Signs access tokens; only with JWT_ALG=HS256.'),
  JWT_ISSUER: z.string().min(1).optional().describe('`iss` of access tokens. Default: PUBLIC_URL.'),
  JWT_AUDIENCE: z.string().min(1).default('sallyport').describe('`aud` of access tokens.'),
  BCRYPT_COST: whole(4, 15)
    .default(12)
    .describe('Work factor for new password hashes, 10 to 15. Each step doubles the time. 4 to 9 are for tests, and need a loopback HOST.'),
  PASSWORD_MIN_LENGTH: whole(8, 64)
    .default(8)
    .describe('Shortest password, in characters. 15 is what NIST asks for where the password stands alone.'),
  SMTP_URL: smtpUrl
    .optional()
    .describe(
      'Mail server: smtp://user:password@host:587 or smtps://user:password@host:465. The connection is encrypted and the certificate checked; on loopback only if asked for. Add ?tls=system, ?tls=/path/ca.pem for an authority of your own, or ?tls=none for a private network. Default: mails become files in data/outbox/.',
    ),
  MAIL_FROM: mailFrom.optional().describe('Sender of mails: auth@example.com or Example <auth@example.com>. Required with SMTP_URL.'),
  PASSWORD_MIN_SCORE: whole(0, 4).default(0).describe('Least score by zxcvbn of a new password, 0 (off) to 4. Takes 64 MB of memory.'),
  PASSWORD_BREACH_URL: z
    .string()
    .refine(service, 'must be https://…, or http:// on a loopback address, without user, query or fragment')
    .optional()
    .describe(
      'Where to ask whether a new password is known from a breach: https://api.pwnedpasswords.com/range. Five digits of its SHA-1 are sent. Default: nowhere.',
    ),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least important lines to log: debug, info, warn, error, or silent for none.'),
});

type Given = Record<string, string | undefined>;

/** What no single setting can see: two that contradict each other, or that are only safe together. */
function contradictions(settings: z.output<typeof Settings>, given: Given): string[] {
  const { DATABASE_URL, APP_SECRET, APP_SECRET_PREVIOUS, JWT_ALG, JWT_SECRET, BCRYPT_COST, HOST } = settings;
  const sqlite = DATABASE_URL.startsWith('sqlite:');
  const server = sqlite ? undefined : new URL(DATABASE_URL);
  return [
    !sqlite &&
      !APP_SECRET &&
      'APP_SECRET is required with this DATABASE_URL: make one with `openssl rand -base64 32`, the same for every node',
    APP_SECRET && APP_SECRET === APP_SECRET_PREVIOUS && 'APP_SECRET_PREVIOUS is the same as APP_SECRET: remove it',
    server && !server.password && !isLoopback(server.hostname) && 'DATABASE_URL has no password for a database on another machine',
    JWT_ALG === 'HS256' && !JWT_SECRET && 'JWT_SECRET is required with JWT_ALG=HS256: make one with `openssl rand -base64 32`',
    JWT_ALG !== 'HS256' && JWT_SECRET && `JWT_SECRET is only for JWT_ALG=HS256, and JWT_ALG is ${JWT_ALG}: remove one of them`,
    settings.LIMITS === 'off' && !isLoopback(HOST) && 'LIMITS=off is for load tests: it is refused unless HOST is a loopback address',
    BCRYPT_COST < 10 && !isLoopback(HOST) && 'BCRYPT_COST below 10 is for tests: it is refused unless HOST is a loopback address',
    ...mailContradictions(settings),
    given['REFRESH_IDLE'] && settings.REFRESH_IDLE > settings.REFRESH_ABSOLUTE && 'REFRESH_IDLE is longer than REFRESH_ABSOLUTE',
    given['REFRESH_IDLE_MOBILE'] &&
      settings.REFRESH_IDLE_MOBILE > settings.REFRESH_ABSOLUTE_MOBILE &&
      'REFRESH_IDLE_MOBILE is longer than REFRESH_ABSOLUTE_MOBILE',
  ].filter((mistake) => typeof mistake === 'string');
}

/** Reads the settings of one environment, or throws a SettingsError that names every mistake. An empty value counts as none. */
export function readSettings(env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(Object.keys(Settings.shape).map((name) => [name, env[name] || undefined]));
  const result = Settings.safeParse(given);
  if (!result.success)
    throw new SettingsError(
      result.error.issues.map(
        (issue) =>
          `${issue.path.join('.')} ${issue.message.toLowerCase().startsWith('invalid') ? `is not valid: ${issue.message}` : issue.message}`,
      ),
    );
  const mistakes = contradictions(result.data, given);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  const PUBLIC_URL = result.data.PUBLIC_URL ?? `http://localhost:${result.data.PORT}`;
  const DIALECTS = result.data.DIALECTS.join() === 'none' ? [] : result.data.DIALECTS;
  // Where the tutorials' front ends run while they are developed.
  const atHome =
    isLoopback(result.data.HOST) && isLoopback(new URL(PUBLIC_URL).hostname) && DIALECTS.length > 0 ? ['http://localhost:8081'] : [];
  const ALLOWED_ORIGINS = given['ALLOWED_ORIGINS'] ? result.data.ALLOWED_ORIGINS : atHome;
  const LONGEST_TOKEN = Math.max(result.data.ACCESS_TOKEN_TTL, DIALECTS.length > 0 ? result.data.DIALECT_ACCESS_TOKEN_TTL : 0);
  return Object.freeze({
    ...result.data,
    ALLOWED_ORIGINS,
    DIALECTS,
    LONGEST_TOKEN,
    PUBLIC_URL,
    JWT_ISSUER: result.data.JWT_ISSUER ?? PUBLIC_URL,
  });
}
export type Config = ReturnType<typeof readSettings>;

const file: NodeJS.Dict<string> = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
/** The environment, with `.env` beneath it, as strategies read their own settings from it. */
export const environment: Readonly<Record<string, string | undefined>> = Object.freeze({ ...file, ...process.env });
export const config: Config = readSettings(environment);

/** See `core/unknown-settings`; `known` are those of strategies. */
export const unknownSettings = (known: readonly string[], env = environment, dotenv: object = file): string[] =>
  unknownNames([...Object.keys(Settings.shape), ...known], env, dotenv);
