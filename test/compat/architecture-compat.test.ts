import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { adapterNames, adaptersOf } from '#src/compat/index';
import { openContext } from '#src/open-context';
import { isMembersOnly, type Route } from '#src/platform/http/route';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { root } from '#test/support/process';

const ctx = await openContext(parseSettings(settingsFrom(testEnv(await emptyDatabase()))));
afterAll(() => ctx.close());

const FOLDER = 'src/compat/';
const MAX_LINES = 200;
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const files = globSync(`${FOLDER}*.ts`, { cwd: root }).map((file) =>
  file.slice(FOLDER.length, -'.ts'.length),
);
const names = files
  .filter(
    (file) =>
      !['adapter', 'index', 'shared', 'sentences', 'shown-ids', 'bezkoder-refusals'].includes(file),
  )
  .sort();
const adapterOf = (name: string) => adaptersOf(ctx, [name])[0]!;

/**
 * All that the file of an adapter may import: words of the wire, use-cases and guards. A new entry needs a reason.
 * Nothing here hashes, checks a signature, or asks the database.
 */
const KNOWN: Record<string, string[]> = {
  zod: ['z'],
  cors: ['cors'], // in place of our CORS
  '#src/admin/list-users': ['listUsers'],
  '#src/authentication/guards': ['identify', 'requireOpenSignup', 'requireRole'],
  '#src/authentication/limits': ['SIGN_IN'],
  '#src/compat/adapter': ['afterBearer', 'afterScheme', 'authenticateBy', 'inOwnHeader'], // the place of the token
  '#src/compat/bezkoder': [
    'Message',
    'SignInInput',
    'bezkoderSource',
    'commonRoutes',
    'member',
    'memberFields',
  ], // its variant with cookies
  '#src/compat/bezkoder-refusals': ['Refused', 'refuse'],
  '#src/compat/grokonez': ['SignInInput', 'refusal', 'refuse', 'roleFor', 'rolesOf'], // its variant
  '#src/compat/shared': [
    'Credentials',
    'Roles',
    'UnknownRole',
    'joinNames',
    'plainIn',
    'refreshFor',
    'signInFor',
    'signUpFor',
    'statusOf',
  ],
  '#src/platform/http/cookies': ['cookiesNamed', 'hostCookie', 'isSecure'], // the place of the token
  '#src/compat/sentences': ['sentencesFor'],
  '#src/compat/shown-ids': ['Id', 'shownId', 'shownIds'],
  '#src/platform/http/problem': ['Problem'],
  '#src/platform/http/rate-limit': ['limit'],
  '#src/platform/http/route': ['get', 'guard', 'post'],
  '#src/platform/http/time': ['Time'],
  '#src/platform/settings/origins': ['isAllowedOrigin', 'originMatcher'], // its CORS is its own
  '#src/registration/limits': ['SIGN_UP'],
  '#src/sessions/routes': ['limitRefresh'],
  '#src/sessions/sign-out': ['signOut'],
  '#src/users/find': ['findUser'],
  '#src/users/schemas': ['Email', 'FreeUsername', 'Name', 'Password'],
};
/** Types do not exist at run time, so they need no reason. */
const TYPES = [
  'express',
  '#models/index',
  '#src/context',
  '#src/import-export/tutorial-tables',
  '#src/platform/http/error-handler',
  '#src/platform/settings/settings',
  '#src/users/principal',
];
/** All of the context that an adapter may use by itself. Everything else is for use-cases. */
const OWN_CONTEXT = ['settings'];
/** How many guards of its own an adapter has. */
const OWN_GUARDS: Record<string, number> = { 'bezkoder-cookies': 1 }; // CSRF: browsers send cookies with any request

