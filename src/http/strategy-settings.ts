import type { ZodObject, ZodType } from 'zod';
import type { AuthStrategy } from '#src/http/strategy';

type Environment = Readonly<Record<string, string | undefined>>;

/** Names of the environment variables that a strategy reads. */
export const settingsOf = (strategy: AuthStrategy): string[] => Object.keys(strategy.env?.shape ?? {});

/** Those without which it stays off. */
export const neededBy = (strategy: AuthStrategy): string[] =>
  Object.entries(strategy.env?.shape ?? {}).flatMap(([name, schema]) => ((schema as ZodType).safeParse(undefined).success ? [] : [name]));

/** What stands in the environment for a strategy, parsed, or one sentence for each mistake. None of them repeats a value. */
export function readSettings({ env: schema }: AuthStrategy, env: Environment): { data: Record<string, unknown>; mistakes: string[] } {
  if (!schema) return { data: {}, mistakes: [] };
  const { data = {}, error } = schema.safeParse(
    Object.fromEntries(Object.keys(schema.shape).map((name) => [name, env[name] || undefined])),
  );
  const mistakes = error?.issues.map(({ path, message }) => {
    const name = path.join('.');
    const wrong = message.startsWith('must ') ? message : 'is not valid';
    return `${name} ${name && !env[name] ? 'is missing' : wrong}${meaningOf(schema, name)}`.trim();
  });
  return { data, mistakes: mistakes ?? [] };
}

/** What its author says of a setting: whoever set it wrongly reads what it is for. */
function meaningOf({ shape }: ZodObject, name: string): string {
  const text = Object.hasOwn(shape, name) ? (shape[name] as ZodType).description : undefined;
  return text ? ` (${text.replace(/\.$/, '')})` : '';
}
