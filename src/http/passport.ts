import { readdir } from 'node:fs/promises';
import type { RequestHandler } from 'express';
import passportModule, { type AuthenticateCallback } from 'passport';
import type { User } from '#models/index';
import { environment } from '#src/config';
import { clientIp } from '#src/core/client-ip';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import { SettingsError } from '#src/core/settings-error';
import { guard } from '#src/http/route';
import type { AuthStrategy } from '#src/http/strategy';
import { wrap } from '#src/http/wrap';

type LoadedUser = User;
declare global {
  namespace Express {
    // eslint-disable-next-line typescript/no-empty-object-type -- this is how Passport is told what a user is
    interface User extends LoadedUser {}
  }
}

const folder = new URL('../../strategies/', import.meta.url);
const passport = new passportModule.Passport();
const bearers: string[] = [];
const asked = new Set<string>();

export interface Loaded {
  on: AuthStrategy[];
  /** Present in strategies/, but none of their settings is. */
  off: AuthStrategy[];
}

/**
 * Reads strategies/ and plugs each one into Passport whose settings are there.
 * Throws a SettingsError that names the file for one that is malformed, half configured or twice there.
 */
export async function loadStrategies(env = environment, from = folder): Promise<Loaded> {
  const loaded: Loaded = { on: [], off: [] };
  const mistakes: string[] = [];
  for (const file of (await readdir(from)).filter((name) => /^[a-z][\w-]*\.[jt]s$/.test(name)).sort()) {
    try {
      const { default: strategy } = (await import(new URL(file, from).href)) as { default?: AuthStrategy };
      const mistake = fault(strategy, file.slice(0, -3), loaded);
      if (!strategy || mistake) mistakes.push(`strategies/${file} ${mistake}`);
      else mistakes.push(...plug(strategy, loaded, env).map((problem) => `strategies/${file}: ${problem}`));
    } catch (error) {
      mistakes.push(`strategies/${file} cannot be used: ${error instanceof Error ? error.message : 'it threw something that is no Error'}`);
    }
  }
  for (const name of asked)
    if (!loaded.on.some((strategy) => strategy.name === name))
      mistakes.push(`A route asks for the strategy "${name}", which is not in strategies/ or is off`);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return loaded;
}

function fault(strategy: AuthStrategy | undefined, name: string, { on, off }: Loaded): string | undefined {
  if (strategy?.name !== name) return `must default-export a strategy named "${name}"`;
  if (typeof strategy.create !== 'function') return 'has no create()';
  if (strategy.kind !== 'login' && strategy.kind !== 'bearer') return 'has a kind that is not known: login or bearer';
  if (strategy.kind === 'login' && !strategy.credentials) return 'is of kind login and must describe its credentials';
  if (strategy.kind === 'bearer' && !strategy.scheme) return 'is of kind bearer and must describe its scheme';
  if ([...on, ...off].some((other) => other.name === name)) return `is there twice: as ${name}.ts and as ${name}.js`;
  const twin = on.find(
    (other) => other.kind === 'login' && strategy.kind === 'login' && (other.path ?? other.name) === (strategy.path ?? name),
  );
  return twin && `wants the path of strategies/${twin.name}`;
}

function plug(strategy: AuthStrategy, loaded: Loaded, env: typeof environment): string[] {
  const names = Object.keys(strategy.env?.shape ?? {});
  if (names.length > 0 && !names.some((name) => env[name])) {
    loaded.off.push(strategy);
    return [];
  }
  const settings = strategy.env?.safeParse(Object.fromEntries(names.map((name) => [name, env[name] || undefined])));
  if (settings?.error) return settings.error.issues.map((issue) => `${issue.path.join('.')} is missing or not valid`);
  const created = strategy.create({ env: settings?.data ?? {} });
  if (typeof created?.authenticate !== 'function') return ['create() must return a Passport strategy'];
  passport.use(strategy.name, wrap(created));
  if (strategy.kind === 'bearer') bearers.push(strategy.name);
  loaded.on.push(strategy);
  return [];
}

/** Names of the environment variables that strategies read. */
export const settingsOf = ({ on, off }: Loaded): string[] => [...on, ...off].flatMap((strategy) => Object.keys(strategy.env?.shape ?? {}));

/** `passport.authenticate` in our words. With a name: that strategy, for signing in. Without: any bearer strategy, for being let in. */
export const authenticate = (name?: string) => {
  if (name) asked.add(name);
  const doc = name
    ? { problems: ['invalid_credentials', 'busy', 'unavailable'] as const }
    : {
        problems: ['token_missing', 'token_expired', 'token_invalid', 'session_ended', 'user_disabled', 'unavailable'] as const,
        security: () => bearers.map((bearer) => ({ [bearer]: [] })),
      };
  return guard<{ user: User }>(doc, (req, res, next) => {
    const answer: AuthenticateCallback = (error, user, info) => {
      if (error || !user) return next(error ?? refusal(req, name, info));
      req.user = user;
      next();
    };
    (passport.authenticate(name ?? bearers, { session: false }, answer) as RequestHandler)(req, res, next);
  });
};

/** Why nobody was let in. Of several strategies the first that knew its credential has the word. */
function refusal(req: { ip?: string | undefined }, name: string | undefined, info: unknown): Problem {
  if (name) {
    emit('session.refused', { strategy: name, ip: clientIp(req) });
    return new Problem('invalid_credentials');
  }
  return [info].flat().find((why): why is Problem => why instanceof Problem) ?? new Problem('token_missing');
}