describe.each(names)('src/compat/%s', (name) => {
  const source = read(`${FOLDER}${name}.ts`);
  const imports = [...source.matchAll(/^import (type )?([^']+?) from '([^']+)';$/gm)].map(
    ([, type, what, from]) => ({
      values: type
        ? []
        : what!
            .replaceAll(/[{}]/g, '')
            .split(',')
            .map((each) => each.trim())
            .filter((each) => each && !each.startsWith('type ')),
      from: from!,
    }),
  );

  it('is short, and is what its file says', () => {
    expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_LINES);
    expect(adapterOf(name).name).toBe(name);
  });

  it('knows the wire, and calls use-cases and guards for all else', () => {
    expect(source.match(/^import /gm)).toHaveLength(imports.length);
    for (const { values, from } of imports) {
      if (values.length === 0) expect([...Object.keys(KNOWN), ...TYPES]).toContain(from);
      for (const value of values)
        expect(KNOWN[from] ?? [], `${value} from ${from}`).toContain(value);
    }
    expect(source).not.toMatch(
      /\bimport\(|\brequire\(|process\.env|\bcrypto\b|\bexport \* |#src\/cli/,
    );
    expect(source.match(/\bguard\b(?=[<(])/g) ?? []).toHaveLength(OWN_GUARDS[name] ?? 0);
  });

  it('uses nothing of the context but the settings', () => {
    const members = [...source.matchAll(/\bctx\.(\w+)/g)].map(([, member]) => member!);
    const destructured = [
      ...source.matchAll(/\{([^{}]*)\}\s*(?::\s*Context\b|=\s*ctx\b(?!\.))/g),
    ].flatMap(([, list]) => list!.split(',').map((each) => each.trim()));
    for (const member of [...members, ...destructured]) expect(OWN_CONTEXT).toContain(member);
    expect(source).not.toMatch(/\bctx\[|\.\.\.ctx\b(?!\.)/);
  });
});

it('is registered by one line, and named nowhere else but in the settings', () => {
  expect([...adapterNames].sort()).toEqual(names);
  const index = read(`${FOLDER}index.ts`);
  for (const name of names)
    expect(
      index.match(new RegExp(`^import \\{ \\w+ \\} from '#src/compat/${name}';$`, 'gm')),
    ).toHaveLength(1);
  const others = globSync('{src,models,migrations,strategies}/**/*.ts', { cwd: root }).filter(
    (file) =>
      !file.startsWith(FOLDER) && !/^src\/platform\/settings\/(schema|read)\.ts$/.test(file),
  );
  expect(others.length).toBeGreaterThan(100);
  for (const file of others) {
    const source = read(file);
    expect(
      names.filter((name) => source.includes(name)),
      file,
    ).toEqual([]);
  }
});

const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) =>
  `${method.toUpperCase()} ${path}`;
/** The routes that anybody may call. A new entry needs a reason. */
const boards = ['POST /api/auth/signin', 'POST /api/auth/signout', 'POST /api/auth/signup'];
const OPEN: Record<string, string[]> = {
  bezkoder: ['GET /', 'GET /api/test/all', 'POST /api/auth/refreshtoken', ...boards],
  'bezkoder-cookies': ['GET /', 'GET /api/test/all', 'POST /api/auth/refreshtoken', ...boards],
  devckano: ['POST /login', 'POST /register'],
  grokonez: ['POST /api/auth/signin', 'POST /api/auth/signup'],
  'grokonez-react': ['POST /api/auth/signin', 'POST /api/auth/signup'],
  zohaib: ['POST /users', 'POST /users/login'],
};
/** The routes that need a role. */
const moderated = {
  'GET /api/test/mod': '`moderator` or `admin`',
  'GET /api/test/admin': '`admin`',
};
const managed = { 'GET /api/test/pm': '`pm` or `admin`', 'GET /api/test/admin': '`admin`' };
const ROLES: Record<string, Record<string, string>> = {
  bezkoder: moderated,
  'bezkoder-cookies': moderated,
  devckano: { 'GET /users': '`admin`' },
  grokonez: managed,
  'grokonez-react': managed,
  zohaib: {},
};

describe.each(names)('the routes of %s', (name) => {
  const { routes } = adapterOf(name);

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
      expect(guards.filter(({ doc }) => doc.security).length, nameOf(route)).toBe(
        isMembersOnly({ guards }) ? 1 : 0,
      );
      for (const [i, { doc }] of guards.entries()) {
        if (!doc.note?.startsWith('Requires the role ')) continue;
        expect(who, nameOf(route)).toBe(0);
        expect(i).toBeGreaterThan(who);
        asked[nameOf(route)] = doc.note.slice('Requires the role '.length, -1);
      }
    }
    expect(asked).toEqual(ROLES[name]);
  });

  it('let strangers sign up only where SIGNUP says so', () => {
    const signUp = routes.filter(({ spec }) => spec.summary === 'Sign up');
    expect(signUp).toHaveLength(1);
    expect(signUp[0]!.guards.some(({ doc }) => doc.problems?.join() === 'signup_closed')).toBe(
      true,
    );
  });
});
