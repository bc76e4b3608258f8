import { z } from 'zod';
import { brandSettings } from '#src/platform/settings/brand';
import { databaseSettings } from '#src/platform/settings/database';
import { limitSettings } from '#src/platform/settings/limits';
import { mailFrom, notifyNewSignIn, smtpUrl } from '#src/platform/settings/mail';
import { allowedOrigins, corsAllowedHeaders } from '#src/platform/settings/origins';
import { metricsSettings } from '#src/platform/settings/metrics';
import { mfaRequiredRoles, signupRoles } from '#src/platform/settings/roles';
import { passkeySettings } from '#src/platform/settings/passkeys';
import {
  isRedis,
  list,
  proxies,
  publicUrl,
  redirectUri,
  secret,
  service,
  whole,
  workers,
} from '#src/platform/settings/types';
import { recordSettings } from '#src/platform/settings/records';
import { ignoredVariables } from '#src/platform/settings/unknown';
import { webhookSettings } from '#src/platform/settings/webhooks';

/** Every setting of the server itself, by its name in the environment. `.env.example` is made from this list. The settings of a strategy stand in its file. */
export const SettingsSchema = z.object({
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. 0.0.0.0 listens on every network interface.'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on.'),
  WORKERS: workers
    .default(1)
    .describe(
      'Processes that answer requests behind one port: a number, or `auto` for one for each core. See docs/operating.md.',
    ),
  PUBLIC_URL: publicUrl
    .optional()
    .describe(
      'Address at which clients reach this server. It may have a path: https://example.com/identity. Default: http://localhost:<PORT>.',
    ),
  ...databaseSettings,
  APP_SECRET: secret
    .optional()
    .describe(
      'Encrypts what the server keeps secret, such as its signing keys. With an embedded database it is generated and stored beside it. With any other database it is required.',
    ),
  APP_SECRET_PREVIOUS: secret
    .optional()
    .describe(
      'The previous APP_SECRET. It stays valid while a new one replaces it, so nobody is signed out. See SECURITY.md.',
    ),
  ALLOWED_ORIGINS: allowedOrigins,
  CORS_ALLOWED_HEADERS: corsAllowedHeaders,
  REDIRECT_URIS: list
    .refine(
      (uris) => uris.every(redirectUri),
      'must be a comma-separated list of addresses such as https://app.example.com/signed-in, http://127.0.0.1/signed-in or com.example.app:/signed-in, without * and #',
    )
    .default([])
    .describe(
      'Addresses to which a browser may be sent after a sign-in at a provider or by a link in a mail, comma-separated and exact: https, this machine (any port), or the scheme of an app (com.example.app:/signed-in).',
    ),
  STRATEGIES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('A second folder of strategies, outside this one. Its files are .js, .mjs or .ts.'),
  TRUST_PROXY: proxies
    .default(0)
    .describe(
      'Number of proxies in front of this server, or their addresses. Only then are the client addresses that they pass on believed.',
    ),
  LIMITS: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'Limits for requests and for failed sign-ins. `off` is for load tests and needs a loopback HOST.',
    ),
  ...limitSettings,
  REDIS_URL: z
    .string()
    .refine(
      isRedis,
      'must be redis://user:password@host:port/number, or rediss:// to encrypt the connection',
    )
    .optional()
    .describe(
      'Redis that counts the limits: redis://user:password@host:port/number, or rediss:// to encrypt. Default: the database counts.',
    ),
  SIGNUP: z
    .enum(['open', 'closed'])
    .default('open')
    .describe(
      'Whether strangers may register. With `closed`, users are created on the command line.',
    ),
  EMAIL_VERIFICATION: z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe(
      'Whether new users get a mail to confirm their address. With `required` they can sign in only after that, and signing up does not tell whether an address is known.',
    ),
  ACCESS_TOKEN_TTL: whole(60, 3600)
    .default(600)
    .describe('Lifetime of an access token, in seconds.'),
  REFRESH_IDLE: whole(3600, 31_536_000)
    .default(1_209_600)
    .describe('A session that is not refreshed for this long ends, in seconds. Default: 14 days.'),
  REFRESH_ABSOLUTE: whole(3600, 94_608_000)
    .default(7_776_000)
    .describe('Longest lifetime of a session, in seconds. Default: 90 days.'),
  REFRESH_IDLE_MOBILE: whole(3600, 31_536_000)
    .default(5_184_000)
    .describe('REFRESH_IDLE of a device of kind `mobile`. Default: 60 days.'),
  REFRESH_ABSOLUTE_MOBILE: whole(3600, 94_608_000)
    .default(31_536_000)
    .describe('REFRESH_ABSOLUTE of a device of kind `mobile`. Default: 365 days.'),
  SESSION_CACHE_TTL: whole(0, 60)
    .default(0)
    .describe(
      'Cache sessions for this many seconds. Saves one query per request; sign-outs on other nodes take effect that much later. Not needed with SQLite.',
    ),
  DIALECTS: list
    .optional()
    .describe(
      'Tutorials whose front ends are understood: bezkoder, bezkoder-cookies, grokonez, grokonez-react, zohaib, devckano; or none. Default: bezkoder,zohaib,devckano while HOST and PUBLIC_URL are loopback, else none.',
    ),
  DIALECT_ACCESS_TOKEN_TTL: whole(60, 604_800)
    .default(86_400)
    .describe(
      'Lifetime of an access token for such a front end, in seconds. These front ends do not refresh.',
    ),
  DIALECT_NUMERIC_IDS: z
    .enum(['on', 'off'])
    .default('off')
    .describe('`on` shows users to such a front end by numbers, for apps with `id: Int`.'),
  SIGNUP_ROLES: signupRoles,
  MFA_REQUIRED_ROLES: mfaRequiredRoles,
  JWT_ALG: z
    .enum(['ES256', 'RS256', 'HS256'])
    .default('ES256')
    .describe(
      'Signature algorithm of access tokens. ES256 and RS256 keys are generated and stored in the database.',
    ),
  JWT_SECRET: secret.optional().describe('Signs access tokens. Only with JWT_ALG=HS256.'),
  JWT_ISSUER: z.string().min(1).optional().describe('`iss` of access tokens. Default: PUBLIC_URL.'),
  JWT_AUDIENCE: z.string().min(1).default('sallyport').describe('`aud` of access tokens.'),
  BCRYPT_COST: whole(4, 15)
    .default(12)
    .describe(
      'Cost of new password hashes, 10 to 15. Each step doubles the time. 4 to 9 are for tests and need a loopback HOST.',
    ),
  DEVISE_PEPPER: z
    .string()
    .optional()
    .describe('The `pepper` of Devise (Rails), for hashes that were imported from there.'),
  PASSWORD_MIN_LENGTH: whole(8, 64)
    .default(8)
    .describe(
      'Shortest password, in characters. NIST asks for 15 where the password is the only factor.',
    ),
  ...passkeySettings,
  ...brandSettings,
  SMTP_URL: smtpUrl
    .optional()
    .describe(
      'Mail server: smtp://user:password@host:587 or smtps://user:password@host:465. The connection is encrypted and the certificate is checked; on loopback only if asked for. Add ?tls=system, ?tls=/path/ca.pem for your own authority, or ?tls=none for a private network. Default: mails become files in data/outbox/.',
    ),
  MAIL_FROM: mailFrom
    .optional()
    .describe(
      'Sender of mails: auth@example.com or Example <auth@example.com>. Required with SMTP_URL.',
    ),
  NOTIFY_NEW_SIGN_IN: notifyNewSignIn,
  PASSWORD_MIN_SCORE: whole(0, 4)
    .default(0)
    .describe(
      'Lowest score that zxcvbn may give a new password, 0 (off) to 4. Takes 64 MB of memory.',
    ),
  PASSWORD_BREACH_URL: z
    .string()
    .refine(
      service,
      'must be https://…, or http:// on a loopback address, without user, query or fragment',
    )
    .optional()
    .describe(
      'Where to ask whether a new password is known from a breach: https://api.pwnedpasswords.com/range. Five digits of its SHA-1 are sent. Default: nowhere.',
    ),
  ...webhookSettings,
  UV_THREADPOOL_SIZE: whole(1, 1024)
    .default(4)
    .describe(
      'Threads that Node has for password hashes, files and DNS. Node itself reads it from the environment of the process.',
    ),
  ...metricsSettings,
  ...recordSettings,
  IGNORED_VARIABLES: ignoredVariables,
});
