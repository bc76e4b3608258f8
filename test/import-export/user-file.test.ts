import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { register } from '#src/registration/register';
import { NewUser } from '#src/users/schemas';
import { password, testEnv } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { node } from '#test/support/node';
import { root, rowsOf, settingsFor, startProcess } from '#test/support/process';
import { rounds } from '#test/support/rounds';
import { contentsOf, destinations, importerInto } from '#test/support/tutorials/importing';
import { hashed } from '#test/support/tutorials/old-database';

const id = (n: number) => `0197a000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const bcrypt = hashed(password);
const django = 'pbkdf2_sha256$1000$CoI1UAKkkSYW$1O0ttr08XECEn5eB2baVmC3B37MphSbQ+IO4wH9UJsw=';
const CANARY = /canary|example\.com|\$2b\$|pbkdf2_sha256\$/i;

const fileOf = (lines: readonly unknown[]) => {
  const file = `${process.cwd()}/${randomBytes(6).toString('hex')}.ndjson`;
  writeFileSync(
    file,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return file;
};

/** All kinds of lines, and what is printed for each. `grace` and `heir` exist before. */
const CAST: [line: unknown, told: string][] = [
  [
    {
      id: id(1),
      username: 'Canary',
      email: 'Canary@Example.com',
      emailVerified: true,
      name: 'Canary É',
      roles: ['admin', 'press', 'user'],
      passwordHash: bcrypt,
      createdAt: '2018-11-12T13:14:15.016Z',
    },
    'imported\tadmin,press,user',
  ],
  [
    { username: 'ada', passwordHash: django, disabled: true, name: null, email: null },
    'imported\tuser\tdisabled',
  ],
  [
    { email: 'canary2@example.com', roles: [], createdAt: '2018-11-12T13:14:15+02:00' },
    'imported\t\tno password: has to choose one by "forgot password"',
  ],
  [{ id: id(1), username: 'canary' }, 'unchanged'],
  [{ id: id(1), username: 'renamed' }, 'unchanged\tthis id is here with other names'],
  [{ id: id(1).toUpperCase(), username: 'CANARY', email: 'canary@EXAMPLE.com' }, 'unchanged'],
  [{ username: 'canary' }, 'unchanged'],
  [{ username: 'ADA' }, 'unchanged'],
  [{ username: 'grace' }, 'unchanged'],
  [{ id: id(20), username: 'heir' }, 'unchanged'],
  [{ id: id(21), username: 'heir' }, 'refused\tsomebody else here has this username'],
  [
    { id: id(2), username: 'bob', email: 'canary@example.com' },
    'refused\tsomebody else here has this e-mail address',
  ],
  [
    { username: 'bob', email: 'canary@example.com' },
    'refused\tsomebody else here has this e-mail address',
  ],
  [
    { username: 'ada', email: 'canary@example.com' },
    'refused\tsomebody else here has this e-mail address',
  ],
  [{ id: id(20), username: 'grace' }, 'refused\tsomebody else here has this username'],
  [
    { id: id(1), email: 'canary2@example.com' },
    'refused\tsomebody else here has this e-mail address',
  ],
  ['canary', 'refused\tit is not JSON'],
  ['{"username":"canary"', 'refused\tit is not JSON'],
  ['["canary"]', 'refused\tit is not a JSON object'],
  ['null', 'refused\tit is not a JSON object'],
  ['', ''],
  ['  \r', ''],
  [{}, 'refused\tit has neither a username nor an e-mail address'],
  [{ username: 'x1', password: 'canary' }, 'refused\tits key password is not known here'],
  [{ username: 'x1', 'canary@example.com': 1 }, 'refused\tone of its keys is not known here'],
  [
    '{"username":"x1","__proto__":{"disabled":true}}',
    'refused\tits key __proto__ is not known here',
  ],
  [{ username: 7 }, 'refused\tits username: Invalid input: expected string, received number'],
  [
    { username: 'can!ary' },
    'refused\tits username: A username is made of letters, digits and . _ - and begins with a letter or digit',
  ],
  [{ email: 'canary' }, 'refused\tits email: This is not an e-mail address'],
  [{ username: 'x1', id: 'canary' }, 'refused\tits id: Invalid UUID'],
  [{ username: 'x1', id: 42 }, 'refused\tits id: Invalid input: expected string, received number'],
  [
    { username: 'x1', roles: ['Can ary'] },
    'refused\tits roles: A role is named with small letters, digits and . _ : -, at most 64',
  ],
  [
    { username: 'x1', roles: 'admin' },
    'refused\tits roles: Invalid input: expected array, received string',
  ],
  [
    { username: 'x1', emailVerified: 'true' },
    'refused\tits emailVerified: Invalid input: expected boolean, received string',
  ],
  [{ username: 'x1', createdAt: 'canary' }, 'refused\tits createdAt: Invalid ISO datetime'],
  [
    { username: 'x1', createdAt: '9999-01-01T00:00:00Z' },
    'refused\tits createdAt: is not between 1970 and now',
  ],
  [
    { username: 'x1', createdAt: '0000-01-01T00:00:00Z' },
    'refused\tits createdAt: is not between 1970 and now',
  ],
  [{ username: 'x1', name: 'canary\u0007' }, 'refused\tits name: No control characters, please'],
  [
    { username: 'x1', passwordHash: '' },
    'refused\tits hash is of no kind that is accepted here: it looks like nothing at all',
  ],
  [
    { username: 'x1', passwordHash: 'canary' },
    'refused\tits hash is of no kind that is accepted here: it looks like a password that was never hashed',
  ],
  [
    { username: 'canary@example.com', email: 'other@example.com' },
    'refused\tits username is an e-mail address, and not its own one',
  ],
  [
    { username: 'x1', passwordHash: bcrypt.replace('$04$', '$16$') },
    'refused\tits bcrypt hash does not have a cost of 4 to 15',
  ],
  [
    { username: 'x1', passwordHash: django.replace('1000', '9999999') },
    'refused\tits hash takes more than twice as long to compare with as bcrypt with cost 12',
  ],
  [
    `{"username":"x1","name":"${'canary'.repeat(25_000)}"}`,
    'refused\tit is too long, or not UTF-8',
  ],
  [
    { username: 'last', roles: ['User', 'PM'] },
    'imported\tpm,user\tcannot sign in: no password, no provider and no e-mail address',
  ],
  [{ username: 'Address@Example.com', passwordHash: bcrypt }, 'imported\tuser'],
  [
    { username: 'linus@example.com', email: 'LINUS@example.com', passwordHash: bcrypt },
    'imported\tuser',
  ],
];
const LINES = CAST.flatMap(([, told], i) => (told ? [`${i + 1}\t${told}`] : []));
const COUNTS = '6 imported, 7 unchanged, 32 refused.';
const LOCKED_OUT = 'Imported, but cannot sign in: 1.';
const ADMINS = 'Administrators among the imported: 1.';

async function settled() {
  const databaseUrl = await emptyDatabase();
  const { run } = importerInto(databaseUrl);
  await run('user create grace', password);
  await rowsOf(
    databaseUrl,
    `INSERT INTO users (id, username, username_canonical, created_at, updated_at) VALUES ('${id(20)}', 'heir', 'heir', '2020-01-01 00:00:00.000', '2020-01-01 00:00:00.000')`,
  );
  return { databaseUrl, run };
}

describe('users import', () => {
  it('says of each line what becomes of it, the same when it only rehearses, and doubles nothing', async () => {
    const { databaseUrl, run } = await settled();
    const file = fileOf(CAST.map(([line]) => line));
    const before = await contentsOf(databaseUrl);
    const rehearsed = await run(`users import ${file} --dry-run`);
    expect(rehearsed).toEqual({
      code: 1,
      stderr: '',
      lines: [...LINES, `${COUNTS} Nothing was changed.`, ADMINS, LOCKED_OUT],
    });
    expect(await contentsOf(databaseUrl)).toEqual(before);

    const done = await run(`users import ${file}`);
    expect(done).toEqual({ code: 1, stderr: '', lines: [...LINES, COUNTS, ADMINS, LOCKED_OUT] });
    expect(done.lines.join('\n')).not.toMatch(CANARY);

    const after = await contentsOf(databaseUrl);
    expect(after['users']).toHaveLength(8);
    const [verified] = await rowsOf(databaseUrl, `SELECT * FROM users WHERE id = '${id(1)}'`);
    expect(verified).toMatchObject({
      username: 'Canary',
      username_canonical: 'canary',
      email: 'Canary@Example.com',
      email_canonical: 'canary@example.com',
      name: 'Canary É',
      password_hash: bcrypt,
      disabled_at: null,
    });
    expect(verified!['email_verified_at']).not.toBeNull();
    const time = verified!['created_at'];
    expect(time instanceof Date ? time.toISOString() : String(time)).toMatch(
      /^2018-11-12[T ]13:14:15\.016/,
    );
    const [disabled] = await rowsOf(databaseUrl, "SELECT * FROM users WHERE username = 'ada'");
    expect(disabled).toMatchObject({ email: null, email_verified_at: null, password_hash: django });
    expect(disabled!['disabled_at']).not.toBeNull();

    for (const option of ['', ' --dry-run']) {
      const again = await run(`user import ${file}${option}`);
      expect(again.lines.at(-1)).toMatch(/^0 imported, 13 unchanged, 32 refused\./);
      expect(again.lines.filter((line) => line.includes('refused\t'))).toEqual(
        LINES.filter((line) => line.includes('refused\t')),
      );
    }
    expect(await contentsOf(databaseUrl)).toEqual(after);
  });

  it('reads standard input, Windows lines and a mark of the byte order, and ends with 0 if nothing is refused', async () => {
    const { run } = importerInto(await emptyDatabase());
    const { code, lines } = await run(
      'users import -',
      '\ufeff{"email":"ada@example.com"}\r\n\r\n{"email":"bob@example.com"}',
    );
    expect([code, lines]).toEqual([
      0,
      [
        '1\timported\tuser\tno password: has to choose one by "forgot password"',
        '3\timported\tuser\tno password: has to choose one by "forgot password"',
        '2 imported, 0 unchanged, 0 refused.',
      ],
    ]);
    expect(await run('users import nowhere.ndjson')).toEqual({
      code: 1,
      lines: [],
      stderr: 'The file cannot be read (ENOENT).\n',
    });
  });

  it('refuses what is no UTF-8, and a line without an end', async () => {
    const { run } = importerInto(await emptyDatabase());
    const file = fileOf([]);
    writeFileSync(
      file,
      Buffer.concat([
        Buffer.from('{"username":"a\xffb"}\n{"username":"', 'latin1'),
        Buffer.alloc(200_000, 'x'),
      ]),
    );
    const odd = 'refused\tit is too long, or not UTF-8';
    expect((await run(`users import ${file}`)).lines).toEqual([
      `1\t${odd}`,
      `2\t${odd}`,
      '0 imported, 0 unchanged, 2 refused.',
    ]);
  });

  it(
    'takes those who are not here yet, page by page, while others take names',
    { timeout: 300_000 },
    async () => {
      const databaseUrl = await emptyDatabase();
      const { run } = importerInto(databaseUrl);
      const many = rounds(1201, 100_000);
      const names = Array.from({ length: many }, (_, i) => ({
        id: id(i),
        username: `u${i}`,
        email: `u${i}@example.com`,
        roles: ['user'],
      }));
      const file = fileOf(names);
      expect((await run(`users import ${file} --dry-run`)).lines.at(-1)).toBe(
        `${many} imported, 0 unchanged, 0 refused. Nothing was changed.`,
      );
      const { ctx } = await node(testEnv(databaseUrl));
      const importing = run(`users import ${file}`);
      const newUser = NewUser.parse({ username: `u${many - 1}`, password });
      const late = await register(ctx, newUser).then(
        () => 1,
        (error) => {
          expect(error).toMatchObject({ code: 'username_taken' });
          return 0;
        },
      );
      const { lines, code } = await importing;
      expect(lines).toHaveLength(many + 1);
      expect([code, lines.at(-1)]).toEqual([
        late,
        `${many - late} imported, 0 unchanged, ${late} refused.`,
      ]);
      expect(await rowsOf(databaseUrl, 'SELECT COUNT(*) AS n FROM users')).toEqual([{ n: many }]);
      expect(await rowsOf(databaseUrl, 'SELECT COUNT(*) AS n FROM user_roles')).toEqual([
        { n: many },
      ]);
      expect((await run(`users import ${file}`)).lines.at(-1)).toBe(
        `0 imported, ${many - late} unchanged, ${late} refused.`,
      );
    },
  );
});

it('takes the examples of docs/migrating-users.md', async () => {
  const page = readFileSync(`${root}docs/migrating-users.md`, 'utf8');
  const { run } = importerInto(await emptyDatabase());
  const examples = [...page.matchAll(/```json\n(.*)\n```/g)].map(([, line]) => line!);
  expect(examples).toHaveLength(4);
  for (const [i, line] of examples.entries()) {
    const example = line.replaceAll('"ada', `"ada${i}`);
    expect((await run('users import -', example)).lines).toEqual([
      '1\timported\tuser',
      '1 imported, 0 unchanged, 0 refused.',
    ]);
  }
});

