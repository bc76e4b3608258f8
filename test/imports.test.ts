import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, it } from 'vitest';
import { runIn } from '#test/support/copy';
import { emptyFolder, root } from '#test/support/process';

/** These two are programs: they do something when they are imported. */
const PROGRAMS = ['src/cli.js', 'src/server.js'];
/** What an app that was deployed carelessly may have around us. Whoever reads it fails, or shows that they do. */
const HOSTILE = {
  PORT: 'tcp://10.0.0.1:3000',
  DATABASE_URL: 'postgres://user:password@127.0.0.1:1/other',
  APP_SECRET: 'short',
  LOG_LEVEL: 'loud',
  BCRYPT_COST: 'four',
  STRATEGIES_DIR: '/nowhere',
  NODE_ENV: 'whatever',
};

let folder: string;
let build: string;
let cwd: string;
beforeAll(async () => {
  folder = emptyFolder();
  build = join(folder, 'dist');
  expect(await runIn(root, 'node', ['src/build.js', build])).toEqual({ code: 0, output: '' });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  cwd = emptyFolder();
  writeFileSync(join(cwd, '.env'), 'PORT=1\n');
});

/** What importing these files of the build did, by file. */
async function importing(files: string[]): Promise<Record<string, string[]>> {
  const program = join(root, 'test/support/import-record.ts');
  const child = spawn(process.execPath, [program, build], {
    cwd,
    env: { PATH: process.env['PATH'], ...HOSTILE },
  });
  child.stdin.end(JSON.stringify(files.map((file) => join(build, file))));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(code, errors).toBe(0);
  expect(errors).toBe('');
  return JSON.parse(output);
}

it('does nothing when any module of the package is imported but load modules', async () => {
  const all = readdirSync(build, { recursive: true, encoding: 'utf8' });
  const files = all
    .filter((file) => file.endsWith('.js') && !PROGRAMS.includes(file))
    .filter((file) => !file.startsWith('src/screens/')) // browsers run these
    .sort();
  expect(files.length).toBeGreaterThan(150);
  expect(files).toEqual(expect.arrayContaining(['src/index.js', 'strategies/jwt.js']));
  expect(await importing(files)).toEqual({});
  expect(readdirSync(cwd)).toEqual(['.env']);
});

it('does nothing when the package is imported on its own', async () => {
  for (const file of ['src/index.js', 'src/strategy-kit/conformance.js'])
    expect(await importing([file])).toEqual({});
  expect(readdirSync(cwd)).toEqual(['.env']);
});

it('would tell', async () => {
  mkdirSync(join(build, 'bad'));
  const deeds = {
    reads: "import { readFileSync } from 'node:fs'; readFileSync('.env');",
    asks: "import { existsSync } from 'node:fs'; existsSync('.env');",
    env: 'export const port = process.env.PORT;',
    writes: "import { mkdirSync } from 'node:fs'; mkdirSync('data', { recursive: true });",
    waits: 'setInterval(() => {}, 1000).unref();',
    hears: "process.on('exit', () => {});",
    patches: "import { Strategy } from 'passport-jwt'; Strategy.JwtVerifier = () => {};",
    useCls:
      "import { Sequelize } from 'sequelize'; Sequelize.useCLS({ bind() {}, get() {}, set() {}, run() {} });",
    opens:
      "import { DatabaseSync } from 'node:sqlite'; export const db = new DatabaseSync('own.sqlite');",
    listens: "import { createServer } from 'node:net'; createServer().listen(0).unref();",
    hooks: "import { registerHooks } from 'node:module'; registerHooks({});",
    names: 'globalThis.ours = 1;',
  };
  const files = Object.entries(deeds).map(([name, code]) => {
    writeFileSync(join(build, `bad/${name}.js`), code);
    return `bad/${name}.js`;
  });
  const told = await importing(files);
  expect(Object.keys(told).sort()).toEqual(files.map((file) => `/${file}`).sort());
});
