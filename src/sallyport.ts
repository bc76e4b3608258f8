import type { RequestListener, Server } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Sequelize } from 'sequelize';
import type { Models } from '#models/index';
import type { SignInPolicy } from '#src/authentication/sign-in-policies';
import type { StrategyHost } from '#src/authentication/strategy-host';
import type { EventMap } from '#src/events';
import { accept, check } from '#src/configuration';
import { openInstance } from '#src/instance';
import type { ContextOptions } from '#src/open-context';
import type { Events } from '#src/platform/events';
import { fileSetting } from '#src/platform/settings/files';
import { isServerOption, type StrategySettings } from '#src/platform/settings/read';
import { SettingsError } from '#src/platform/settings/settings-error';
import {
  optionName,
  type CamelKeys,
  type SettingsOptions,
  type WithFiles,
} from '#src/platform/settings/settings';
import { nearest, unknownNames } from '#src/platform/settings/unknown';
import type { ServerApi } from '#src/server-api';
import type { OperationsApi } from '#src/server-api/operations';
import type { ShippedSettings } from '#src/shipped-settings';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** What an app gives besides settings. */
interface OwnOptions extends Pick<ContextOptions, 'log' | 'metrics'> {
  /** Strategies of the app, each made with `defineStrategy`. */
  strategies?: readonly AuthStrategy[];
  /** Conditions for a sign-in, asked after those of the server. */
  signInPolicies?: readonly SignInPolicy[];
}

/** Settings that only the program `sallyport` reads. */
const PROGRAM_OPTIONS = ['workers', 'metricsPort', 'metricsHost'] as const;
type ProgramOption = (typeof PROGRAM_OPTIONS)[number];

/** The settings in camelCase, those of the strategies in strategies/ included, and what an app brings of its own. */
export type SallyportOptions = Omit<SettingsOptions, ProgramOption | `${ProgramOption}File`> &
  WithFiles<CamelKeys<ShippedSettings>> &
  StrategySettings &
  OwnOptions;

/** The server as a value. Two of them in one process share nothing. */
export interface Sallyport extends ServerApi, OperationsApi {
  /** Answers the routes of the server. Every other path is passed on untouched. Mount it at the path of `publicUrl`. */
  readonly router: RequestHandler;
  /**
   * An HTTP server for the app, with the timeouts of the server itself. On a server of Node's own, a peer that sends
   * nothing or takes no answer holds a connection for minutes, and what Node's parser refuses is never logged.
   */
  createServer(app: RequestListener): Server;
  /** Guards a route of the app: any strategy of kind `bearer` opens it. `req.user` is then the principal. */
  authenticate(): RequestHandler;
  /** Stands after `authenticate()`. Any one of these roles opens. */
  requireRole(...names: [string, ...string[]]): RequestHandler;
  /** Stands after `authenticate()`. All of these permissions are needed: `invoices:read`, of a role of the user. */
  requirePermission(...names: [string, ...string[]]): RequestHandler;
  /** Stands after `authenticate()`. The user must be there: no API key, and no administrator who acts for them. */
  requireFullAccess(): RequestHandler;
  /** Stands after `authenticate()`. The user must have proved who they are in the last so many minutes. */
  requireFresh(minutes: number): RequestHandler;
  /** Stands after `authenticate()`. The user must have proved two factors, in the last so many minutes if you say so. */
  requireAal2(minutes?: number): RequestHandler;
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
  /** What the instance has counted, as Prometheus reads it. Empty unless `metrics: true`. Serve it where only you can ask. */
  metrics(): Promise<string>;
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
  const { strategies = [], signInPolicies = [], log, metrics, ...settings } = asGiven(options);
  const wrong = wrongOptions({ strategies, signInPolicies, log, metrics });
  // The adapters and the hosted pages take paths such as `/users` and `/account`, which may be the app's own.
  wrong.push(...programOptions(settings));
  const given = {
    ...settings,
    dialects: settings.dialects || 'none',
    hostedPages: settings.hostedPages || 'none',
  };
  const checked = await check(given, Array.isArray(strategies) ? strategies : []);
  const configuration = accept(checked, [
    ...wrong,
    ...unknownOptions(settings, checked),
    ...checked.mistakes.map(inOptionNames),
  ]);
  const own = { signInPolicies, log, metrics: metrics ?? false, actorKind: 'app' } as const;
  return start(configuration, own).catch((error: unknown) => {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(error.mistakes.map(inOptionNames));
  });
}

