import { AsyncLocalStorage } from 'node:async_hooks';
import { onTestFinished } from 'vitest';
import { loadStrategies } from '#src/authentication/passport';
import { createStrategyHost, type StrategyHost } from '#src/authentication/strategy-host';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
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
  const settings = parseSettings(settingsFrom({ ...env, ...more }));
  onTestFinished(() => strategies.unload());
  await loadStrategies(
    { ...ctx, settings, strategies },
    { auth, running: new AsyncLocalStorage() },
  );
  return strategies;
}
