import type { User } from '#models/index';
import type { Settings } from '#src/platform/settings/settings';
import type { ServerApi } from '#src/server-api';
import type { ProvenAddress } from '#src/strategy-kit/proven-address';
import type { ProviderClaims, ProviderProfile } from '#src/strategy-kit/provider-profile';
import type { StateStore } from '#src/strategy-kit/state-store';
import type { StrategyCodes } from '#src/strategy-kit/strategy-codes';
import type { StrategyMails } from '#src/strategy-kit/strategy-mails';
import type { StrategyStore } from '#src/strategy-kit/strategy-store';
import type { Principal } from '#src/users/principal';

/**
 * What a strategy may give success(): a row loaded with its roles, a principal, or what
 * `resolveUser` or `resolveAddress` answered.
 */
export type StrategyUser = User | Principal | ProviderProfile | ProvenAddress | Express.User;

/** What the server gives to a strategy. `E`: the strategy's own settings. */
export interface StrategyContext<E = unknown> {
  /** The strategy's own settings, parsed. */
  env: E;
  /** Absolute URL to which the provider redirects the browser. For kind `redirect`. */
  callbackUrl: string;
  /**
   * A state store for packages of the passport-oauth2 family, with PKCE. Without one these packages
   * check no state, and the server does.
   */
  state: StateStore;
  /** Values with a lifetime that all nodes share, such as codes that were sent. */
  store: StrategyStore;
  /** Codes of six digits that it sends to people, and links in their place. */
  codes: StrategyCodes;
  /** Mails of its own. */
  mails: StrategyMails;
  /** True for one of REDIRECT_URIS. Ask before you store where an app wants its user back. */
  isRedirectUri: (uri: string) => boolean;
  /**
   * Says which user the provider named. The server finds, links or creates the user after the
   * strategy has succeeded. Give the answer to Passport as the user, and read nothing from it.
   */
  resolveUser: (claims: ProviderClaims) => Promise<Express.User>;
  /** The same function as `resolveUser`, under an older name. */
  userOf: (claims: ProviderClaims) => Promise<Express.User>;
  /**
   * Says that somebody has just proved that this e-mail address is theirs, such as with a code from a
   * mail. The server then finds the user who has it, or creates one. A user who had not confirmed the
   * address loses whatever opened the account before: a stranger may have made it. For kinds `login`
   * and `redirect`. Give the answer to Passport as the user, and read nothing from it.
   */
  resolveAddress: (address: string) => Promise<Express.User>;
  /** Finds users, compares passwords and checks credentials of this server. */
  auth: ServerApi;
  /** The settings of the server. */
  settings: Readonly<Settings>;
}
