import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Sequelize } from 'sequelize';
import type { Models } from '#models/index';
import type { SignInPolicy } from '#src/authentication/sign-in-policies';
import type { StrategyHost } from '#src/authentication/strategy-host';
import type { EventMap } from '#src/events';
import { openInstance } from '#src/instance';
import type { ContextOptions } from '#src/open-context';
import type { Events } from '#src/platform/events';
import { isServerOption, parseSettings, type StrategySettings } from '#src/platform/settings/read';
import { SettingsError } from '#src/platform/settings/settings-error';
import { optionName, type CamelKeys, type SettingsOptions } from '#src/platform/settings/settings';
import type { ServerApi } from '#src/server-api';
import type { ShippedSettings } from '#src/shipped-settings';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** What an app gives besides settings. */
interface OwnOptions extends Pick<ContextOptions, 'log'> {
  /** Strategies of the app, each made with `defineStrategy`. */
  strategies?: readonly AuthStrategy[];
  /** Conditions for a sign-in, asked after those of the server. */
  signInPolicies?: readonly SignInPolicy[];
}

/** The settings in camelCase, those of the strategies in strategies/ included, and what an app brings of its own. */
export type SallyportOptions = SettingsOptions &
  CamelKeys<ShippedSettings> &
  StrategySettings &
  OwnOptions;

/** The server as a value. Two of them in one process share nothing. */
export interface Sallyport extends ServerApi {
  /** Answers the routes of the server. Every other path is passed on untouched. Mount it at the path of `publicUrl`. */
  readonly router: RequestHandler;
  /** Guards a route of the app: any strategy of kind `bearer` opens it. `req.user` is then the principal. */
  authenticate(): RequestHandler;
  /** Stands after `authenticate()`. Any one of these roles opens. */
  requireRole(...names: [string, ...string[]]): RequestHandler;
  /** Stands after `authenticate()`. The user must have proved who they are in the last so many minutes. */
  requireFresh(minutes: number): RequestHandler;
  /** The Passport of this instance: `passport.authenticate('jwt', { session: false })` guards a route, too. */
  readonly passport: StrategyHost['passport'];
  /** Answers the refusals of these guards. Errors of the app are passed on. Use it after the routes. */
  readonly errorHandler: ErrorRequestHandler;
  readonly models: Models;
  readonly sequelize: Sequelize;
  /**
   * All or nothing: queries inside join it by themselves. It may run again after a conflict. A failed call inside that
   * you catch is undone by itself. Do not run parts of it side by side, and do not change keys in it.
   */
  transaction<T>(fn: () => Promise<T>): Promise<T>;
  /** Listens to an event from now on. Call the answer to stop. */
  on: Events<EventMap>['on'];
  /** Stops tasks and the delivery of mail, then closes connections and files. Stop your HTTP server first. */
  close(): Promise<void>;
}

/**
 * Makes a server. It connects to its database, migrates it and starts its background tasks.
 * @throws {SettingsError} with one sentence for each mistake in the options
 */
export async function createSallyport(options: SallyportOptions = {}): Promise<Sallyport> {
  const { strategies, signInPolicies, log, ...settings } = options;
  const unknown: string[] = [];
  const refuseUnknown = (names: string[]) => {
    unknown.push(...unknownOptions(settings, names));
    if (unknown.length > 0)
      throw new SettingsError(unknown.map((name) => `${name} is not an option`));
  };
  try {
    const own = { strategies, signInPolicies, log, refuseUnknown };
    // The adapters take paths such as `/` and `/users`, which may be the app's own.
    const dialects = settings.dialects || 'none';
    return await start(parseSettings({ ...settings, dialects }), own);
  } catch (error) {
    throw error instanceof SettingsError && unknown.length === 0 ? inOptionNames(error) : error;
  }
}

async function start(...args: Parameters<typeof openInstance>): Promise<Sallyport> {
  const instance = await openInstance(...args);
  try {
    instance.startDelivery();
    return instance.auth;
  } catch (error) {
    await instance.close();
    throw error;
  }
}

/** A misspelt option would be off without a word. */
function unknownOptions(settings: object, strategySettings: string[]): string[] {
  const known = new Set(['strategySettings', ...strategySettings.map(optionName)]);
  return Object.keys(settings).filter((name) => !isServerOption(name) && !known.has(name));
}

/** Sentences name settings as they stand in the environment. An app knows them as options. */
const inOptionNames = ({ mistakes }: SettingsError) =>
  new SettingsError(
    mistakes.map((mistake) =>
      mistake.replaceAll(/\b[A-Z]+(?:_[A-Z0-9]+)*\b/g, (name) =>
        name.includes('_') || isServerOption(optionName(name)) ? optionName(name) : name,
      ),
    ),
  );
