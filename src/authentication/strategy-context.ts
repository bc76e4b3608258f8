import type { Context } from '#src/context';
import { pathOf } from '#src/strategy-kit/contract';
import { strategyStore } from '#src/one-time-tokens/strategy-store';
import type { ServerApi } from '#src/server-api';
import { ProviderProfile, type ProviderClaims } from '#src/strategy-kit/provider-profile';
import { stateStore } from '#src/strategy-kit/state-store';
import type { AuthStrategy, StrategyContext } from '#src/strategy-kit/strategy';

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
    new ProviderProfile(strategy.name, claims) as unknown as Express.User;
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
    settings,
    auth,
    get resolveUser() {
      return markAsProvider();
    },
    get userOf() {
      return markAsProvider();
    },
  };
}
