import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installPackages } from '#test/support/own-packages';
import { run } from '#test/support/installed';
import { emptyFolder, root } from '#test/support/process';

const HOME = 'examples/mobile';
installPackages(HOME);

/** Checks the types of a copy of the app, by its own `npm run check`, with one text of it replaced. */
async function check(file = '', now = '', then = '') {
  const app = emptyFolder();
  const replace = (name: string, now: string, then: string) => {
    const text = readFileSync(join(app, name), 'utf8');
    expect(text).toContain(now);
    writeFileSync(join(app, name), text.replaceAll(now, then));
  };
  for (const name of ['index.ts', 'package.json', 'src', 'tsconfig.json'])
    cpSync(join(root, HOME, name), join(app, name), { recursive: true });
  symlinkSync(join(root, HOME, 'node_modules'), join(app, 'node_modules'));
  replace('tsconfig.json', '../../src', join(root, 'src'));
  if (now) replace(file, now, then);
  const { code, stdout } = await run(app, 'npm', ['run', '--silent', 'check']);
  return { code, stdout };
}

it('has the types of Expo, React Native and the package', async () => {
  expect(await check()).toEqual({ code: 0, stdout: '' });
});

it.each([
  ['of React Native', 'src/App.tsx', 'secureTextEntry={isSecret}', 'secureTextEntry="yes"'],
  ['of sallyport/react', 'src/App.tsx', 'user?.username', 'user?.userName'],
  ['of sallyport/client', 'src/session.ts', "kind: 'mobile'", "kind: 'telephone'"],
  ['of Expo', 'src/session.ts', 'installed.exists', 'installed.isThere'],
  ['of the start', 'index.ts', 'registerRootComponent(App)', 'registerRootComponent(<App />)'],
])('is refused where a type %s is wrong', async (_what, file, now, then) => {
  const { code, stdout } = await check(file, now, then);
  expect(code).not.toBe(0);
  expect(stdout).toMatch(new RegExp(`^${file}\\(\\d+,\\d+\\): error TS`));
});
