import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Request, RequestHandler, Response } from 'express';
import passportModule, { type AuthenticateCallback } from 'passport';
import type { User } from '#models/index';
import { config, environment } from '#src/config';
import { clientIp } from '#src/core/client-ip';
import { mustConfirm } from '#src/core/confirmation';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import { SettingsError } from '#src/core/settings-error';
import { countAttempt } from '#src/http/attempts';
import { headersOf, refuseTwo } from '#src/http/bearer';
import { depart } from '#src/http/round-trip';
import { guard } from '#src/http/route';
import { stateStore } from '#src/http/state-store';
import type { AuthStrategy } from '#src/http/strategy';
import { readSettings, settingsOf } from '#src/http/strategy-settings';
import { lendPackages, messageOf, pathClashes, pathOf, readStrategies, type StrategyFile } from '#src/http/strategy-files';
import { Vouched, type Claims } from '#src/core/vouched';
import { digestChallenge, reasonOf } from '#src/http/reasons';
import { wrap } from '#src/http/wrap';

/** Providers are far away: so long a strategy of kind `redirect` may take, in milliseconds. */
const FAR = 10_000;

const passport = new passportModule.Passport();
const bearers: string[] = [];
/** Headers in which they look for their credentials. */
const carriers = new Set<string>();
const strategies = new Map<string, AuthStrategy>();
const asked = new Set<string>();
let userOf: UserOf;

/** The user whom a strategy vouches for, loaded with roles. */
type UserOf = (vouched: Vouched) => Promise<User>;

export interface Loaded {
  on: AuthStrategy[];
  /** Present, but none of their settings is. */
  off: AuthStrategy[];
  /** Of those that are on: who speaks for a provider, with `userOf`, so that users can link what they have there. */
  providers: Set<AuthStrategy>;
}
interface Options {
  userOf: UserOf;
  /** Paths that other routes have. */
  taken?: readonly string[];
  env?: typeof environment;
  folders?: Parameters<typeof readStrategies>[0];
}

/**
 * Reads strategies/ and STRATEGIES_DIR, and plugs each strategy into Passport whose settings are there.
 * Throws a SettingsError that names the file for one that is malformed, half configured or twice there.
 */
export async function loadStrategies({ taken = [], env = environment, folders = ourFolders(), ...options }: Options): Promise<Loaded> {
  userOf = options.userOf;
  const loaded: Loaded = { on: [], off: [], providers: new Set() };
  const { files, mistakes } = await readStrategies(folders);
  mistakes.push(...files.flatMap((file) => plug(file, loaded, env).map((problem) => `${file.file}${problem}`)));
  mistakes.push(
    ...pathClashes(
      files.filter(({ strategy }) => loaded.on.includes(strategy)),
      taken,
    ),
  );
  for (const name of asked)
    if (!loaded.on.some((strategy) => strategy.name === name))
      mistakes.push(`A route asks for the strategy "${name}", which is not in strategies/ or is off`);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return loaded;
}

function plug({ strategy }: StrategyFile, loaded: Loaded, env: typeof environment): string[] {
  const names = settingsOf(strategy);
  if (names.length > 0 && !names.some((name) => env[name])) {
    loaded.off.push(strategy);
    return [];
  }
  const settings = readSettings(strategy, env);
  if (settings.mistakes.length > 0) return settings.mistakes.map((mistake) => `: ${mistake}`);
  if (strategy.kind === 'redirect' && config.REDIRECT_URIS.length === 0)
    return [': REDIRECT_URIS is empty: it says where people may be sent when they come back from their provider'];
  try {
    const context = contextFor(strategy, settings.data, loaded);
    const created = strategy.create(context);
    if (typeof created?.authenticate !== 'function') return [': create() must return a Passport strategy'];
    passport.use(strategy.name, wrap(created, { name: strategy.name, ...(strategy.kind === 'redirect' && { depart, deadline: FAR }) }));
  } catch (error) {
    return [` cannot be used: ${messageOf(error)}`];
  }
  if (strategy.kind === 'bearer') {
    bearers.push(strategy.name);
    for (const header of headersOf(strategy.scheme!)) carriers.add(header);
  }
  if (strategy.kind === 'redirect') loaded.providers.add(strategy); // it may ask for userOf later
  strategies.set(strategy.name, strategy);
  loaded.on.push(strategy);
  return [];
}

