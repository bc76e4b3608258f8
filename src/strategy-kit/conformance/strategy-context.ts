import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import type { ServerApi } from '#src/server-api';
import type { Options } from '#src/strategy-kit/conformance/options';
import { pathOf } from '#src/strategy-kit/contract';
import { ProviderProfile, type ProviderClaims } from '#src/strategy-kit/provider-profile';
import { stateStore } from '#src/strategy-kit/state-store';
import type { StrategyStore } from '#src/strategy-kit/strategy-store';
import type { AuthStrategy, StrategyContext } from '#src/strategy-kit/strategy';

/** What the strategy is created with. `lookUp` is called before each look-up of a user. */
export function contextFor(
  strategy: AuthStrategy,
  { env = {}, auth, callbackUrl }: Options,
  lookUp: () => Promise<void>,
): StrategyContext<Record<string, unknown>> {
  const settings = strategy.env?.safeParse(env);
  if (settings?.error) {
    const name = settings.error.issues[0]!.path.join('.');
    throw new Error(`Give \`env\` the settings it asks for: ${name} is not valid.`);
  }
  const resolveUser = async (claims: ProviderClaims) => {
    await lookUp();
    return new ProviderProfile(strategy.name, claims) as unknown as Express.User;
  };
  return {
    env: settings?.data ?? {},
    callbackUrl: callbackUrl ?? `http://127.0.0.1${pathOf(strategy)}/callback`,
    state: stateStore,
    store: memoryStore(),
    resolveUser,
    userOf: resolveUser,
    auth: auth ? withLookUp(apiOf(auth), lookUp) : missingAuth(),
    settings: parseSettings(settingsFrom(env)),
  };
}

/** Most bytes of JSON that the server's store takes. */
const MAX_VALUE_BYTES = 48_000;

/** Like the server's store, but in memory: it holds JSON, and values expire. */
function memoryStore(): StrategyStore {
  const entries = new Map<string, { json: string; expiresAt: number }>();
  const read = async <T>(key: string): Promise<T | undefined> => {
    const entry = entries.get(key);
    const isLive = entry !== undefined && entry.expiresAt > performance.now();
    return isLive ? (JSON.parse(entry.json) as T) : undefined;
  };
  return {
    read,
    async put(key, value, ttlSeconds) {
      const json = JSON.stringify(value) as string | undefined;
      if (json === undefined || Buffer.byteLength(json) > MAX_VALUE_BYTES)
        throw new TypeError(`A value must be JSON of at most ${MAX_VALUE_BYTES} bytes`);
      entries.set(key, { json, expiresAt: performance.now() + ttlSeconds * 1000 });
    },
    async take<T>(key: string) {
      const value = read<T>(key);
      entries.delete(key);
      return value;
    },
  };
}

/** The members that a strategy sees, also if `auth` is a whole server. */
const apiOf = ({ users, sessions, roles, keys, apiKeys, loginThrottle }: ServerApi): ServerApi => ({
  users,
  sessions,
  roles,
  keys,
  apiKeys,
  loginThrottle,
});

/** The same functions, each of which calls `lookUp` first. */
function withLookUp<T extends object>(api: T, lookUp: () => Promise<void>): T {
  const members = Object.entries(api).map(([name, member]: [string, unknown]) => {
    if (typeof member === 'function')
      return [
        name,
        async (...args: unknown[]) => {
          await lookUp();
          return Reflect.apply(member, api, args) as unknown;
        },
      ];
    return [name, typeof member === 'object' && member ? withLookUp(member, lookUp) : member];
  });
  return Object.fromEntries(members) as T;
}

const missingAuth = (): ServerApi =>
  new Proxy({} as ServerApi, {
    get(_target, name) {
      throw new Error(
        `The strategy uses \`auth.${String(name)}\`: give \`auth\`, the one of a real server.`,
      );
    },
  });
