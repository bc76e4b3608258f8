import { globSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SettingsSchema } from '#src/platform/settings/schema';
import type { AuthStrategy } from '#src/strategy-kit/strategy';
import { root } from '#test/support/process';

const HEAD = `# Every setting of Sallyport with its default. \`npm start\` needs none of them: copy this file to .env and
# uncomment what should differ. The environment of the process wins over .env. The file is made from
# src/platform/settings/schema.ts and strategies/ by test/platform/settings.test.ts: npx vitest run -u settings.test
`;

const written = (value: string | number | string[] = '') =>
  Array.isArray(value) ? value.join(',') : String(value);

const STRATEGIES =
  '# Settings of the strategies in strategies/. Each strategy is off until what it needs is set.\n';

/**
 * The text of `.env.example`: name, meaning and default of each setting. Those that may be left out
 * are commented out.
 */
export async function envExample(): Promise<string> {
  const own = Object.entries(SettingsSchema.shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(undefined);
    // What is read from text is shown as that text.
    const shown = schema instanceof z.ZodPrefault ? schema.def.defaultValue : data;
    return `# ${schema.description}\n${success ? '#' : ''}${name}=${success ? written(shown as string) : ''}\n`;
  });
  return [HEAD, ...own, STRATEGIES, ...(await ofStrategies())].join('\n');
}

async function ofStrategies(): Promise<string[]> {
  const files = globSync('[a-z]*.ts', { cwd: join(root, 'strategies') })
    .filter((name) => !name.endsWith('.test.ts'))
    .map((name) => name.slice(0, -'.ts'.length))
    .sort();
  const modules = files.map(
    (name) => import(join(root, 'strategies', `${name}.ts`)) as Promise<{ default: AuthStrategy }>,
  );
  const told = new Set<string>(); // a setting that two strategies share stands at the first
  return (await Promise.all(modules)).flatMap(({ default: { name, summary, env } }) => {
    const own = Object.entries(env?.shape ?? {}).filter(([setting]) => !told.has(setting));
    const lines = own.map(([setting, schema]) => {
      told.add(setting);
      const { data } = schema.safeParse(undefined);
      return `# ${schema.description}\n#${setting}=${written(data as string | undefined)}\n`;
    });
    return lines.length > 0 ? [`# ${name}: ${summary}\n`, ...lines] : [];
  });
}
