import { AsyncLocalStorage } from 'node:async_hooks';
import { onTestFinished } from 'vitest';
import { loadStrategies } from '#src/authentication/passport';
import { configurationFrom } from '#src/configuration';
import { createStrategyHost, type StrategyHost } from '#src/authentication/strategy-host';
import type { startApp } from '#test/support/app';

type App = Pick<Awaited<ReturnType<typeof startApp>>, 'auth' | 'ctx' | 'env'>;

/** Loads strategies as a server does that starts with these settings. `required`: names that a route asks for. */
export async function loadWith(
  { auth, ctx, env }: App,
  more: Record<string, string>,
  required: string[] = [],
): Promise<StrategyHost> {
  const strategies = createStrategyHost();
  for (const name of required) strategies.required.add(name);
  onTestFinished(() => strategies.unload());
  const configuration = await configurationFrom({ ...env, ...more });
  strategies.onUnload(configuration.strategies.release);
  const { files } = configuration.strategies;
  const { settings } = configuration;
  loadStrategies(
    { ...ctx, settings, strategies },
    { auth, running: new AsyncLocalStorage(), files },
  );
  return strategies;
}
