import bezkoder from '#src/dialects/bezkoder';
import bezkoderCookies from '#src/dialects/bezkoder-cookies';
import devckano from '#src/dialects/devckano';
import grokonez from '#src/dialects/grokonez';
import zohaib from '#src/dialects/zohaib';
import { SettingsError } from '#src/core/settings-error';
import type { Tutorial } from '#src/dialects/words';

/** Every dialect there is. A dialect that is off asks for no strategy. */
const all: Record<string, () => Tutorial> = { bezkoder, 'bezkoder-cookies': bezkoderCookies, grokonez, zohaib, devckano };
export const dialectNames: readonly string[] = Object.keys(all);

/** The dialects of these names. Throws a SettingsError for a name that is none, and for two that want the same path. */
export function dialectsOf(names: readonly string[]): Tutorial[] {
  const unknown = names.filter((name) => !Object.hasOwn(all, name));
  const chosen = [...new Set(names)].flatMap((name) => (Object.hasOwn(all, name) ? [all[name]!()] : []));
  const wanted = Map.groupBy(
    chosen.flatMap(({ name, routes }) => routes.map(({ method, path }) => ({ name, endpoint: `${method.toUpperCase()} ${path}` }))),
    ({ endpoint }) => endpoint,
  );
  const clashes = [...wanted]
    .filter(([, who]) => who.length > 1)
    .map(([endpoint, who]) => `${who.map(({ name }) => name).join(' and ')} both want ${endpoint}`);
  const mistakes = [
    ...unknown.map(
      (name) =>
        `DIALECTS names ${JSON.stringify(name.slice(0, 40))}, which is none of ${dialectNames.join(', ')}; or none of them: DIALECTS=none`,
    ),
    ...clashes.slice(0, 1).map((clash) => `DIALECTS cannot have all of these at once: ${clash}`),
  ];
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return chosen;
}
