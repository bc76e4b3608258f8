import type { ZodObject, ZodType } from 'zod';
import { fileSetting, readValue } from '#src/platform/settings/files';
import { optionName } from '#src/platform/settings/settings';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

type Values = Readonly<Record<string, unknown>>;

/** The value of a setting, by its name in the environment or in camelCase. An empty one counts as none. */
const valueOf = (values: Values, name: string): unknown =>
  (values[name] ?? values[optionName(name)]) || undefined;

/** Names of the settings that a strategy reads. */
export const settingsOf = (strategy: AuthStrategy): string[] =>
  Object.keys(strategy.env?.shape ?? {});

/** Names of those without which it stays off. */
export const neededBy = (strategy: AuthStrategy): string[] =>
  Object.entries(strategy.env?.shape ?? {}).flatMap(([name, schema]) =>
    (schema as ZodType).safeParse(undefined).success ? [] : [name],
  );

/** False for a strategy that has settings of its own of which none is set. */
export function isSwitchedOn(strategy: AuthStrategy, values: Values): boolean {
  const { sharedSettings = [] } = strategy;
  const names = settingsOf(strategy).filter((name) => !sharedSettings.includes(name));
  const given = names.flatMap((name) => [name, fileSetting(name)]);
  return names.length === 0 || given.some((name) => valueOf(values, name));
}

/**
 * The settings of a strategy, parsed, or one sentence for each mistake. No sentence repeats a value. Without `data` the
 * strategy is off: it has settings, and none is set.
 */
export function readSettings(strategy: AuthStrategy, values: Values): StrategySettings {
  const { env: schema } = strategy;
  if (!schema) return { data: {}, mistakes: [] };
  const names = settingsOf(strategy);
  if (!isSwitchedOn(strategy, values)) return { mistakes: [] };
  const read = names.map((name) => ({ name, ...readValue((each) => valueOf(values, each), name) }));
  const found = Object.fromEntries(read.map(({ name, value }) => [name, value]));
  const unreadable = read.filter(({ mistake }) => mistake !== undefined);
  const { data = {}, error } = schema.safeParse(found);
  const issues = (error?.issues ?? []).filter(({ path }) =>
    unreadable.every(({ name }) => name !== path[0]),
  );
  const wrong = issues.map(({ path, message }) => {
    const name = path.join('.');
    const what = message.startsWith('must ') ? message : 'is not valid';
    return `${name} ${name && !found[name] ? 'is missing' : what}${meaningOf(schema, name)}`.trim();
  });
  return { data, mistakes: [...unreadable.map(({ mistake }) => mistake!), ...wrong] };
}

export interface StrategySettings {
  data?: Record<string, unknown>;
  mistakes: string[];
}

/** What the author of the strategy says of a setting. */
function meaningOf({ shape }: ZodObject, name: string): string {
  const text = Object.hasOwn(shape, name) ? (shape[name] as ZodType).description : undefined;
  return text ? ` (${text.replace(/\.$/, '')})` : '';
}
