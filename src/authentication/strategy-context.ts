import { isRedirectUri } from '#src/authentication/redirect-uri';
import { strategyMails } from '#src/authentication/strategy-mails';
import type { Context } from '#src/context';
import { pathOf, providerOf } from '#src/strategy-kit/contract';
import { strategyCodes } from '#src/one-time-tokens/strategy-codes';
import { strategyStore } from '#src/one-time-tokens/strategy-store';
import { Problem } from '#src/platform/http/problem';
import type { ServerApi } from '#src/server-api';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile, type ProviderClaims } from '#src/strategy-kit/provider-profile';
import { stateStore } from '#src/strategy-kit/state-store';
import type { AuthStrategy, StrategyContext } from '#src/strategy-kit/strategy';

/** The code of the answer when the credential names nobody. After a redirect there is none: the app hears `server_error`. */
const NOBODY = {
  bearer: 'token_invalid',
  login: 'invalid_credentials',
  redirect: undefined,
} as const;

/** A text that names nobody, such as `undefined`, is what the client sent. No text at all is a mistake of the strategy. */
function profileOf(strategy: AuthStrategy, claims: ProviderClaims): ProviderProfile {
  try {
    return new ProviderProfile(providerOf(strategy), claims);
  } catch (cause) {
    const code = typeof claims.subject === 'string' ? NOBODY[strategy.kind] : undefined;
    throw code ? new Problem(code, { cause }) : cause;
  }
}

/** What a strategy of this instance is made from. */
export function strategyContext(
  ctx: Context,
  strategy: AuthStrategy,
  env: Record<string, unknown>,
  auth: ServerApi,
): StrategyContext<never> {
  const { settings, strategies } = ctx;
  // It stands for the user until Passport has answered. The sign-in pipeline then finds, links or creates the user.
  const resolveUser = async (claims: ProviderClaims) =>
    profileOf(strategy, claims) as unknown as Express.User;
  const resolveAddress = async (address: string) =>
    new ProvenAddress(strategy.name, address) as unknown as Express.User;
  /** A strategy that takes it answers provider profiles. */
  const markAsProvider = () => {
    strategies.providers.add(strategy);
    return resolveUser;
  };
  return {
    env: env as never,
    callbackUrl: `${settings.publicUrl}${pathOf(strategy)}/callback`,
    state: stateStore,
    store: strategyStore(ctx, strategy.name),
    codes: strategyCodes(ctx, strategy.name),
    mails: strategyMails(ctx),
    isRedirectUri: (uri) => isRedirectUri(settings, uri),
    settings,
    auth,
    get resolveUser() {
      return markAsProvider();
    },
    get userOf() {
      return markAsProvider();
    },
    get resolveAddress() {
      strategies.byAddress.add(strategy);
      return resolveAddress;
    },
  };
}
