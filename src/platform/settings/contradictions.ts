import type { z } from 'zod';
import { serversOf } from '#src/platform/database/hosts';
import { certificateFaults } from '#src/platform/settings/files';
import { mailContradictions } from '#src/platform/settings/mail';
import { metricsContradictions } from '#src/platform/settings/metrics';
import { passkeyContradictions } from '#src/platform/settings/passkeys';
import type { SettingsSchema } from '#src/platform/settings/schema';
import { isLoopback } from '#src/platform/settings/types';

type Given = Readonly<Record<string, unknown>>;
type Parsed = z.output<typeof SettingsSchema>;

/**
 * What no single setting shows: two that contradict each other, or that are safe only together. Each sentence names all
 * settings that it is about.
 */
export function contradictions(settings: Parsed, given: Given): string[] {
  const { DATABASE_URL, APP_SECRET, APP_SECRET_PREVIOUS, JWT_ALG, JWT_SECRET, BCRYPT_COST, HOST } =
    settings;
  const sqlite = DATABASE_URL.startsWith('sqlite:');
  const servers = sqlite ? [] : serversOf(DATABASE_URL);
  const mistakes = [
    !sqlite &&
      !APP_SECRET &&
      'APP_SECRET is required with this DATABASE_URL: make one with `openssl rand -base64 32`, the same for every node',
    APP_SECRET &&
      APP_SECRET === APP_SECRET_PREVIOUS &&
      'APP_SECRET_PREVIOUS is the same as APP_SECRET: remove it',
    servers.some(({ password, hostname }) => !password && !isLoopback(hostname)) &&
      'DATABASE_URL has no password for a database on another machine',
    JWT_ALG === 'HS256' &&
      !JWT_SECRET &&
      'JWT_SECRET is required with JWT_ALG=HS256: make one with `openssl rand -base64 32`',
    JWT_ALG !== 'HS256' &&
      JWT_SECRET &&
      `JWT_SECRET is only for JWT_ALG=HS256, and JWT_ALG is ${JWT_ALG}: remove one of them`,
    settings.LIMITS === 'off' &&
      !isLoopback(HOST) &&
      'LIMITS=off is for load tests: it is refused unless HOST is a loopback address',
    BCRYPT_COST < 10 &&
      !isLoopback(HOST) &&
      'BCRYPT_COST below 10 is for tests: it is refused unless HOST is a loopback address',
    ...mailContradictions(settings),
    ...passkeyContradictions(settings, settings.ALLOWED_ORIGINS),
    ...metricsContradictions(settings, given),
    ...certificateFaults({ DATABASE_URL, SMTP_URL: settings.SMTP_URL }),
    given['REFRESH_IDLE'] &&
      settings.REFRESH_IDLE > settings.REFRESH_ABSOLUTE &&
      'REFRESH_IDLE is longer than REFRESH_ABSOLUTE',
    given['REFRESH_IDLE_MOBILE'] &&
      settings.REFRESH_IDLE_MOBILE > settings.REFRESH_ABSOLUTE_MOBILE &&
      'REFRESH_IDLE_MOBILE is longer than REFRESH_ABSOLUTE_MOBILE',
  ];
  return mistakes.filter((mistake) => typeof mistake === 'string');
}
