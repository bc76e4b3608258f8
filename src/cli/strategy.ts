import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { createApp } from '#src/app';
import { say } from '#src/cli/command';
import { bearer } from '#src/cli/templates/bearer';
import { login } from '#src/cli/templates/login';
import { redirect } from '#src/cli/templates/redirect';
import { Settings } from '#src/config';
import { settingsOf } from '#src/http/strategy-settings';

const templates = { login, redirect, bearer };
type Kind = keyof typeof templates;

const FOLDER = 'strategies';
const NAME = /^(?=.{1,32}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export function addStrategyCommands(cli: Command): void {
  cli
    .command('strategy')
    .description('Write a strategy of your own')
    .command('new')
    .description('Write strategies/<name>.ts, which works as it is, and its test')
    .argument('<name>')
    .addOption(new Option('--kind <kind>', 'how people prove who they are').choices(Object.keys(templates)).makeOptionMandatory())
    .action(writeStrategy);
}

/** Writes two files that were not there. Whatever is wrong with the name is said before. */
async function writeStrategy(name: string, { kind }: { kind: Kind }): Promise<void> {
  if (!NAME.test(name)) throw new Error('A strategy is named with small letters, digits and -, up to 32 characters: my-company.');
  if (!existsSync(FOLDER)) throw new Error('There is no folder strategies here. Run this in the folder of the server.');
  const there = readdirSync(FOLDER).find((file) => file.split('.')[0] === name);
  if (there) throw new Error(`There is a ${FOLDER}/${there} already.`);
  const { settings, ...texts } = templates[kind];
  const prefix = name.replaceAll('-', '_').toUpperCase();
  const own = settings.map((setting) => `${prefix}_${setting}`);
  await refuseWhatIsTaken(name, own);

  const filled = (text: string) => text.replaceAll('{name}', name).replaceAll('{PREFIX}', prefix);
  const [file, test] = [`${FOLDER}/${name}.ts`, `${FOLDER}/${name}.test.ts`];
  writeFileSync(file, filled(texts.file), { flag: 'wx' });
  writeFileSync(test, filled(texts.test), { flag: 'wx' });

  const also = kind === 'redirect' ? ` and REDIRECT_URIS, and tell your provider to call back <PUBLIC_URL>/auth/${name}/callback` : '';
  say(`${file} and ${test} are there. It is off until it has its settings. Next:`);
  say(`1. npx vitest run ${test}`);
  say(`2. In .env, set ${own.join(', ')}${also}.`);
  say(`3. npm start; then GET /auth/strategies names ${name}.`);
  say('Both files are yours to change. strategies/README.md is the contract, docs/testing-a-strategy.md is about the test.');
}

async function refuseWhatIsTaken(name: string, own: readonly string[]): Promise<void> {
  const { routes, strategies } = await createApp();
  const others = [...strategies.on, ...strategies.off];
  if (others.some((other) => other.name === name)) throw new Error(`There is a strategy ${name} already.`);
  if (others.some(({ path }) => path === name) || routes.some(({ path }) => path === `/auth/${name}`))
    throw new Error(`/auth/${name} is another route. Choose another name.`);
  const names = [...Object.keys(Settings.shape), ...others.flatMap(settingsOf)];
  const twice = own.find((setting) => names.includes(setting));
  if (twice) throw new Error(`Its setting ${twice} would be another's. Choose another name.`);
}
