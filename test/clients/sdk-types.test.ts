import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installPackages } from '#test/support/own-packages';
import { emptyFolder, root } from '#test/support/process';
import { run } from '#test/support/installed';

const APP = `
import { createClient, type Problem } from '#src/client/index';
const client = createClient({ url: 'https://auth.example.com', device: { kind: 'web' } });
export async function app(identifier: string, password: string): Promise<string | null> {
  const answer = await client.signIn({ identifier, password });
  if (!answer.ok) return next(answer.body);
  const me = await client.request('GET', '/me');
  if (me.ok && me.body.permissions.includes('users:read'))
    await client.request('DELETE', '/admin/users/{id}', null, { params: { id: me.body.id } });
  await client.signIn({ anything: 1 }, 'a-way-of-your-own');
  return answer.body.user.username;
}
function next(problem: Problem): string | null {
  switch (problem.action) {
    case 'second_factor': {
      const code: 'mfa_required' = problem.code;
      return code + problem.factors?.join();
    }
    case 'wait':
      return problem.code === 'no_answer' ? 'offline' : null;
    default:
      return problem.title;
  }
}
`;

/** The client, changed, and an app that uses it, where only the types of browsers are. */
async function compile(change: (types: string) => string, app = APP, packages = '') {
  const folder = emptyFolder();
  cpSync(join(root, 'src/client'), join(folder, 'src/client'), {
    recursive: true,
    filter: (file) => !file.endsWith('react.ts'),
  });
  const types = join(folder, 'src/client/api.ts');
  writeFileSync(types, change(readFileSync(types, 'utf8')));
  writeFileSync(join(folder, 'app.ts'), app);
  if (packages) symlinkSync(join(root, packages, 'node_modules'), join(folder, 'node_modules'));
  const imports = { '#*': './*.ts' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'DOM', 'DOM.Iterable'],
    module: 'ESNext',
    moduleResolution: 'bundler',
    types: [],
    strict: true,
    noEmit: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const { code, stdout } = await run(folder, 'tsc', []);
  return { code, stdout };
}

it('an app compiles where only the types of browsers are', async () => {
  expect(await compile((types) => types)).toEqual({ code: 0, stdout: '' });
});

it.each([
  ['a field of a body', 'identifier: string;', 'name: string;', 'app.ts'],
  ['a field of an answer', 'permissions: readonly (string)[];', 'may: string[];', 'app.ts'],
  ['a path', "'DELETE /admin/users/{id}'", "'DELETE /admin/people/{id}'", 'app.ts'],
  ['a parameter of a path', 'id: string;', 'user: string;', 'app.ts'],
  ['the action of a code', "mfa_required: 'second_factor'", "mfa_required: 'other'", 'app.ts'],
  [
    'a field that the client uses',
    'refreshToken?: string | undefined;',
    'renewal?: string | undefined;',
    'src/client',
  ],
])('does not compile any more when %s has another name', async (_what, now, then, where) => {
  const { code, stdout } = await compile((types) => {
    expect(types).toContain(now);
    return types.replaceAll(now, then);
  });
  expect(code, stdout).not.toBe(0);
  expect(stdout).toContain(where);
});

const NATIVE = `
import * as SecureStore from 'expo-secure-store';
import * as Keychain from 'react-native-keychain';
import { createClient, expoSecureStore, reactNativeKeychain } from '#src/client/index';
const url = 'https://auth.example.com';
createClient({ url, storage: expoSecureStore(SecureStore) });
createClient({ url, storage: reactNativeKeychain(Keychain) });
// @ts-expect-error: another module
createClient({ url, storage: expoSecureStore(Keychain) });
`;
it('takes the modules of Expo and React Native as they are typed', async () => {
  installPackages('test/native-modules');
  const packages = 'test/native-modules';
  expect(await compile((types) => types, NATIVE, packages)).toEqual({ code: 0, stdout: '' });
});
