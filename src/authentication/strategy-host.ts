import passport from 'passport';
import { createRecentCredentials, type RecentCredentials } from '#src/sessions/recent-credentials';
import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi';
import type { CredentialHeaders, ReadToken } from '#src/platform/http/credential-headers';
import type { AuthStrategy, StrategyContext } from '#src/strategy-kit/strategy';
import type { Principal } from '#src/users/principal';

/** The Passport of one instance, and the strategies that are plugged into it. */
export interface StrategyHost {
  readonly passport: InstanceType<typeof passport.Passport>;
  /** Plugged in, in the order of their names. */
  readonly on: AuthStrategy[];
  /** Present, but none of their settings is. */
  readonly off: AuthStrategy[];
  /** Those that answer provider profiles: users can link what they have there. */
  readonly providers: Set<AuthStrategy>;
  /** Those that answer addresses that were proved: users are found or created by these. */
  readonly byAddress: Set<AuthStrategy>;
  /** What each strategy was made from, by its name. */
  readonly contexts: Map<string, StrategyContext<never>>;
  /** Names of the strategies that authenticate every request. */
  readonly bearers: string[];
  /** Their OpenAPI security schemes, by name. */
  readonly schemes: Map<string, ZodOpenApiSecuritySchemeObject>;
  /** Headers in which they look for their credentials. */
  readonly credentialHeaders: CredentialHeaders;
  /** Headers that name a strategy which checks the raw body. */
  readonly rawBodyHeaders: Set<string>;
  /** Places besides a Bearer header where compatibility adapters look for access tokens. */
  readonly tokenPlaces: Set<ReadToken>;
  /** Whom requests with a credential without a session signed in a moment ago. See `signed-in`. */
  readonly recent: RecentCredentials;
  /** Principals that a guard of this instance has let in. Those of another instance in this process are none here. */
  readonly letIn: WeakSet<Principal>;
  /** Strategies that a route asks for by name. */
  readonly required: Set<string>;
  /** Removes what loading left in the process. */
  unload(): void;
  onUnload(work: () => void): void;
}

export function createStrategyHost(): StrategyHost {
  const leftovers: (() => void)[] = [];
  return {
    passport: new passport.Passport(),
    on: [],
    off: [],
    providers: new Set(),
    byAddress: new Set(),
    contexts: new Map(),
    bearers: [],
    schemes: new Map(),
    credentialHeaders: new Map(),
    rawBodyHeaders: new Set(),
    tokenPlaces: new Set(),
    recent: createRecentCredentials(),
    letIn: new WeakSet(),
    required: new Set(),
    unload: () => {
      for (const work of leftovers.splice(0)) work();
    },
    onUnload: (work) => leftovers.push(work),
  };
}
