import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { knownStrategies } from '#src/authentication/passport';
import { print, sentence, type Answer } from '#src/cli/answer';
import { bearer } from '#src/cli/templates/bearer';
import { login } from '#src/cli/templates/login';
import { redirect } from '#src/cli/templates/redirect';
import { parseSettings, settingsFrom, type Environment } from '#src/platform/settings/read';
import { SettingsSchema } from '#src/platform/settings/schema';

const templates = { login, redirect, bearer };
type Kind = keyof typeof templates;

/** False in an installed package: what is written imports helpers that only a clone has. */
const isSource = import.meta.url.endsWith('.ts');
const FOLDER = 'strategies';
const NAME = /^(?=.{1,32}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export function addStrategyCommands(cli: Command, env: Environment): void {
  const kind = new Option('--kind <kind>', 'how people prove who they are');
  cli
    .command('strategy')
    .description('Write a strategy of your own')
    .command('new')
    .description('Write strategies/<name>.ts, which works as it is, and its test')
    .argument('<name>')
    .addOption(kind.choices(Object.keys(templates)).makeOptionMandatory())
    .action(async (...given: [name: string, options: { kind: Kind }, command: Command]) => {
      const [name, { kind }] = given;
      print(await writeStrategy(env, name, kind), given);
    });
}

/** Writes two new files. What is wrong with the name is said before anything is written. */
async function writeStrategy(env: Environment, name: string, kind: Kind): Promise<Answer> {
  if (!isSource)
    throw new Error(
      'This command writes files of a clone of the repository. In an app, make a strategy with `defineStrategy` of sallyport/strategy, and give it to `createSallyport`.',
    );
  if (!NAME.test(name))
    throw new Error(
      'A strategy is named with small letters, digits and -, up to 32 characters: my-company.',
    );
  if (!existsSync(FOLDER))
    throw new Error('There is no folder strategies here. Run this in the folder of the server.');
  const existing = readdirSync(FOLDER).find((file) => file.split('.')[0] === name);
  if (existing) throw new Error(`There is a ${FOLDER}/${existing} already.`);
  const { settings, ...texts } = templates[kind];
  const prefix = name.replaceAll('-', '_').toUpperCase();
  const own = settings.map((setting) => `${prefix}_${setting}`);
  await refuseTaken(env, name, own);

  const filled = (text: string) => text.replaceAll('{name}', name).replaceAll('{PREFIX}', prefix);
  const [file, test] = [`${FOLDER}/${name}.ts`, `${FOLDER}/${name}.test.ts`];
  writeFileSync(file, filled(texts.file), { flag: 'wx' });
  writeFileSync(test, filled(texts.test), { flag: 'wx' });

  const also =
    kind === 'redirect'
      ? ` and REDIRECT_URIS, and tell your provider to call back <PUBLIC_URL>/auth/${name}/callback`
      : '';
  const text = [
    `${file} and ${test} are there. It is off until it has its settings. Next:`,
    `1. npx vitest run ${test}`,
    `2. In .env, set ${own.join(', ')}${also}.`,
    `3. npm start; then GET /auth/strategies names ${name}.`,
    'Both files are yours to change. strategies/README.md is the contract, docs/testing-a-strategy.md is about the test.',
  ].join('\n');
  return sentence(text, { name, kind, file, test, settings: own });
}

/** Throws a sentence if the name, the path or a setting of a new strategy exists already. */
async function refuseTaken(env: Environment, name: string, own: readonly string[]): Promise<void> {
  const { strategies, paths, settings } = await knownStrategies(parseSettings(settingsFrom(env)));
  if (strategies.some((other) => other.name === name))
    throw new Error(`There is a strategy ${name} already.`);
  if (strategies.some(({ path }) => path === name) || paths.includes(`/auth/${name}`))
    throw new Error(`/auth/${name} is another route. Choose another name.`);
  const names = [...Object.keys(SettingsSchema.shape), ...settings];
  const taken = own.find((setting) => names.includes(setting));
  if (taken) throw new Error(`Its setting ${taken} would be another's. Choose another name.`);
}