const programOptions = (settings: SettingsOptions): string[] =>
  PROGRAM_OPTIONS.filter(
    (name) => settings[name] !== undefined || settings[`${name}File`] !== undefined,
  ).map((name) =>
    name === 'workers'
      ? 'workers is for the program `sallyport`: an app that embeds the server starts its processes itself'
      : `${name} is for the program \`sallyport\`: an app that embeds the server sets metrics: true, and serves auth.metrics() itself`,
  );

/** @throws {SettingsError} when an app without TypeScript gives no object */
function asGiven(options: SallyportOptions): SallyportOptions {
  if (typeof options === 'object' && !Array.isArray(options) && options !== null) return options;
  throw new SettingsError([
    "createSallyport takes an object of options, such as { databaseUrl: 'sqlite:data/sallyport.sqlite' }",
  ]);
}

/** What TypeScript would have refused in the options that are no settings. */
function wrongOptions({ strategies, signInPolicies, log, metrics }: OwnOptions): string[] {
  const methods = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
  const lists: unknown[] = [strategies, signInPolicies];
  return [
    !Array.isArray(lists[0]) &&
      'strategies must be a list of strategies, each made with defineStrategy',
    !(Array.isArray(lists[1]) && lists[1].every((each) => typeof each === 'function')) &&
      'signInPolicies must be a list of functions (ctx, signIn)',
    metrics !== undefined && typeof metrics !== 'boolean' && 'metrics must be true or false',
    log !== undefined &&
      !methods.every((name) => typeof (log as Partial<typeof log> | null)?.[name] === 'function') &&
      `log must have the methods ${methods.join(', ')}`,
  ].filter((mistake) => typeof mistake === 'string');
}

async function start(...args: Parameters<typeof openInstance>): Promise<Sallyport> {
  const instance = await openInstance(...args);
  try {
    instance.startPurge();
    instance.startSealing();
    instance.startDelivery();
    return instance.auth;
  } catch (error) {
    await instance.close();
    throw error;
  }
}

/** A misspelt option would be off without a word. So would a misspelt name in what strategies read their settings from. */
function unknownOptions(
  settings: Partial<SallyportOptions>,
  { names, ignored }: { names: readonly string[]; ignored: readonly string[] },
): string[] {
  const { strategySettings = {}, environment = {}, ...rest } = settings;
  const all = names.flatMap((name) => [name, fileSetting(name)]);
  const known = [...all.map(optionName), ...OTHER_OPTIONS];
  const say = (name: string, what: string, meant: string | undefined) =>
    `${name} is not ${what}${meant ? `: did you mean ${meant}?` : ': remove it'}`;
  return [
    ...Object.keys(rest)
      .filter((name) => !known.includes(name))
      .map((name) => say(name, 'an option', nearest(name, known))),
    ...Object.keys(strategySettings)
      .filter((name) => !all.includes(name) && !known.includes(name))
      .map((name) =>
        say(name, 'a setting of a strategy, as strategySettings wants', nearest(name, all)),
      ),
    ...unknownNames({ names, ignored }, environment),
  ];
}

const OTHER_OPTIONS = [
  'strategies',
  'signInPolicies',
  'log',
  'metrics',
  'strategySettings',
  'environment',
];

/** Sentences name settings as they stand in the environment. An app knows them as options. */
const inOptionNames = (mistake: string): string =>
  mistake.replaceAll(/\b[A-Z]+(?:_[A-Z0-9]+)*\b/g, (name) =>
    name.includes('_') || isServerOption(optionName(name)) ? optionName(name) : name,
  );
