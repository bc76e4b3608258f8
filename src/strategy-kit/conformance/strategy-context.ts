import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import type { ServerApi } from '#src/server-api';
import type { Options } from '#src/strategy-kit/conformance/options';
import { memoryCodes, memoryStore } from '#src/strategy-kit/conformance/memory';
import { pathOf, providerOf } from '#src/strategy-kit/contract';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile, type ProviderClaims } from '#src/strategy-kit/provider-profile';
import { stateStore } from '#src/strategy-kit/state-store';
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
    return new ProviderProfile(providerOf(strategy), claims) as unknown as Express.User;
  };
  const resolveAddress = async (address: string) => {
    await lookUp();
    return new ProvenAddress(strategy.name, address) as unknown as Express.User;
  };
  const server = parseSettings(settingsFrom(env));
  return {
    env: settings?.data ?? {},
    callbackUrl: callbackUrl ?? `http://127.0.0.1${pathOf(strategy)}/callback`,
    state: stateStore,
    store: memoryStore(),
    codes: memoryCodes(),
    mails: { mayAsk: async () => true, queue: async () => {} },
    isRedirectUri: (uri) => server.redirectUris.includes(uri),
    resolveUser,
    userOf: resolveUser,
    resolveAddress,
    auth: auth ? withLookUp(apiOf(auth), lookUp) : missingAuth(),
    settings: server,
  };
}

/** The members that a strategy sees, also if `auth` is a whole server. */
const apiOf = (api: ServerApi): ServerApi => {
  const { users, sessions, roles, keys, apiKeys, identities, invitations, passkeys } = api;
  const { audit, loginThrottle, services, webhooks } = api;
  return {
    users,
    sessions,
    roles,
    keys,
    audit,
    apiKeys,
    identities,
    invitations,
    passkeys,
    webhooks,
    services,
    loginThrottle,
  };
};

/** Asks memory only: nobody is looked up, so it must say nothing. */
const NOTHING_KNOWN = new Set(['recall']);

/** The same functions, each of which calls `lookUp` first. */
function withLookUp<T extends object>(api: T, lookUp: () => Promise<void>): T {
  const members = Object.entries(api).map(([name, member]: [string, unknown]) => {
    if (NOTHING_KNOWN.has(name)) return [name, () => undefined];
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