function contextFor(strategy: AuthStrategy, env: Record<string, unknown>, { providers }: Loaded): Parameters<AuthStrategy['create']>[0] {
  return {
    env,
    callbackUrl: `${config.PUBLIC_URL}${pathOf(strategy)}/callback`,
    state: stateStore,
    /** Who asks for it speaks for a provider. */
    get userOf() {
      providers.add(strategy);
      // It stands for the user as far as Passport: `authenticate` puts the user in its place.
      return async (claims: Claims) => new Vouched(strategy.name, claims) as unknown as User;
    },
  };
}

function ourFolders(): Parameters<typeof readStrategies>[0] {
  const own = { name: 'strategies', url: new URL('../../strategies/', import.meta.url) };
  const more = config.STRATEGIES_DIR;
  if (!more) return [own];
  const url = pathToFileURL(`${resolve(more)}/`);
  lendPackages(url);
  return [own, { name: more, url }];
}

/** `passport.authenticate` in our words. With a name: that strategy, for signing in. Without: any bearer strategy, for being let in. */
export const authenticate = (name?: string) => {
  if (name) {
    asked.add(name);
    return guard<{ user: User }>({ problems: ['invalid_credentials', 'busy', 'unavailable'] }, async (req, res, next) => {
      const who = await vouch(name, req, res);
      req.user = who instanceof Vouched ? await userOf(who).catch((error: unknown) => refuseBy(name, req, error)) : who!;
      next();
    });
  }
  const doc = {
    problems: ['token_missing', 'token_expired', 'token_invalid', 'session_ended', 'user_disabled', 'unavailable'] as const,
    security: () => bearers.map((bearer) => ({ [bearer]: [] })),
  };
  return guard<{ user: User }>(doc, (req, res, next) => {
    refuseTwo(req, carriers);
    const enter = (user: User) => {
      // Nobody else has a session; what proves with every request who somebody is must not be a way around.
      if (!user.session && mustConfirm(user)) return next(new Problem('email_unverified'));
      req.user = user;
      next();
    };
    ask(bearers, req, res, (error, who, info) => {
      if (error || !who) next(error ?? firstReason(info));
      else if (who instanceof Vouched) userOf(who).then(enter, next);
      else enter(who);
    });
  });
};

/**
 * Asks one strategy whom it vouches for, without finding out which user that is. Null: it has told the response where to send
 * the browser. A failure counts against the account that was named. Throws 401 `invalid_credentials`, and whatever the strategy fails with.
 */
export async function vouch(name: string, req: Request, res: Response): Promise<Vouched | User | null> {
  const attempt = await countAttempt(req, strategies.get(name)!);
  try {
    const who = await new Promise<Vouched | User | null>((resolve, reject) => {
      const answer: AuthenticateCallback = (error, found, info) => {
        if (error) reject(error);
        else if (found) resolve(found);
        else reject(new Problem('invalid_credentials', { cause: reasonOf(info) }));
      };
      ask(name, req, res, answer, () => resolve(null));
    });
    if (attempt.locked) throw new Problem('invalid_credentials');
    await attempt.succeeded();
    return who;
  } catch (error) {
    await attempt.failed(error);
    return refuseBy(name, req, error);
  }
}

const ask = (names: string | string[], req: Request, res: Response, answer: AuthenticateCallback, departed = () => {}): void => {
  (passport.authenticate(names, { session: false }, answer) as RequestHandler)(req, res, departed);
};

/** Every refusal of somebody who wants to sign in looks the same. */
function refuseBy(strategy: string, req: Request, why: unknown): never {
  if (!(why instanceof Problem) || why.status !== 401) throw why;
  emit('session.refused', { strategy, ip: clientIp(req) });
  throw new Problem('invalid_credentials', { cause: why.cause });
}

/** Why nobody was let in. Of several strategies the first that knew its credential has the word. */
function firstReason(info: unknown): Problem {
  const whys = [info].flat();
  return whys.find((why): why is Problem => why instanceof Problem) ?? new Problem('token_missing', { headers: digestChallenge(whys) });
}
