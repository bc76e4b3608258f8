import type { z } from 'zod';
import { contradictions } from '#src/platform/settings/contradictions';
import { readDotenv, type Dotenv } from '#src/platform/settings/dotenv';
import { fileSetting, readValue } from '#src/platform/settings/files';
import { SettingsSchema } from '#src/platform/settings/schema';
import { passkeysInForce } from '#src/platform/settings/passkeys';
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

/** The settings of the server itself, by their names in the environment. */
export const SETTING_NAMES: readonly string[] = Object.keys(SettingsSchema.shape);
const OPTIONS: ReadonlySet<string> = new Set(
  SETTING_NAMES.flatMap((name) => [name, fileSetting(name)]).map(optionName),
);

/** The environment of this process, with `.env` of the current folder beneath it. Only the programs call this. */
export function readEnvironment(): { env: Environment; dotenv: Dotenv } {
  const dotenv = readDotenv();
  return { env: Object.freeze({ ...dotenv.values, ...process.env }), dotenv };
}

/** The settings of an environment as options. An empty value counts as none. */
export function settingsFrom(env: Environment): SettingsOptions & StrategySettings {
  const own = SETTING_NAMES.flatMap((name) => [name, fileSetting(name)])
    .filter((name) => env[name])
    .map((name) => [optionName(name), env[name]]);
  return { ...Object.fromEntries(own), environment: env };
}

/** Where strategies find their settings, by their names in the environment. */
export interface StrategySettings {
  /** Each name must be a setting. */
  strategySettings?: Readonly<Record<string, string | undefined>>;
  /** Such as `process.env`: variables of other programs may stand in it. */
  environment?: Environment;
}

/** True for the options that are settings of the server itself. */
export const isServerOption = (option: string): boolean => OPTIONS.has(option);

/** What options come to. Without settings, `mistakes` says why. */
export interface Checked {
  settings?: Settings;
  mistakes: string[];
  /** What strategies read their own settings from. */
  strategyValues: Given;
  /** The valid ones, and the defaults of the others. */
  parsed: Parsed;
}

/** Reads all options, and finds all mistakes in them. Options that are no settings of the server are for the strategies. */
export function checkSettings(options: SettingsOptions & StrategySettings): Checked {
  const { strategySettings = {}, environment = {}, ...rest } = options;
  const values = new Map<string, unknown>(Object.entries(rest));
  const given: Record<string, unknown> = {};
  const parsed: Record<string, unknown> = {};
  const wrong: string[] = [];
  const mistakes: string[] = [];
  for (const name of SETTING_NAMES) {
    const { value, mistake } = readValue((each) => present(values.get(optionName(each))), name);
    const schema = SettingsSchema.shape[name as keyof Parsed];
    const { data, error } = schema.safeParse(value);
    const found = mistake
      ? [mistake]
      : (error?.issues ?? []).map((issue) => sentenceOf(name, issue));
    if (found.length > 0) wrong.push(name);
    mistakes.push(...found);
    given[name] = value;
    parsed[name] = found.length > 0 ? schema.safeParse(undefined).data : data;
  }
  const all = parsed as Parsed;
  mistakes.push(...contradictions(all, given).filter((sentence) => !isAbout(sentence, wrong)));
  const others = [...values].filter(([option]) => !isServerOption(option));
  const named = Object.entries({ ...environment, ...strategySettings }).filter(
    ([, value]) => value,
  );
  const strategyValues = Object.freeze(Object.fromEntries([...named, ...others]));
  const checked = { mistakes, strategyValues, parsed: all };
  return mistakes.length > 0
    ? checked
    : { ...checked, settings: inForce(all, given, strategyValues) };
}

/**
 * The settings in force.
 * @throws {SettingsError} with one sentence for each mistake
 */
export function parseSettings(options: SettingsOptions & StrategySettings): Settings {
  const { settings, mistakes } = checkSettings(options);
  if (!settings) throw new SettingsError(mistakes);
  return settings;
}

const present = (value: unknown) => (value === '' || value === null ? undefined : value);

function sentenceOf(name: string, { path, message }: z.core.$ZodIssue): string {
  const isOurs = !message.toLowerCase().startsWith('invalid');
  return `${[name, ...path].join('.')} ${isOurs ? message : `is not valid: ${message}`}`;
}

/** A setting that is wrong contradicts none: its default was compared. */
const isAbout = (sentence: string, settings: readonly string[]): boolean =>
  settings.some((name) => new RegExp(String.raw`\b${name}\b`).test(sentence));

function inForce(parsed: Parsed, given: Given, strategyValues: Given): Settings {
  const publicUrl = parsed.PUBLIC_URL ?? `http://localhost:${parsed.PORT}`;
  const { hostname, pathname } = new URL(publicUrl);
  const isLocal = isLoopback(parsed.HOST) && isLoopback(hostname);
  const chosen = parsed.DIALECTS ?? (isLocal ? LOCAL_DIALECTS : []);
  const dialects = chosen.join() === 'none' ? [] : chosen;
  const origins = isLocal && dialects.length > 0 ? [TUTORIAL_ORIGIN] : [];
  const allowedOrigins = given['ALLOWED_ORIGINS'] ? parsed.ALLOWED_ORIGINS : origins;
  const camelCase = Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [optionName(name), value]),
  ) as unknown as Settings;
  return Object.freeze({
    ...camelCase,
    publicUrl,
    basePath: pathname === '/' ? '' : pathname,
    jwtIssuer: parsed.JWT_ISSUER ?? publicUrl,
    dialects,
    allowedOrigins,
    ...passkeysInForce(parsed, publicUrl, allowedOrigins),
    longestTokenSeconds: Math.max(
      parsed.ACCESS_TOKEN_TTL,
      dialects.length > 0 ? parsed.DIALECT_ACCESS_TOKEN_TTL : 0,
    ),
    strategyValues,
  });
}
