import { knownStrategies, settingFaults } from '#src/authentication/passport';
import {
  findStrategies,
  pathClashes,
  type FoundStrategies,
} from '#src/authentication/strategy-files';
import { settingsOf } from '#src/authentication/strategy-settings';
import { unknownAdapters } from '#src/compat/index';
import { NO_DOTENV, type Dotenv } from '#src/platform/settings/dotenv';
import {
  checkSettings,
  SETTING_NAMES,
  settingsFrom,
  type Environment,
  type StrategySettings,
} from '#src/platform/settings/read';
import type { Settings, SettingsOptions } from '#src/platform/settings/settings';
import { SettingsError } from '#src/platform/settings/settings-error';
import { unknownNames } from '#src/platform/settings/unknown';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** What an instance is made from. Nothing is opened yet. */
export interface Configuration {
  settings: Settings;
  strategies: FoundStrategies;
}

interface Checked extends Partial<Configuration> {
  strategies: FoundStrategies;
  /** One sentence for each mistake in settings and strategies; none of them is about unknown names. */
  mistakes: string[];
  /** Names of all settings, those of the strategies included. */
  names: string[];
  ignored: readonly string[];
}

/** Finds every mistake that can be found before anything is opened. */
export async function check(
  options: SettingsOptions & StrategySettings,
  own: readonly AuthStrategy[] = [],
): Promise<Checked> {
  const { settings, mistakes, strategyValues, parsed } = checkSettings(options);
  const strategies = await findStrategies(parsed.STRATEGIES_DIR, own);
  const { files } = strategies;
  return {
    ...(settings && { settings }),
    strategies,
    mistakes: [
      ...mistakes,
      ...unknownAdapters(
        (parsed.DIALECTS ?? []).filter((name, _, { length }) => length > 1 || name !== 'none'),
      ),
      ...strategies.mistakes,
      ...pathClashes(files, []), // with the routes of the server: when they are made
      ...files.flatMap((file) => settingFaults(file, strategyValues, parsed.REDIRECT_URIS)),
    ],
    names: [...SETTING_NAMES, ...files.flatMap(({ strategy }) => settingsOf(strategy))],
    ignored: parsed.IGNORED_VARIABLES,
  };
}

/**
 * The configuration, if there is no mistake.
 * @throws {SettingsError} with all of them
 */
export function accept(
  { settings, strategies }: Checked,
  mistakes: readonly string[],
): Configuration {
  if (settings && mistakes.length === 0) return { settings, strategies };
  strategies.release();
  throw new SettingsError(mistakes);
}

/**
 * The configuration of a program. `dotenv`: what stands in `.env`, which `env` contains, too.
 * @throws {SettingsError} with one sentence for each mistake
 */
export async function configurationFrom(
  env: Environment,
  dotenv: Dotenv = NO_DOTENV,
): Promise<Configuration> {
  const checked = await check(settingsFrom(env));
  const unknown = unknownNames(checked, env, dotenv.values);
  return accept(checked, [...dotenv.mistakes, ...unknown, ...checked.mistakes]);
}

/**
 * The settings of a command. It needs no strategy, so what is wrong with one does not stop it. Strategies are read only
 * when a name may be a setting of theirs.
 * @throws {SettingsError} with one sentence for each mistake
 */
export async function commandSettings(env: Environment, dotenv: Dotenv): Promise<Settings> {
  const { settings, mistakes, parsed } = checkSettings(settingsFrom(env));
  const ignored = parsed.IGNORED_VARIABLES;
  const unknownAmong = (names: readonly string[]) =>
    unknownNames({ names, ignored }, env, dotenv.values);
  let unknown = unknownAmong(SETTING_NAMES);
  if (unknown.length > 0) {
    const ofStrategies = await knownStrategies({ strategiesDir: parsed.STRATEGIES_DIR });
    unknown = unknownAmong([...SETTING_NAMES, ...ofStrategies.settings]);
  }
  const all = [...dotenv.mistakes, ...unknown, ...mistakes];
  if (!settings || all.length > 0) throw new SettingsError(all);
  return settings;
}
