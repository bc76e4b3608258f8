import type { Request } from 'express';
import { headersOf } from '#src/platform/http/credential-headers';
import { requireEnrolled } from '#src/authentication/enrolment';
import { start } from '#src/authentication/authorization-request';
import { isForSignIn } from '#src/authentication/authenticate-with';
import { logRefusedBearer } from '#src/authentication/refused-bearer';
import { RESERVED_PATHS } from '#src/authentication/reserved-paths';
import { strategyContext } from '#src/authentication/strategy-context';
import {
  findStrategies,
  messageOf,
  pathClashes,
  type StrategyFile,
} from '#src/authentication/strategy-files';
import { readSettings, settingsOf } from '#src/authentication/strategy-settings';
import { wrap, type Authenticated, type RunningStrategy } from '#src/authentication/wrap';
import type { Context } from '#src/context';
import { isVerificationRequired } from '#src/email/confirmation';
import { resolveUser } from '#src/federation/resolve-user';
import { Problem } from '#src/platform/http/problem';
import { SettingsError } from '#src/platform/settings/settings-error';
import type { ServerApi } from '#src/server-api';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { pathOf } from '#src/strategy-kit/contract';
import type { StrategyHost } from '#src/authentication/strategy-host';
import type { AuthStrategy, StrategyContext } from '#src/strategy-kit/strategy';
import { Principal, principalOf } from '#src/users/principal';

/** A strategy of kind `redirect` may take this long, in milliseconds: providers are far away. */
const REDIRECT_TIMEOUT_MS = 10_000;

export interface LoadOptions {
  auth: ServerApi;
  running: RunningStrategy;
  /** Strategies whose settings are right. See `findStrategies`. */
  files: readonly StrategyFile[];
  /** Paths of other routes. */
  taken?: readonly string[];
}

/**
 * Plugs each strategy whose settings are there into the Passport of the instance.
 * @throws {SettingsError} that names the file of each strategy that cannot be made, or wants a path that is taken
 */
export function loadStrategies(ctx: Context, options: LoadOptions): void {
  const { files, taken = [] } = options;
  const { on, required } = ctx.strategies;
  const mistakes = [
    ...files.flatMap((file) => plug(ctx, file, options).map((fault) => `${file.file}${fault}`)),
    ...pathClashes(
      files.filter(({ strategy }) => on.includes(strategy)),
      taken,
    ),
  ];
  for (const name of required)
    if (!on.some((strategy) => strategy.name === name))
      mistakes.push(
        `A route asks for the strategy "${name}", which is not in strategies/ or is off`,
      );
  if (mistakes.length > 0) throw new SettingsError(mistakes);
}

/** What is wrong with the settings of a strategy. `redirectUris`: see REDIRECT_URIS. */
export function settingFaults(
  { file, strategy }: StrategyFile,
  values: Readonly<Record<string, unknown>>,
  redirectUris: readonly string[],
): string[] {
  const { data, mistakes } = readSettings(strategy, values);
  const isLost =
    data && mistakes.length === 0 && strategy.kind === 'redirect' && redirectUris.length === 0;
  const all = isLost
    ? [
        'REDIRECT_URIS is empty: it says where people may be sent when they come back from their provider',
      ]
    : mistakes;
  return all.map((mistake) => `${file}: ${mistake}`);
}

/** Answers what is wrong with the strategy, or nothing. */
function plug(ctx: Context, { strategy }: StrategyFile, { auth, running }: LoadOptions): string[] {
  const { settings, strategies: host } = ctx;
  const { data } = readSettings(strategy, settings.strategyValues);
  if (!data || strategy.isOn?.(settings) === false) {
    host.off.push(strategy);
    return [];
  }
  try {
    const context = strategyContext(ctx, strategy, data, auth);
    const created = strategy.create(context);
    if (typeof created?.authenticate !== 'function')
      return [': create() must return a Passport strategy'];
    if (strategy.kind === 'bearer') addBearer(host, strategy, context);
    host.passport.use(strategy.name, wrap(created, { running, ...howToWrap(ctx, strategy) }));
    host.contexts.set(strategy.name, context);
  } catch (error) {
    return [` cannot be used: ${messageOf(error)}`];
  }
  if (strategy.kind === 'redirect') host.providers.add(strategy); // it may ask for resolveUser later
  host.on.push(strategy);
  return [];
}

/** The strategy that takes access tokens of this server. */
const OWN_TOKENS = 'jwt';

/** Of two strategies that read the same header, one that calls it a credential is enough. */
function addBearer(
  host: StrategyHost,
  strategy: AuthStrategy,
  context: StrategyContext<never>,
): void {
  const { name, scheme: given, rawBody } = strategy;
  const scheme = typeof given === 'function' ? given(context.env) : given!;
  // Access tokens of this server are not shown to other strategies first: one may send them to a third party, or fail.
  if (name === OWN_TOKENS) host.bearers.unshift(name);
  else host.bearers.push(name);
  host.schemes.set(name, scheme);
  for (const header of headersOf(scheme)) {
    const other = host.credentialHeaders.get(header);
    host.credentialHeaders.set(
      header,
      (req) => (strategy.isCredential?.(req, context) ?? true) || (other?.(req) ?? false),
    );
    if (rawBody) host.rawBodyHeaders.add(header);
  }
}

function howToWrap(ctx: Context, strategy: AuthStrategy) {
  const { name, kind, rawBody } = strategy;
  if (kind === 'bearer') {
    const headers = headersOf(ctx.strategies.schemes.get(name)!);
    const hasCredential = ({ headers: sent }: Request) =>
      headers.some((header) => sent[header] !== undefined);
    return {
      name,
      finish: (who: Authenticated, options: unknown) => bearerPrincipal(ctx, who, options),
      refused: (req: Request, why: unknown) => {
        if (hasCredential(req)) logRefusedBearer(ctx, name, req, why);
      },
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

/** What a guard lets through: the principal, if the policies for every request let them in. */
function bearerPrincipal(
  ctx: Context,
  who: Authenticated,
  options: unknown,
): Principal | Promise<Principal> {
  if (who instanceof Principal) return admitted(ctx, who, options);
  if (who instanceof ProvenAddress)
    throw new Error(`The strategy ${who.strategy} is of kind bearer, and called resolveAddress`);
  if (!(who instanceof ProviderProfile)) return admitted(ctx, principalOf(who), options);
  return resolveUser(ctx, who).then((user) => admitted(ctx, principalOf(user), options));
}

/**
 * Only a session was asked for a confirmed address and for a second factor before, so others are asked here. An API key
 * stands for itself.
 */
function admitted(ctx: Context, principal: Principal, options: unknown): Principal {
  requireEnrolled(ctx, principal, options);
  const { email, emailVerified, factors, scopes, session } = principal;
  ctx.strategies.letIn.add(principal);
  if (session) return principal;
  if (isVerificationRequired(ctx) && email !== null && !emailVerified)
    throw new Problem('email_unverified');
  if (factors > 0 && !scopes) throw new Problem('mfa_required');
  return principal;
}

/** For the command line: which strategies there are, with their paths and settings. Nothing is plugged in. */
export async function knownStrategies({ strategiesDir }: { strategiesDir?: string | undefined }) {
  const { files, release } = await findStrategies(strategiesDir);
  release();
  const strategies = files.map(({ strategy }) => strategy);
  const paths = [...RESERVED_PATHS, ...strategies.map(pathOf)];
  return { strategies, paths, settings: strategies.flatMap(settingsOf) };
}
