import { cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { copyOfUs, runIn } from '#test/support/copy';
import { emptyDatabase } from '#test/support/database';
import { emptyFolder, settingsFor, startProcess } from '#test/support/process';

/** The programs of a folder, once as source and once as built code. */
const folder = copyOfUs();
const built = copyOfUs();
const installed = emptyFolder();

/** Every module of these folders ends the process that loads it. */
function poison(cwd: string, pattern: string, except: string[] = []): void {
  const found = globSync(pattern, { cwd }).filter((file) => !except.includes(file));
  expect(found.length).toBeGreaterThan(100);
  for (const file of found)
    writeFileSync(join(cwd, file), `throw new Error(${JSON.stringify(`${file} was loaded`)});\n`);
}

beforeAll(async () => {
  const { code, output } = await runIn(folder, 'node', ['src/build.js']);
  expect(code, output).toBe(0);
  cpSync(join(folder, 'dist'), join(built, 'dist'), { recursive: true });
  poison(folder, 'dist/**/*.js');
  poison(built, '{src,models,migrations,strategies}/**/*.ts');
  // What npm installs: see `files` in package.json.
  for (const name of ['dist', 'src/start.js', 'package.json', 'node_modules'])
    cpSync(join(built, name), join(installed, name), { recursive: true, verbatimSymlinks: true });
});

/** A list of no users. */
const HEADER = 'ID  USERNAME  EMAIL  VERIFIED  ROLES  STATE  CREATED\n';

/** `args` run in a folder of their own, without options of Node, over an empty database. */
async function list(args: string[]) {
  const env = settingsFor(await emptyDatabase());
  return runIn(emptyFolder(), 'node', [...args, 'user', 'list'], env);
}
const signsUp = async (file: string, args: string[] = []) => {
  const server = await startProcess(settingsFor(await emptyDatabase()), { file, args });
  const body = { username: 'ada', password: 'correct horse battery' };
  return (await server.ask('POST', '/auth/register', { body })).status;
};

describe('in a clone, an old dist/ is never loaded:', () => {
  it('node src/cli.ts runs the source from any folder', async () => {
    expect(await list([join(folder, 'src/cli.ts')])).toEqual({ code: 0, output: HEADER });
  });

  it('node src/server.ts runs the source from any folder', async () => {
    expect(await signsUp(join(folder, 'src/server.ts'))).toBe(201);
  });

  it('node src/start.js user list is the command line, and node src/start.js the server', async () => {
    const start = join(folder, 'src/start.js');
    expect(await list([start])).toEqual({ code: 0, output: HEADER });
    expect(await signsUp(start)).toBe(201);
    expect(await signsUp(start, ['start'])).toBe(201);
    const wrong = await runIn(
      emptyFolder(),
      'node',
      [start, 'user', 'lst'],
      settingsFor('sqlite:x'),
    );
    expect(wrong).toEqual({
      code: 1,
      output: expect.stringMatching(/^error: unknown command 'lst'/),
    });
  });
});

describe('where the package is built, the source is never loaded:', () => {
  it('node dist/src/cli.js runs what was built', async () => {
    expect(await list([join(built, 'dist/src/cli.js')])).toEqual({ code: 0, output: HEADER });
  });

  it('node dist/src/server.js runs what was built', async () => {
    expect(await signsUp(join(built, 'dist/src/server.js'))).toBe(201);
  });

  it('the command of the installed package runs what was built', async () => {
    expect(globSync('**/*.ts', { cwd: join(installed, 'src') })).toEqual([]);
    const start = join(installed, 'src/start.js');
    expect(await list([start])).toEqual({ code: 0, output: HEADER });
    expect(await signsUp(start)).toBe(201);
  });
});

it('both kinds of poison work', async () => {
  const source = await list([join(built, 'src/cli.ts')]);
  expect(source).toEqual({ code: 1, output: expect.stringContaining('src/cli.ts was loaded') });
  const code = await list([join(folder, 'dist/src/cli.js')]);
  expect(code).toEqual({ code: 1, output: expect.stringContaining('dist/src/cli.js was loaded') });
  rmSync(join(folder, 'src/cli.ts')); // without it, start.js takes dist/
  const start = await list([join(folder, 'src/start.js')]);
  expect(start).toEqual({ code: 1, output: expect.stringContaining('dist/src/cli.js was loaded') });
});
