import { Settings } from '#src/config';

const HEAD = `# Every setting of Sallyport with its default. None is needed for \`npm start\`: copy this file to .env and
# uncomment what should differ. The environment of the process wins over .env. Made from src/config.ts by test/settings.test.ts.
`;

const written = (value: string | number | string[] = '') => (Array.isArray(value) ? value.join(',') : String(value));

/** The text of `.env.example`: name, meaning and default of each setting; what may be left out is commented out. */
export function envExample(): string {
  const entries = Object.entries(Settings.shape).map(([name, schema]) => {
    const { success, data } = schema.safeParse(undefined);
    return `# ${schema.description}\n${success ? '#' : ''}${name}=${success ? written(data) : ''}\n`;
  });
  return [HEAD, ...entries].join('\n');
}
