import { globSync } from 'node:fs';
import { Settings } from '#src/config';
import type { AuthStrategy } from '#src/http/strategy';

const HEAD = `# Every setting of Sallyport with its default. None is needed for \`npm start\`: copy this file to .env and
# uncomment what should differ. The environment of the process wins over .env. Made from src/config.ts by test/settings.test.ts.
`;

const written = (value: string | number | string[] = '') => (Array.isArray(value) ? value.join(',') : String(value));

const STRATEGIES = '# What the files in strategies/ read for themselves. Each is off until what it needs is set.\n';

/** The text of `.env.example`: name, meaning and default of each setting; what may be left out is commented out. */
export async function envExample(): Promise<string> {
  const own = Object.entries(Settings.shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(undefined);
    return `# ${schema.description}\n${success ? '#' : ''}${name}=${success ? written(data) : ''}\n`;
  });
  return [HEAD, ...own, STRATEGIES, ...(await ofStrategies())].join('\n');
}

async function ofStrategies(): Promise<string[]> {
  const files = globSync('[a-z]*.ts', { cwd: new URL('../../strategies/', import.meta.url) }).filter((name) => !name.endsWith('.test.ts'));
  const modules = files.sort().map((name) => import(`../../strategies/${name.slice(0, -3)}.ts`) as Promise<{ default: AuthStrategy }>);
  return (await Promise.all(modules)).flatMap(({ default: { name, summary, env } }) => {
    const lines = Object.entries(env?.shape ?? {}).map(([setting, schema]) => {
      const { data } = schema.safeParse(undefined);
      return `# ${schema.description}\n#${setting}=${written(data as string | undefined)}\n`;
    });
    return lines.length > 0 ? [`# ${name}: ${summary}\n`, ...lines] : [];
  });
}