describe('users export', () => {
  it('writes a file that only its owner may read, whole or not at all', async () => {
    const { run } = await settled();
    const [file, there] = ['out.ndjson', fileOf(['there before'])];
    chmodSync(there, 0o644);
    for (const name of [file, there]) {
      expect(await run(`users export ${name}`)).toEqual({
        code: 0,
        stderr: '',
        lines: ['2 users written. Without password hashes and secrets of second factors.'],
      });
      expect(statSync(name).mode & 0o777).toBe(0o600);
      expect(readFileSync(name, 'utf8').split('\n')).toHaveLength(3);
      expect(readFileSync(name, 'utf8')).not.toMatch(/\$2b\$|passwordHash/);
    }
    symlinkSync('/dev/full', 'link');
    await run('users export link --with-password-hashes');
    expect(statSync('link').isFile()).toBe(true);
    expect(readFileSync('link', 'utf8')).toMatch(/"passwordHash":"\$2b\$04\$/);
    expect(await run('users export no/where')).toEqual({
      code: 1,
      lines: [],
      stderr: 'The file cannot be written (ENOENT).\n',
    });
    const { lines } = await run('user export');
    expect(lines.map((line) => JSON.parse(line).username)).toEqual(
      expect.arrayContaining(['grace', 'heir']),
    );
  });
});

it.skipIf(engine === 'sqlite')(
  'goes from SQLite to MariaDB and back: the same file, and everybody signs in',
  async () => {
    const people = CAST.slice(0, 3).map(([line]) => line);
    const secrets: [string, string][] = [
      ['canary@example.com', password],
      ['zoé', 'пароль длинный'],
    ];
    people.push({
      id: id(3),
      username: 'zoé',
      emailVerified: false,
      passwordHash:
        '$scrypt$ln=10,r=8,p=2$M2bMGcP4H0NorfW+F6JU6g$OLcSNpiezeiir376bF5abRZhvmvyTqa6KRbwUQiww0o',
      createdAt: '2020-02-29T23:59:59.999Z',
    });
    let file = fileOf(people);
    const exports: string[] = [];
    for (const kind of ['a file', 'a server', 'a file']) {
      const databaseUrl = await destinations[kind]!();
      const { run } = importerInto(databaseUrl);
      expect((await run(`users import ${file}`)).code).toBe(0);
      file = `${randomBytes(6).toString('hex')}.ndjson`;
      await run(`users export ${file} --with-password-hashes`);
      exports.push(readFileSync(file, 'utf8'));

      const server = await startProcess(settingsFor(databaseUrl));
      for (const [identifier, secret] of secrets) {
        expect(
          (
            await server.ask('POST', '/auth/login', {
              body: { identifier, password: `${secret}x` },
            })
          ).status,
        ).toBe(401);
        const { status, body } = await server.ask('POST', '/auth/login', {
          body: { identifier, password: secret },
        });
        expect([status, body.user.emailVerified], identifier).toEqual([
          200,
          identifier.includes('@'),
        ]);
        expect(body.user.roles).toEqual(
          identifier.includes('@') ? ['admin', 'press', 'user'] : ['user'],
        );
      }
      const body = { identifier: 'ada', password };
      expect((await server.ask('POST', '/auth/login', { body })).status).toBe(401); // disabled
      await server.kill('SIGTERM');
    }
    expect(exports[0]).toContain('"disabled":true');
    expect(exports[1]).toBe(exports[0]);
    expect(exports[2]).toBe(exports[0]);
  },
);
