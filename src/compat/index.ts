import type { CompatibilityAdapter } from '#src/compat/adapter';
import { bezkoder } from '#src/compat/bezkoder';
import { bezkoderCookies } from '#src/compat/bezkoder-cookies';
import { devckano } from '#src/compat/devckano';
import { grokonez } from '#src/compat/grokonez';
import { grokonezReact } from '#src/compat/grokonez-react';
import { zohaib } from '#src/compat/zohaib';
import type { Context } from '#src/context';
import { SettingsError } from '#src/platform/settings/settings-error';

/** Every adapter. Only those that are on are made, so one that is off requires no strategy. */
const adapters: Readonly<Record<string, (ctx: Context) => CompatibilityAdapter>> = {
  bezkoder,
  'bezkoder-cookies': bezkoderCookies,
  grokonez,
  'grokonez-react': grokonezReact,
  zohaib,
  devckano,
};
export const adapterNames: readonly string[] = Object.keys(adapters);

/** A sentence for each name in DIALECTS that is no adapter. */
export const unknownAdapters = (names: readonly string[]): string[] =>
  names
    .filter((name) => !Object.hasOwn(adapters, name))
    .map(
      (name) =>
        `DIALECTS names ${JSON.stringify(name.slice(0, 40))}, which is none of ` +
        `${adapterNames.join(', ')}; or none of them: DIALECTS=none`,
    );

/**
 * The adapters of these names.
 * @throws {SettingsError} for an unknown name, and for two adapters that have a route in common
 */
export function adaptersOf(ctx: Context, names: readonly string[]): CompatibilityAdapter[] {
  const known = [...new Set(names)].filter((name) => Object.hasOwn(adapters, name));
  const chosen = known.map((name) => adapters[name]!(ctx));
  const mistakes = [
    ...unknownAdapters(names),
    ...clashesIn(chosen)
      .slice(0, 1)
      .map((clash) => `DIALECTS cannot have all of these at once: ${clash}`),
  ];
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return chosen;
}

function clashesIn(chosen: readonly CompatibilityAdapter[]): string[] {
  const endpoints = chosen.flatMap(({ name, routes }) =>
    routes.map(({ method, path }) => ({ name, endpoint: `${method.toUpperCase()} ${path}` })),
  );
  return [...Map.groupBy(endpoints, ({ endpoint }) => endpoint)]
    .filter(([, owners]) => owners.length > 1)
    .map(
      ([endpoint, owners]) =>
        `${owners.map(({ name }) => name).join(' and ')} both want ${endpoint}`,
    );
}
