import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyOfUs, runIn } from '#test/support/copy';
import { emptyFolder, startProcess } from '#test/support/process';

const folder = copyOfUs();
const write = (name: string, kind: string, cwd = folder) =>
  runIn(cwd, 'node', [join(folder, 'src/cli.ts'), 'strategy', 'new', name, '--kind', kind]);
const kinds = ['login', 'redirect', 'bearer'] as const;
const before = readdirSync(join(folder, 'strategies'));
const written = await Promise.all(kinds.map((kind) => write(`my-${kind}`, kind)));
const SETTINGS = {
  MY_LOGIN_URL: 'http://127.0.0.1:9/',
  MY_REDIRECT_ISSUER: 'http://127.0.0.1:9',
  MY_REDIRECT_CLIENT_ID: 'sallyport',
  MY_REDIRECT_CLIENT_SECRET: 'a secret of the provider',
  REDIRECT_URIS: 'http://127.0.0.1/in',
  MY_BEARER_KEY: 'k'.repeat(40),
};

describe('strategy new', () => {
  it('writes a strategy and its test, and says what to do next', () => {
    for (const [i, { code, output }] of written.entries()) {
      expect(code, output).toBe(0);
      expect(output).toMatch(
        new RegExp(
          `^strategies/my-${kinds[i]!}\\.ts and strategies/my-${kinds[i]!}\\.test\\.ts are there\\.`,
        ),
      );
    }
    const added = readdirSync(join(folder, 'strategies')).filter((file) => !before.includes(file));
    expect(added).toHaveLength(6);
    expect(written[1]!.output).toContain(
      'In .env, set MY_REDIRECT_ISSUER, MY_REDIRECT_CLIENT_ID, MY_REDIRECT_CLIENT_SECRET and REDIRECT_URIS',
    );
  });

  it('writes what compiles, in the form of this house', async () => {
    writeFileSync(
      join(folder, 'tsconfig.new.json'),
      '{"extends":"./tsconfig.json","include":["strategies"]}',
    );
    const compiled = await runIn(folder, 'tsc', ['--noEmit', '--project', 'tsconfig.new.json']);
    const lines = compiled.output.split('\n').filter((line) => line.startsWith('strategies/'));
    expect(lines).toEqual([]);
    for (const kind of kinds)
      expect(readFileSync(join(folder, `strategies/my-${kind}.ts`), 'utf8')).not.toMatch(
        /\{name\}|\{PREFIX\}|TODO/,
      );
  });

  it('writes tests that pass', async () => {
    const { code, output } = await runIn(folder, 'vitest', [
      'run',
      'strategies/my-',
      '--project',
      'sqlite',
      '--reporter',
      'json',
    ]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/"numPassedTests":44,"numFailedTests":0/);
  });

  it('writes tests that fail when the strategy is broken', async () => {
    const file = join(folder, 'strategies/my-bearer.ts');
    const sound = readFileSync(file, 'utf8');
    writeFileSync(file, sound.replace("throw new Problem('token_invalid')", 'void Problem'));
    const { code, output } = await runIn(folder, 'vitest', [
      'run',
      'strategies/my-bearer',
      '--project',
      'sqlite',
    ]);
    writeFileSync(file, sound);
    expect(code).toBe(1);
    expect(output).toContain('bad[0] must not be let in');
  });

  it('writes what the server loads: off without its settings, on with them', async () => {
    const named = async (env: Record<string, string>) => {
      const server = await startProcess(
        { DATABASE_URL: 'sqlite:data/test.sqlite', PORT: '0', ...env },
        { from: folder },
      );
      const { body } = await server.ask('GET', '/auth/strategies');
      return {
        banner: server.banner,
        ways: (body as { name: string; kind: string }[]).filter(({ name }) =>
          name.startsWith('my-'),
        ),
      };
    };
    const off = await named({});
    expect(off.ways).toEqual([]);
    expect(off.banner).toContain('my-bearer (MY_BEARER_KEY)');
    const on = await named(SETTINGS);
    expect(on.ways.map(({ name, kind }) => [name, kind])).toEqual(
      [...kinds].sort().map((kind) => [`my-${kind}`, kind]),
    );
  });

  it.concurrent.each([
    ['My-Company', 'login', /^A strategy is named with small letters/],
    ['../elsewhere', 'login', /^A strategy is named with small letters/],
    ['x'.repeat(33), 'login', /^A strategy is named with small letters/],
    ['local', 'login', /^There is a strategies\/local\.ts already\.\n$/],
    ['my-login', 'bearer', /^There is a strategies\/my-login\.(test\.)?ts already\.\n$/],
    ['register', 'login', /^\/auth\/register is another route\. Choose another name\.\n$/],
    ['login', 'login', /^\/auth\/login is another route\. Choose another name\.\n$/],
    ['public', 'login', /^Its setting PUBLIC_URL would be another's\. Choose another name\.\n$/],
    [
      'mine',
      'magic',
      /^error: option '--kind <kind>' argument 'magic' is invalid\. Allowed choices are login, redirect, bearer\.\n$/,
    ],
  ])('refuses %s --kind %s, and writes nothing', async (name, kind, sentence) => {
    const there = readdirSync(join(folder, 'strategies'));
    const { code, output } = await write(name, kind);
    expect([code, output]).toEqual([1, expect.stringMatching(sentence)]);
    expect(readdirSync(join(folder, 'strategies'))).toEqual(there);
  });

  it('refuses to write where there is no folder for strategies', async () => {
    expect(await write('mine', 'login', emptyFolder())).toMatchObject({
      code: 1,
      output: expect.stringContaining('no folder strategies here'),
    });
  });
});
