import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { mailContradictions } from '#src/platform/settings/mail';
import { SettingsSchema } from '#src/platform/settings/schema';
import { optionName, type Settings, type SettingsOptions } from '#src/platform/settings/settings';
import { SettingsError } from '#src/platform/settings/settings-error';
import { isLoopback } from '#src/platform/settings/types';

export type Environment = Readonly<Record<string, string | undefined>>;
type Given = Readonly<Record<string, unknown>>;
type Parsed = z.output<typeof SettingsSchema>;

/** Compatibility adapters that are on where only this machine can reach them. */
const LOCAL_DIALECTS = ['bezkoder', 'zohaib', 'devckano'];
/** Where the front ends of the tutorials run while they are developed. */
const TUTORIAL_ORIGIN = 'http://localhost:8081';

const NAMES = Object.keys(SettingsSchema.shape);
const OPTIONS = new Set(NAMES.map(optionName));

/** The environment of this process, with `.env` of the current folder beneath it. Only the programs call this. */
export function readEnvironment(): { env: Environment; dotenv: Environment } {
  const dotenv: Environment = existsSync('.env') ? parseEnv(readFileSync('.env', 'utf8')) : {};
  return { env: Object.freeze({ ...dotenv, ...process.env }), dotenv };
}

/** The settings of an environment as options. An empty value counts as none. */
export function settingsFrom(env: Environment): SettingsOptions & StrategySettings {
  const own = NAMES.filter((name) => env[name]).map((name) => [optionName(name), env[name]]);
  const all = Object.entries(env).filter(([, value]) => value); // a strategy may read a setting of the server, too
  return { ...Object.fromEntries(own), strategySettings: Object.fromEntries(all) };
}

/** Settings of strategies, by their names in the environment. */
export interface StrategySettings {
  strategySettings?: Readonly<Record<string, string | undefined>>;
}

/** True for the options that are settings of the server itself. */
export const isServerOption = (option: string): boolean => OPTIONS.has(option);

/**
 * The settings in force. Options that are no settings of the server are offered to the strategies.
 * @throws {SettingsError} with one sentence for each mistake
 */
export function parseSettings(options: SettingsOptions & StrategySettings): Settings {
  const { strategySettings = {}, ...rest } = options;
  const values = new Map<string, unknown>(Object.entries(rest));
  const given = Object.fromEntries(
    NAMES.map((name) => [name, present(values.get(optionName(name)))]),
  );
  const { data, error } = SettingsSchema.safeParse(given);
  const mistakes = error ? error.issues.map(sentenceOf) : contradictions(data, given);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  const others = [...values].filter(([option]) => !isServerOption(option));
  return inForce(data!, given, { ...strategySettings, ...Object.fromEntries(others) });
}

const present = (value: unknown) => (value === '' || value === null ? undefined : value);

function sentenceOf({ path, message }: z.core.$ZodIssue): string {
  const isOurs = !message.toLowerCase().startsWith('invalid');
  return `${path.join('.')} ${isOurs ? message : `is not valid: ${message}`}`;
}

/** What no single setting shows: two that contradict each other, or that are safe only together. */
function contradictions(settings: Parsed, given: Given): string[] {
  const { DATABASE_URL, APP_SECRET, APP_SECRET_PREVIOUS, JWT_ALG, JWT_SECRET, BCRYPT_COST, HOST } =
    settings;
  const sqlite = DATABASE_URL.startsWith('sqlite:');
  const server = sqlite ? undefined : new URL(DATABASE_URL);
  const mistakes = [
    !sqlite &&
      !APP_SECRET &&
      'APP_SECRET is required with this DATABASE_URL: make one with `openssl rand -base64 32`, the same for every node',
    APP_SECRET &&
      APP_SECRET === APP_SECRET_PREVIOUS &&
      'APP_SECRET_PREVIOUS is the same as APP_SECRET: remove it',
    server &&
      !server.password &&
      !isLoopback(server.hostname) &&
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
    given['REFRESH_IDLE'] &&
      settings.REFRESH_IDLE > settings.REFRESH_ABSOLUTE &&
      'REFRESH_IDLE is longer than REFRESH_ABSOLUTE',
    given['REFRESH_IDLE_MOBILE'] &&
      settings.REFRESH_IDLE_MOBILE > settings.REFRESH_ABSOLUTE_MOBILE &&
      'REFRESH_IDLE_MOBILE is longer than REFRESH_ABSOLUTE_MOBILE',
  ];
  return mistakes.filter((mistake) => typeof mistake === 'string');
}

function inForce(parsed: Parsed, given: Given, strategyValues: Given): Settings {
  const publicUrl = parsed.PUBLIC_URL ?? `http://localhost:${parsed.PORT}`;
  const { hostname, pathname } = new URL(publicUrl);
  const isLocal = isLoopback(parsed.HOST) && isLoopback(hostname);
  const chosen = parsed.DIALECTS ?? (isLocal ? LOCAL_DIALECTS : []);
  const dialects = chosen.join() === 'none' ? [] : chosen;
  const origins = isLocal && dialects.length > 0 ? [TUTORIAL_ORIGIN] : [];
  const camelCase = Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [optionName(name), value]),
  ) as unknown as Settings;
  return Object.freeze({
    ...camelCase,
    publicUrl,
    basePath: pathname === '/' ? '' : pathname,
    jwtIssuer: parsed.JWT_ISSUER ?? publicUrl,
    dialects,
    allowedOrigins: given['ALLOWED_ORIGINS'] ? parsed.ALLOWED_ORIGINS : origins,
    longestTokenSeconds: Math.max(
      parsed.ACCESS_TOKEN_TTL,
      dialects.length > 0 ? parsed.DIALECT_ACCESS_TOKEN_TTL : 0,
    ),
    strategyValues: Object.freeze(strategyValues),
  });
}
