import passport from 'passport';
import type { AuthStrategy, StrategyContext } from '#src/strategy-kit/strategy';

/** The Passport of one instance, and the strategies that are plugged into it. */
export interface StrategyHost {
  readonly passport: InstanceType<typeof passport.Passport>;
  /** Plugged in, in the order of their names. */
  readonly on: AuthStrategy[];
  /** Present, but none of their settings is. */
  readonly off: AuthStrategy[];
  /** Those that answer provider profiles: users can link what they have there. */
  readonly providers: Set<AuthStrategy>;
  /** What each strategy was made from, by its name. */
  readonly contexts: Map<string, StrategyContext<never>>;
  /** Names of the strategies that authenticate every request. */
  readonly bearers: string[];
  /** Headers in which these look for their credentials. */
  readonly credentialHeaders: Set<string>;
  /** Headers that name a strategy which checks the raw body. */
  readonly rawBodyHeaders: Set<string>;
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
    contexts: new Map(),
    bearers: [],
    credentialHeaders: new Set(),
    rawBodyHeaders: new Set(),
    required: new Set(),
    unload: () => {
      for (const work of leftovers.splice(0)) work();
    },
    onUnload: (work) => leftovers.push(work),
  };
}
