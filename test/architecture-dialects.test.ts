import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dialectNames, dialectsOf } from '#src/dialects/index';
import { isMembersOnly, type Route } from '#src/http/route';

const root = new URL('../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const files = globSync('src/dialects/*.ts', { cwd: root }).map((file) => file.slice('src/dialects/'.length, -'.ts'.length));
const names = files.filter((file) => file !== 'index' && file !== 'words').sort();

/**
 * Everything that a dialect may know: words of the wire on its left, on its right the use-cases and guards of the core. Whoever adds
 * one says here what it is for. Nothing here hashes, checks a signature, or asks the database.
 */
const KNOWN: Record<string, string[]> = {
  zod: ['z'],
  cors: ['cors'], // in place of our answer to pages of other origins
  '#src/config': ['config'],
  '#src/core/problem': ['Problem', 'sentenceOf'],
  '#src/core/time': ['Time'],
  '#src/http/dialect': ['afterBearer', 'afterScheme', 'authenticateBy', 'inOwnHeader'], // where the token stands
  '#src/http/guards': ['requireOpenSignup', 'requireRole'],
  '#src/http/limits': ['limit'],
  '#src/http/passport': ['authenticate'],
  '#src/http/route': ['get', 'guard', 'post'],
  '#src/dialects/words': ['Credentials', 'Roles', 'UnknownRole', 'enter', 'signUp', 'statusOf', 'tokenFor'],
  '#src/dialects/bezkoder': ['Refused', 'Said', 'bezkoderTables', 'common', 'member', 'memberFields', 'refuse'], // its variant with cookies
  '#src/admin/list-users': ['listUsers'],
  '#src/sessions/device': ['deviceOf'], // of whom a token has been copied
  '#src/sessions/keep': ['keepSession'],
  '#src/sessions/refresh-tokens': ['refreshTokenOf'],
  '#src/sessions/routes': ['limitRefresh'],
  '#src/sessions/sign-out': ['signOut'],
  '#src/users/find': ['findUser'],
  '#src/users/schemas': ['Email', 'FreeUsername', 'Name', 'Password'],
};
/** Types are gone when it runs; these need no reason. */
const TYPES = [
  'express',
  '#models/index',
  '#src/http/render-problem',
  '#src/users/tutorial-tables',
  '#src/dialects/words',
  '#src/http/route',
];
/** Guards of its own, and why. */
const OWN_GUARDS: Record<string, number> = { 'bezkoder-cookies': 1 }; // a cookie comes along whoever asks: another origin may not use it

describe.each(names)('src/dialects/%s', (name) => {
  const source = read(`src/dialects/${name}.ts`);
  const imports = [...source.matchAll(/^import (type )?([^']+?) from '([^']+)';$/gm)].map(([, type, what, from]) => ({
    values: type
      ? []
      : what!
          .replaceAll(/[{}\s]/g, ' ')
          .split(/[ ,]+(?!\S* )|,/)
          .map((each) => each.trim())
          .filter((each) => each && !each.startsWith('type ')),
    from: from!,
  }));

  it('is short, and is what its file says', () => {
    expect(source.trimEnd().split('\n').length).toBeLessThan(150);
    expect(dialectsOf([name])[0]!.name).toBe(name);
  });

  it('knows the wire, and calls use-cases and guards for all else', () => {
    expect(source.match(/^import /gm)).toHaveLength(imports.length);
    for (const { values, from } of imports) {
      if (values.length === 0) expect([...Object.keys(KNOWN), ...TYPES]).toContain(from);
      for (const value of values) expect(KNOWN[from] ?? [], `${value} from ${from}`).toContain(value);
    }
    expect(source).not.toMatch(/\bimport\(|\brequire\(|process\.env|\bcrypto\b|\bexport \* /);
    expect(source.match(/\bguard\b(?=[<(])/g) ?? []).toHaveLength(OWN_GUARDS[name] ?? 0);
  });
});

it('is registered by one line, and named nowhere else but in the setting', () => {
  expect([...dialectNames].sort()).toEqual(names);
  const index = read('src/dialects/index.ts');
  for (const name of names) expect(index.match(new RegExp(`^import \\w+ from '#src/dialects/${name}';$`, 'gm'))).toHaveLength(1);
  for (const file of globSync('{src,models,migrations,strategies}/**/*.ts', { cwd: root }).filter(
    (file) => !file.startsWith('src/dialects/'),
  ))
    if (file !== 'src/config.ts')
      expect(
        names.filter((name) => read(file).includes(name)),
        file,
      ).toEqual([]);
});

const nameOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;
/** Strangers may call these, and nothing else. Whoever adds one says here why. */
const signing = ['POST /api/auth/signin', 'POST /api/auth/signout', 'POST /api/auth/signup'];
const OPEN: Record<string, string[]> = {
  bezkoder: ['GET /', 'GET /api/test/all', 'POST /api/auth/refreshtoken', ...signing],
  'bezkoder-cookies': ['GET /', 'GET /api/test/all', ...signing],
  devckano: ['POST /login', 'POST /register'],
  grokonez: ['POST /api/auth/signin', 'POST /api/auth/signup'],
  zohaib: ['POST /users', 'POST /users/login'],
};
/** Not everybody who is signed in may call these. */
const ROLES: Record<string, Record<string, string>> = {
  bezkoder: { 'GET /api/test/mod': '`moderator` or `admin`', 'GET /api/test/admin': '`admin`' },
  'bezkoder-cookies': { 'GET /api/test/mod': '`moderator` or `admin`', 'GET /api/test/admin': '`admin`' },
  devckano: { 'GET /users': '`admin`' },
  grokonez: { 'GET /api/test/pm': '`pm` or `admin`', 'GET /api/test/admin': '`admin`' },
  zohaib: {},
};

describe.each(names)('the routes of %s', (name) => {
  const { routes } = dialectsOf([name])[0]!;

  it('name exactly what strangers may call', () => {
    expect(
      routes
        .filter((route) => !isMembersOnly(route))
        .map(nameOf)
        .sort(),
    ).toEqual(OPEN[name]);
  });

  it('ask who you are before they ask what you may', () => {
    const asked: Record<string, string> = {};
    for (const { guards, ...route } of routes) {
      const who = guards.findIndex(({ doc }) => doc.security);
      expect(guards.filter(({ doc }) => doc.security).length, nameOf({ guards, ...route })).toBe(isMembersOnly({ guards }) ? 1 : 0);
      for (const [i, { doc }] of guards.entries()) {
        if (!doc.note?.startsWith('Requires the role ')) continue;
        expect(who, nameOf({ guards, ...route })).toBe(0);
        expect(i).toBeGreaterThan(who);
        asked[nameOf({ guards, ...route })] = doc.note.slice('Requires the role '.length, -1);
      }
    }
    expect(asked).toEqual(ROLES[name]);
  });

  it('let strangers sign up only where SIGNUP says so', () => {
    const signUp = routes.filter(({ spec }) => spec.summary === 'Sign up');
    expect(signUp).toHaveLength(1);
    expect(signUp[0]!.guards.some(({ doc }) => doc.problems?.join() === 'forbidden')).toBe(true);
  });
});
