import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { program } from '#src/cli/commands';
import { root } from '#test/support/process';

const section = readFileSync(join(root, 'README.md'), 'utf8')
  .split(/^## /m)
  .find((text) => text.startsWith('Command line'))!;

/** What can be said on the command line: each command, with its arguments and options. */
function commandsOf(command: Command, path: string[] = []): string[] {
  const options = command.options.map(({ long, flags, argChoices }) =>
    argChoices ? `${long} ${argChoices.join('|')}` : flags,
  );
  const names = command.registeredArguments.map((argument) =>
    argument.required ? `<${argument.name()}>` : `[<${argument.name()}>]`,
  );
  const own =
    command.commands.length === 0 ? [[...path, ...names, ...options.sort()].join(' ')] : [];
  return [...own, ...command.commands.flatMap((each) => commandsOf(each, [...path, each.name()]))];
}

it('lists every command with its arguments and options, and no other', () => {
  const listed = new Map<string, string[]>();
  for (const [, line] of section.matchAll(/^npm run cli -- (\S.*)$/gm)) {
    const command = /^[a-z-]+( [a-z]+(?:-[a-z]+)*)*( \[?<\w+>\]?)?( \[?<\w+>\]?)?/
      .exec(line!)![0]
      .replace(/^users /, 'user ');
    const options = line!.match(/--[a-z-]+( <\w+>| \w+(\|\w+)+)?/g) ?? [];
    listed.set(command, [...(listed.get(command) ?? []), ...options]);
  }
  const lines = [...listed].map(([command, options]) => [command, ...options.sort()].join(' '));
  const said = commandsOf(program({})).map((line) =>
    line
      .replaceAll('...>', '>')
      .replace(/ --dialect \S+/, ' --dialect <name>')
      .replace(/ --from auth0\S+/, ' --from <system>'),
  );
  expect(lines.sort()).toEqual(said.sort());
});
