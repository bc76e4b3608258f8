import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Request } from 'express';
import { headersOf } from '#src/platform/http/credential-headers';
import { start } from '#src/authentication/authorization-request';
import { isForSignIn } from '#src/authentication/authenticate-with';
import { RESERVED_PATHS } from '#src/authentication/reserved-paths';
import { strategyContext } from '#src/authentication/strategy-context';
import {
  describeFault,
  lendPackages,
  messageOf,
  pathClashes,
  readStrategies,
  type StrategyFile,
} from '#src/authentication/strategy-files';
import { readSettings, settingsOf, valueOf } from '#src/authentication/strategy-settings';
import { wrap, type Authenticated, type RunningStrategy } from '#src/authentication/wrap';
import type { Context } from '#src/context';
import { isVerificationRequired } from '#src/email/confirmation';
import { resolveUser } from '#src/federation/resolve-user';
import { Problem } from '#src/platform/http/problem';
import type { Settings } from '#src/platform/settings/settings';
import { SettingsError } from '#src/platform/settings/settings-error';
import type { ServerApi } from '#src/server-api';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { pathOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';
import { Principal, principalOf } from '#src/users/principal';

/** A strategy of kind `redirect` may take this long, in milliseconds: providers are far away. */
const REDIRECT_TIMEOUT_MS = 10_000;

export interface LoadOptions {
  auth: ServerApi;
  running: RunningStrategy;
  /** Strategies of the app that embeds the server. */
  own?: readonly AuthStrategy[];
  /** Paths of other routes. */
  taken?: readonly string[];
}

/**
 * Reads strategies/ and STRATEGIES_DIR, and plugs each strategy whose settings are there into the Passport of the
 * instance.
 * @throws {SettingsError} that names the file of each strategy that is malformed, half configured or there twice
 */
export async function loadStrategies(ctx: Context, options: LoadOptions): Promise<void> {
  const { own = [], taken = [] } = options;
  const { on, required } = ctx.strategies;
  const { files, mistakes } = await readStrategies(foldersOf(ctx));
  for (const strategy of own) {
    const name = (strategy as AuthStrategy | undefined)?.name ?? 'without a name';
    const fault = describeFault(strategy, name, files);
    if (fault) mistakes.push(`The strategy ${name} ${fault}`);
    else files.push({ file: `the option strategies (${strategy.name})`, strategy });
  }
  mistakes.push(
    ...files.flatMap((file) => plug(ctx, file, options).map((fault) => `${file.file}${fault}`)),
    ...pathClashes(
      files.filter(({ strategy }) => on.includes(strategy)),
      taken,
    ),
  );
  for (const name of required)
    if (!on.some((strategy) => strategy.name === name))
      mistakes.push(
        `A route asks for the strategy "${name}", which is not in strategies/ or is off`,
      );
  if (mistakes.length > 0) throw new SettingsError(mistakes);
}

function foldersOf({ settings, strategies }: Context) {
  const own = { name: 'strategies', url: new URL('../../strategies/', import.meta.url) };
  const { strategiesDir } = settings;
  if (!strategiesDir) return [own];
  const url = pathToFileURL(`${resolve(strategiesDir)}/`);
  strategies.onUnload(lendPackages(url));
  return [own, { name: strategiesDir, url }];
}

/** Answers what is wrong with the strategy, or nothing. */
function plug(ctx: Context, { strategy }: StrategyFile, { auth, running }: LoadOptions): string[] {
  const { settings, strategies: host } = ctx;
  const values = settings.strategyValues;
  const names = settingsOf(strategy);
  if (names.length > 0 && !names.some((name) => valueOf(values, name))) {
    host.off.push(strategy);
    return [];
  }
  const own = readSettings(strategy, values);
  if (own.mistakes.length > 0) return own.mistakes.map((mistake) => `: ${mistake}`);
  if (strategy.kind === 'redirect' && settings.redirectUris.length === 0)
    return [
      ': REDIRECT_URIS is empty: it says where people may be sent when they come back from their provider',
    ];
  try {
    const context = strategyContext(ctx, strategy, own.data, auth);
    const created = strategy.create(context);
    if (typeof created?.authenticate !== 'function')
      return [': create() must return a Passport strategy'];
    host.passport.use(strategy.name, wrap(created, { running, ...howToWrap(ctx, strategy) }));
    host.contexts.set(strategy.name, context);
  } catch (error) {
    return [` cannot be used: ${messageOf(error)}`];
  }
  if (strategy.kind === 'bearer') {
    host.bearers.push(strategy.name);
    for (const header of headersOf(strategy.scheme!)) {
      host.credentialHeaders.add(header);
      if (strategy.rawBody) host.rawBodyHeaders.add(header);
    }
  }
  if (strategy.kind === 'redirect') host.providers.add(strategy); // it may ask for resolveUser later
  host.on.push(strategy);
  return [];
}

function howToWrap(ctx: Context, strategy: AuthStrategy) {
  const { name, kind, rawBody, scheme } = strategy;
  if (kind === 'bearer') {
    const headers = headersOf(scheme!);
    const hasCredential = ({ headers: sent }: Request) =>
      headers.some((header) => sent[header] !== undefined);
    return {
      name,
      finish: (who: Authenticated) => bearerPrincipal(ctx, who),
      ...(rawBody && { isAddressed: hasCredential }), // only then was the body read
    };
  }
  const admit = (options: unknown) => {
    if (!isForSignIn(options))
      throw new Error(
        `The strategy ${name} signs people in: send them to ${ctx.settings.publicUrl}${pathOf(strategy)}. It cannot guard a route`,
      );
  };
  if (kind === 'login') return { name, admit };
  return {
    name,
    admit,
    timeoutMs: REDIRECT_TIMEOUT_MS,
    redirect: (...[req, url]: Parameters<ReturnType<typeof start>>) => start(ctx)(req, url),
  };
}

/** What a guard lets through: the principal. Only a session was asked for a confirmed address before, so others are asked here. */
function bearerPrincipal(ctx: Context, who: Authenticated): Principal | Promise<Principal> {
  if (who instanceof Principal) return confirmed(ctx, who);
  if (!(who instanceof ProviderProfile)) return confirmed(ctx, principalOf(who));
  return resolveUser(ctx, who).then((user) => confirmed(ctx, principalOf(user)));
}

function confirmed(ctx: Context, principal: Principal): Principal {
  const { email, emailVerified, session } = principal;
  if (!session && isVerificationRequired(ctx) && email !== null && !emailVerified)
    throw new Problem('email_unverified');
  return principal;
}

/** For the command line: which strategies there are, with their paths and settings. Nothing is plugged in. */
export async function knownStrategies(settings: Settings) {
  const own = { name: 'strategies', url: new URL('../../strategies/', import.meta.url) };
  const more = settings.strategiesDir
    ? [{ name: settings.strategiesDir, url: pathToFileURL(`${resolve(settings.strategiesDir)}/`) }]
    : [];
  const { files } = await readStrategies([own, ...more]);
  const strategies = files.map(({ strategy }) => strategy);
  const paths = [...RESERVED_PATHS, ...strategies.map(pathOf)];
  return { strategies, paths, settings: strategies.flatMap(settingsOf) };
}
