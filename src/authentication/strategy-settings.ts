import type { ZodObject, ZodType } from 'zod';
import { optionName } from '#src/platform/settings/settings';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

type Values = Readonly<Record<string, unknown>>;

/** The value of a setting, by its name in the environment or in camelCase. An empty one counts as none. */
export const valueOf = (values: Values, name: string): unknown =>
  (values[name] ?? values[optionName(name)]) || undefined;

/** Names of the settings that a strategy reads. */
export const settingsOf = (strategy: AuthStrategy): string[] =>
  Object.keys(strategy.env?.shape ?? {});

/** Names of those without which it stays off. */
export const neededBy = (strategy: AuthStrategy): string[] =>
  Object.entries(strategy.env?.shape ?? {}).flatMap(([name, schema]) =>
    (schema as ZodType).safeParse(undefined).success ? [] : [name],
  );

/** The settings of a strategy, parsed, or one sentence for each mistake. No sentence repeats a value. */
export function readSettings(
  { env: schema }: AuthStrategy,
  values: Values,
): { data: Record<string, unknown>; mistakes: string[] } {
  if (!schema) return { data: {}, mistakes: [] };
  const { data = {}, error } = schema.safeParse(
    Object.fromEntries(Object.keys(schema.shape).map((name) => [name, valueOf(values, name)])),
  );
  const mistakes = error?.issues.map(({ path, message }) => {
    const name = path.join('.');
    const wrong = message.startsWith('must ') ? message : 'is not valid';
    return `${name} ${name && !valueOf(values, name) ? 'is missing' : wrong}${meaningOf(schema, name)}`.trim();
  });
  return { data, mistakes: mistakes ?? [] };
}

/** What the author of the strategy says of a setting. */
function meaningOf({ shape }: ZodObject, name: string): string {
  const text = Object.hasOwn(shape, name) ? (shape[name] as ZodType).description : undefined;
  return text ? ` (${text.replace(/\.$/, '')})` : '';
}
